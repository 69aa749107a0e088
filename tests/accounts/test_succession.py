"""Which login takes the place of another."""

from __future__ import annotations

import pytest
from attrs import evolve

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.accounts.succession import (
    REMEMBERED,
    completed,
    inherit,
    is_spent,
    same_secrets,
    succeeding,
    supersedes,
)

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


def test_a_shared_login_remembers_what_it_was_exchanged_for() -> None:
    """The other program's file may still hold a spent token: it is known as such, and never taken for newer."""
    login = HELD
    for number in range(2, REMEMBERED + 5):
        successor = evolve(login, access=Secret(f"a{number}"), refresh=Secret(f"r{number}"))
        login = succeeding(successor, login)
    assert len(login.spent) == REMEMBERED
    before = evolve(FOUND, refresh=Secret(f"r{REMEMBERED + 3}"), expires_at=9000.0)
    assert is_spent(before, login)
    assert not supersedes(before, login)
    assert inherit(FOUND, login).spent == login.spent


def test_a_login_of_its_own_remembers_nothing() -> None:
    """Nobody else has a file in which its old tokens could lie; and a token that was kept is not spent."""
    own = evolve(HELD, imported_from="")
    assert succeeding(evolve(FOUND, imported_from=""), own).spent == ()
    assert succeeding(evolve(HELD, access=Secret("a2")), HELD).spent == ()
