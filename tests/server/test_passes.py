"""Passes for single commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from shunt.server.passes import MOST, Pass, Passes


def passes() -> Passes:
    numbers: Iterator[int] = count(1)
    return Passes(lambda size: next(numbers).to_bytes(size, "big"))


def test_a_pass_opens_until_it_is_ended() -> None:
    """Any header may hold it, and only the whole key counts."""
    made = passes()
    key = made.make("claude", "work").reveal()
    found = made.find((b"other", key.encode()))
    assert found is not None
    assert found[1] == Pass("claude", "work")
    assert made.find((key[:-1].encode(),)) is None
    assert made.find(()) is None
    assert made.end(key)
    assert not made.end(key)
    assert made.find((key.encode(),)) is None


def test_not_more_than_so_many() -> None:
    """Commands that died without a word leave nothing that grows."""
    made = passes()
    keys = [made.make(f"{n}" * 100).reveal() for n in range(MOST + 1)]
    assert made.find((keys[0].encode(),)) is None
    found = made.find((keys[-1].encode(),))
    assert found is not None
    assert len(found[1].purpose) == 64
