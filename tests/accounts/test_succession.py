"""Which login takes the place of another."""

from __future__ import annotations

import pytest
from attrs import evolve

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.succession import completed, inherit, same_secrets, supersedes

HELD = Login(
    Secret("a1"), Secret("r1"), 1000.0, ("x",), Identity("acc", "org", "me@example.test", "max"), None, "/f"
)
FOUND = Login(Secret("a2"), Secret("r2"), 2000.0, identity=Identity("acc"))


CASES = [
    (FOUND, True),
    (evolve(FOUND, identity=Identity()), True),
    (evolve(FOUND, access=Secret("a1")), False),
    (evolve(FOUND, access=Secret("")), False),
    (evolve(FOUND, identity=Identity("other")), False),
    (evolve(FOUND, identity=Identity("acc", "other")), False),
    (evolve(FOUND, expires_at=1000.0), False),
    (evolve(FOUND, expires_at=0.0), False),
    (evolve(FOUND, expires_at=None), False),
]


@pytest.mark.parametrize(("found", "expected"), CASES)
def test_only_a_later_login_of_the_same_person_supersedes(found: Login, expected: bool) -> None:
    """A zeroed, older, equal or foreign login never takes the place of the one that is held."""
    assert supersedes(found, HELD) is expected


def test_an_heir_keeps_what_only_the_old_one_knew() -> None:
    """Ids that are known stay, new words for people are taken, and the source is remembered."""
    heir = inherit(evolve(FOUND, identity=Identity("acc", email="new@example.test")), HELD)
    assert heir.access == FOUND.access
    assert heir.identity == Identity("acc", "org", "new@example.test", "max")
    assert heir.imported_from == "/f"
    assert completed(Identity(), Identity("a", "o", "e", "p")) == Identity("a", "o", "e", "p")


def test_sameness_is_about_secrets() -> None:
    """Two logins are the same when their tokens are, whatever else is known."""
    assert same_secrets(HELD, evolve(HELD, expires_at=1.0, identity=Identity()))
    assert not same_secrets(HELD, FOUND)
    assert not same_secrets(HELD, None)
    assert same_secrets(None, None)
    assert same_secrets(ApiKey(Secret("k")), ApiKey(Secret("k")))
    assert not same_secrets(ApiKey(Secret("k")), ApiKey(Secret("l")))
