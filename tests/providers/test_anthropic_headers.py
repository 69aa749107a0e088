"""Who is asking, in Anthropic's dialect."""

from __future__ import annotations

import pytest

from shunt.accounts.credential import ApiKey, Login
from shunt.accounts.secret import Secret
from shunt.errors import CredentialError
from shunt.providers.anthropic_headers import authenticate
from shunt.wire.headers import Headers
from tests.providers.requests import KEY, LOGIN

VERSION = (b"anthropic-version", b"2023-06-01")


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ((), (VERSION, (b"x-api-key", b"sk-test-key"))),
        (
            ((b"Anthropic-Version", b"2026-10-21"),),
            ((b"Anthropic-Version", b"2026-10-21"), (b"x-api-key", b"sk-test-key")),
        ),
        ((VERSION, (b"Authorization", b"Bearer own")), (VERSION, (b"x-api-key", b"sk-test-key"))),
        (
            (VERSION, (b"anthropic-beta", b"one,oauth-2025-04-20,two")),
            (VERSION, (b"anthropic-beta", b"one,two"), (b"x-api-key", b"sk-test-key")),
        ),
        ((VERSION, (b"anthropic-beta", b"oauth-2025-04-20")), (VERSION, (b"x-api-key", b"sk-test-key"))),
    ],
)
def test_an_api_key_is_sent_as_such(came: Headers, expected: Headers) -> None:
    """The client's version stays, a missing one is added; the beta of a client's own login goes."""
    assert authenticate(came, KEY) == expected


@pytest.mark.parametrize(
    ("came", "betas"),
    [
        ((), b"oauth-2025-04-20"),
        (((b"anthropic-beta", b"one"),), b"one,oauth-2025-04-20"),
        (((b"anthropic-beta", b"oauth-2025-04-20,one"),), b"oauth-2025-04-20,one"),
    ],
)
def test_a_login_is_sent_as_bearer(came: Headers, betas: bytes) -> None:
    """Its beta is there exactly once."""
    headers = authenticate(came, LOGIN)
    assert [value for name, value in headers if name == b"anthropic-beta"] == [betas]
    assert headers[-1] == (b"authorization", b"Bearer sk-test-access")


def test_without_a_key_nothing_is_written() -> None:
    """A local server may ask for none, or for something in the account's own headers."""
    own: Headers = (VERSION, (b"Authorization", b"Basic own"))
    assert authenticate(own, ApiKey(Secret(""))) == own


@pytest.mark.parametrize("value", ["sk-test key", "sk-test\n", "sk-test\u00e9", "sk-test\x00"])
def test_a_credential_with_odd_characters_is_not_sent(value: str) -> None:
    """Neither as key nor as token, and the message does not show it."""
    for credential in (
        ApiKey(Secret(value)),
        Login(access=Secret(value), refresh=Secret(""), expires_at=None),
    ):
        with pytest.raises(CredentialError) as caught:
            authenticate((), credential)
        assert "sk-test" not in str(caught.value)


def test_an_empty_token_is_not_sent() -> None:
    """A login without an access token is a fault, not an anonymous call."""
    with pytest.raises(CredentialError):
        authenticate((), Login(access=Secret(""), refresh=Secret("r"), expires_at=None))
