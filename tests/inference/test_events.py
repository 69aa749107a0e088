"""The grammar of events, as the tests' own checker and strategy see it."""

from __future__ import annotations

import pytest
from hypothesis import given

from shunt.inference.content import Text, ToolCall
from shunt.inference.events import (
    Event,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    Started,
    Stopped,
    TextDelta,
)
from shunt.inference.response import Stop
from shunt.inference.usage import Usage
from tests.inference import grammar

START = Started("", "")
STOP = Stopped(Stop.END_TURN, Usage())


@given(grammar.streams(broken=True))
def test_the_strategy_is_legal(events: list[Event]) -> None:
    """What encoders are tested with is what the grammar allows."""
    grammar.check(events)


@pytest.mark.parametrize(
    "events",
    [
        [],
        [START],
        [START, START],
        [TextDelta(0, "x")],
        [START, Finished()],
        [START, PartStarted(1, Text(""))],
        [START, PartStarted(0, Text("x"))],
        [START, PartStarted(0, Text("")), STOP],
        [START, PartStarted(0, Text("")), TextDelta(0, "x"), PartFinished(0, Text("y"))],
        [START, PartStarted(0, ToolCall("c", "f", "")), TextDelta(0, "x")],
        [START, PartStarted(0, ToolCall("c", "f", "")), PartFinished(0, ToolCall("c", "f", ""))],
        [START, STOP, PartStarted(0, Text(""))],
        [START, STOP, Finished(), Ping()],
    ],
)
def test_the_checker_is_strict(events: list[Event]) -> None:
    """What the grammar forbids does not pass."""
    with pytest.raises(AssertionError):
        grammar.check(events)
