"""Credentials: whose they are, and that they do not show."""

from __future__ import annotations

import pytest

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret


@pytest.mark.parametrize(
    ("mine", "theirs", "different"),
    [
        (Identity("u1"), Identity("u1"), False),
        (Identity("u1"), Identity("u2"), True),
        (Identity("u1", "o1"), Identity("u1", "o2"), True),  # one person, two organisations
        (Identity("u1", "o1"), Identity("u1"), False),  # one side does not know
        (Identity(), Identity("u1"), False),
        (Identity("u1", email="a@example.test"), Identity("u1", email="b@example.test"), False),
        (Identity("u1", email="a@example.test"), Identity("u2", email="a@example.test"), True),
    ],
)
def test_identity_is_the_vendors_ids(mine: Identity, theirs: Identity, different: bool) -> None:
    """Only ids that both name can tell accounts apart; e-mail never does."""
    assert mine.contradicts(theirs) is different
    assert theirs.contradicts(mine) is different


def test_credentials_do_not_show_their_secrets() -> None:
    """No token or key is in a repr."""
    secret = Secret("sk-test-hidden")
    for credential in (ApiKey(secret), Login(secret, secret, None, id_token=secret)):
        assert "hidden" not in repr(credential)
