"""One part after the other."""

from __future__ import annotations

from hypothesis import given

from shunt.inference.collect import collect
from shunt.inference.content import Text, ToolCall
from shunt.inference.events import ArgumentsDelta, Event, PartFinished, PartStarted, TextDelta
from shunt.inference.sequence import Sequence
from tests.inference import grammar


def test_the_first_streams_and_the_others_wait() -> None:
    """Of two calls whose arguments alternate, the first is live and the second follows whole."""
    sequence = Sequence()
    first, second = ToolCall("a", "f", ""), ToolCall("b", "g", "")
    steps: list[tuple[Event, int]] = [
        (PartStarted(0, first), 1),
        (PartStarted(1, second), 0),
        (ArgumentsDelta(1, "{"), 0),
        (ArgumentsDelta(0, "{}"), 1),
        (PartStarted(2, Text("")), 0),
        (TextDelta(2, "t"), 0),
        (ArgumentsDelta(1, "}"), 0),
        (PartFinished(1, ToolCall("b", "g")), 0),
        (PartFinished(0, ToolCall("a", "f")), 7),
        (TextDelta(2, "u"), 1),
        (PartFinished(2, Text("tu")), 1),
    ]
    assert [len(sequence.events(event)) for event, _ in steps] == [count for _, count in steps]


@given(grammar.streams(broken=True))
def test_nothing_overlaps_and_nothing_is_lost(events: list[Event]) -> None:
    """Any legal stream stays legal, has one part open at most, and means the same."""
    sequence = Sequence()
    told = [one for event in events for one in sequence.events(event)]
    grammar.check(told)
    open_parts = 0
    for event in told:
        open_parts += isinstance(event, PartStarted) - isinstance(event, PartFinished)
        assert open_parts in (0, 1)
    assert collect(told) == collect(events)
