"""Events as an answer."""

from __future__ import annotations

from hypothesis import given

from shunt.errors import Kind
from shunt.inference.assembly import BROKEN_OFF
from shunt.inference.collect import Collector, collect
from shunt.inference.content import Text, ToolCall
from shunt.inference.events import Event, Failed, Finished, PartFinished, PartStarted, Ping, Started, Stopped
from shunt.inference.failure import Failure
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from tests.inference import grammar

EVENTS: list[Event] = [
    Ping(),
    Started("id", "m", Usage(input=9), 7),
    PartStarted(0, ToolCall("c", "f", "")),
    PartStarted(1, Text("")),
    PartFinished(1, Text("hi")),
    PartFinished(0, ToolCall("c", "f")),
    Stopped(Stop.TOOL_USE, Usage(output=3), tier="priority"),
    Finished(),
]


def test_gathers_parts_in_their_order() -> None:
    """Parts stand where they began, whenever they ended; the last usage counts."""
    assert collect(EVENTS) == Answer(
        "id",
        "m",
        (ToolCall("c", "f"), Text("hi")),
        Stop.TOOL_USE,
        Usage(output=3),
        created=7,
        tier="priority",
    )


def test_half_an_answer_is_a_failure() -> None:
    """Without its end, an answer is told as broken off; a failure as itself."""
    failure = Failure(Kind.OVERLOADED, "Busy.")
    assert collect(EVENTS[:-1]) == BROKEN_OFF
    assert collect([*EVENTS[:-1], Failed(failure)]) == failure
    assert Collector().result() == BROKEN_OFF


@given(grammar.streams(broken=True))
def test_every_stream_comes_to_a_result(events: list[Event]) -> None:
    """A stream that finished is an answer with all its parts, one that failed is its failure."""
    result = collect(events)
    last = events[-1]
    if isinstance(last, Failed):
        assert result == last.failure
    else:
        assert isinstance(result, Answer)
        assert len(result.parts) == sum(isinstance(event, PartFinished) for event in events)
