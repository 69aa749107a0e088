"""Calls in the client's own terms."""

from __future__ import annotations

from attrs import evolve
from hypothesis import given

from shunt.inference.content import Text, ToolCall
from shunt.inference.custom_tools import as_functions
from shunt.inference.events import ArgumentsDelta, Event, PartFinished, PartStarted
from shunt.inference.names import OPENAI_LONGEST, fitted
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer, Stop
from shunt.inference.restoration import Restoration
from tests.inference import grammar

REQUEST = GenerateRequest(
    "m", tools=(Tool("apply_patch", custom=True), Tool("read", namespace="fs"), Tool("a.b"), Tool("write"))
)


def called(*wrapped: ToolCall) -> Answer:
    return Answer("id", "m", wrapped, Stop.TOOL_USE)


def test_undoes_what_was_done_for_the_upstream() -> None:
    """Shortened names, joined namespaces and custom tools come back as the client knows them."""
    sent = fitted(as_functions(REQUEST), OPENAI_LONGEST)
    names = [tool.name for tool in sent.tools]
    answer = called(
        ToolCall("1", names[0], '{"input":"+a"}'),
        ToolCall("2", names[1]),
        ToolCall("3", names[2]),
        ToolCall("4", "new"),
    )
    assert Restoration(REQUEST).answer(answer).parts == (
        ToolCall("1", "apply_patch", "+a", custom=True),
        ToolCall("2", "read", namespace="fs"),
        ToolCall("3", "a.b"),
        ToolCall("4", "new"),
    )


def test_a_custom_call_stays_one() -> None:
    """A vendor that has custom tools and namespaces answers in the client's terms already."""
    parts = (
        ToolCall("1", "apply_patch", '{"input":"x"}', custom=True),
        ToolCall("2", "read", namespace="fs"),
    )
    assert Restoration(REQUEST).answer(called(*parts)).parts == parts


def test_a_custom_tools_text_comes_at_its_end() -> None:
    """The pieces of its JSON are held back; everything else passes live."""
    restoration = Restoration(REQUEST)
    events: list[Event] = [
        PartStarted(0, ToolCall("1", "apply_patch", "")),
        ArgumentsDelta(0, '{"inp'),
        ArgumentsDelta(0, 'ut":"+a"}'),
        PartFinished(0, ToolCall("1", "apply_patch", '{"input":"+a"}')),
        PartStarted(1, ToolCall("2", "write", "")),
        ArgumentsDelta(1, "{}"),
    ]
    assert [one for event in events for one in restoration.events(event)] == [
        PartStarted(0, ToolCall("1", "apply_patch", "", custom=True)),
        ArgumentsDelta(0, "+a"),
        PartFinished(0, ToolCall("1", "apply_patch", "+a", custom=True)),
        PartStarted(1, ToolCall("2", "write", "")),
        ArgumentsDelta(1, "{}"),
    ]


@given(grammar.streams(broken=True))
def test_stays_legal(events: list[Event]) -> None:
    """Restored events are as legal as they came, and other parts are untouched."""
    request = evolve(REQUEST, tools=(*REQUEST.tools, Tool("read", custom=True)))
    restoration = Restoration(request)
    restored = [one for event in events for one in restoration.events(event)]
    grammar.check(restored)
    assert [e for e in restored if isinstance(e, PartFinished) and isinstance(e.part, Text)] == [
        e for e in events if isinstance(e, PartFinished) and isinstance(e.part, Text)
    ]


@given(grammar.answers(broken=True))
def test_streams_and_answers_agree(answer: Answer) -> None:
    """An answer streamed is restored to the same parts as the answer whole."""
    restoration = Restoration(REQUEST)
    restored = [one for event in replay(answer) for one in restoration.events(event)]
    parts = tuple(event.part for event in restored if isinstance(event, PartFinished))
    assert parts == Restoration(REQUEST).answer(answer).parts
