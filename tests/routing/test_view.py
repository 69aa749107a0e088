"""What routing answers with."""

from __future__ import annotations

import pytest

from shunt.routing.view import Candidate, Candidates, Refusal

A, B = Candidate("a"), Candidate("b", Refusal.TRIED)


def test_reasons_are_worked_out_once_and_only_when_asked_for() -> None:
    """A decision nobody asks about costs no explanation."""
    built = []

    def build() -> list[Candidate]:
        built.append(1)
        return [A, B]

    candidates = Candidates(build)
    assert not built
    assert list(candidates) == [A, B]
    assert len(candidates) == 2
    assert len(built) == 1


def test_reasons_are_like_a_tuple() -> None:
    """They are compared, hashed, sliced and shown as if they had been there all along."""
    candidates = Candidates(lambda: (A, B))
    assert candidates == (A, B) == candidates
    assert candidates == Candidates(lambda: (A, B))
    assert candidates != (A,)
    assert candidates != "ab"
    assert (candidates[0], candidates[1:]) == (A, (B,))
    assert hash(candidates) == hash((A, B))
    assert repr(candidates) == repr((A, B))
    with pytest.raises(IndexError):
        candidates[2]
