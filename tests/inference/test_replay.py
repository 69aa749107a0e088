"""Answers as events."""

from __future__ import annotations

from hypothesis import given

from shunt.inference.collect import collect
from shunt.inference.replay import replay
from shunt.inference.response import Answer
from tests.inference import grammar


@given(grammar.answers(broken=True))
def test_says_the_whole_answer(answer: Answer) -> None:
    """The events are legal, and the answer gathered from them is the answer."""
    events = replay(answer)
    grammar.check(events)
    assert collect(events) == answer
