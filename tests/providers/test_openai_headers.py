"""How OpenAI's dialect is told who asks."""

from __future__ import annotations

import pytest

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError
from shunt.providers.openai_headers import authenticate
from tests.providers.requests import KEY, LOGIN, lookup


@pytest.mark.parametrize(("credential", "token"), [(KEY, b"sk-test-key"), (LOGIN, b"sk-test-access")])
def test_credentials_are_bearer_tokens(credential: object, token: bytes) -> None:
    """In one header, in place of whatever was there."""
    headers = authenticate(((b"Authorization", b"Bearer theirs"),), credential)  # type: ignore[arg-type]  # both kinds
    assert lookup(headers, b"authorization") == [b"Bearer " + token]


def test_what_belongs_to_the_client_stays_behind() -> None:
    """Its organisation, and what only another vendor reads."""
    told = (
        (b"OpenAI-Organization", b"org-theirs"),
        (b"chatgpt-account-id", b"theirs"),
        (b"anthropic-beta", b"x"),
        (b"X-Claude-Code-Session-Id", b"s"),
        (b"x-request-id", b"kept"),
    )
    assert authenticate(told, KEY) == ((b"x-request-id", b"kept"), (b"authorization", b"Bearer sk-test-key"))


def test_an_empty_key_leaves_auth_to_the_account() -> None:
    """Servers on the own machine ask for none."""
    own = ((b"Authorization", b"Basic own"),)
    assert authenticate(own, ApiKey(Secret(""))) == own


def test_a_key_that_no_header_may_hold() -> None:
    """The message does not show it."""
    with pytest.raises(CredentialError) as caught:
        authenticate((), ApiKey(Secret("sk-test\nx")))
    assert "sk-test" not in str(caught.value)
