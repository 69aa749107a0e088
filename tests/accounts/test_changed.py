"""Changed copies are what attrs would make."""

from __future__ import annotations

import pytest
from attrs import evolve, exceptions
from hypothesis import given
from hypothesis import strategies as some

from shunt.accounts.changed import changed
from shunt.accounts.state import AccountState, PoolState


@given(some.integers(0, 99), some.booleans(), some.text())
def test_as_attrs_would(number: int, paused: bool, email: str) -> None:
    """Equal, of the same class, still frozen; and the original is as it was."""
    before = AccountState("a", in_flight=3)
    after = changed(before, in_flight=number, paused=paused, email=email)
    assert after == evolve(before, in_flight=number, paused=paused, email=email)
    assert type(after) is AccountState
    assert before == AccountState("a", in_flight=3)
    with pytest.raises(exceptions.FrozenInstanceError):
        after.paused = True  # type: ignore[misc]


def test_nothing_is_left_out() -> None:
    """Also of the state as a whole."""
    before = PoolState(pinned="a", model="m", accounts={"a": AccountState("a")})
    after = changed(before, pinned=None)
    assert (after.pinned, after.model) == (None, "m")
    assert after.accounts is before.accounts


def test_a_field_that_there_is_not_is_an_error() -> None:
    """A slip of the pen is found by whatever test comes by."""
    with pytest.raises(TypeError, match="no such field"):
        changed(AccountState("a"), inflight=3)
