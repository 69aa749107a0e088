"""Events put together by an Assembly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.assembly import BROKEN_OFF, Assembly, settled_stop
from shunt.inference.content import Citation, HostedCall, Refusal, Seal, SealForm, Text, Thinking, ToolCall
from shunt.inference.events import (
    ArgumentsDelta,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Started,
    Stopped,
    TextDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.response import Stop
from shunt.inference.usage import Usage
from tests.inference import grammar

SEAL = Seal("openai", SealForm.ENCRYPTED, "abc")
STEPS: list[tuple[str, Any]] = [
    ("begin", ("id", "model")),
    ("open", (Text(""),)),
    ("open", (Text("held", (Citation("https://example.org"),)),)),
    ("open", (Thinking("held", SEAL, summary=True),)),
    ("open", (Refusal("no"),)),
    ("open", (ToolCall("call", "f", ""),)),
    ("open", (ToolCall("call", "p", "text", custom=True),)),
    ("open", (HostedCall("ws", "web_search"),)),
    ("add", (ToolCall("call", "f", '{"x":1}'),)),
    ("ping", ()),
    ("stop", (Stop.END_TURN, Usage())),
    ("finish", ()),
    ("fail", (Failure(Kind.UPSTREAM, "It broke."),)),
]
GROWTH: list[tuple[str, Any]] = [
    ("grow", "piece"),
    ("grow", ""),
    ("seal", SEAL),
    ("cite", Citation("https://example.org")),
]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(STEPS[:-4]),
            st.tuples(st.sampled_from(GROWTH), st.integers(-1, 5)),
            st.sampled_from(STEPS),
            st.tuples(st.just("close"), st.integers(-1, 5)),
        ),
        max_size=25,
    )
)
def test_is_always_legal(steps: list[Any]) -> None:
    """Whatever a decoder says, in any order, the events are legal."""
    assembly = Assembly()
    for name, what in steps:
        if isinstance(name, tuple):
            getattr(assembly, name[0])(what, name[1])
        else:
            getattr(assembly, name)(*(what if isinstance(what, tuple) else (what,)))
    assembly.finish()
    assert assembly.over
    grammar.check(assembly.take())


def test_what_a_part_holds_comes_as_deltas() -> None:
    """A part given whole is told like one that grew."""
    assembly = Assembly()
    assembly.begin("id", "model")
    assembly.add(ToolCall("c", "f", '{"x":1}'))
    assert assembly.take() == [
        Started("id", "model"),
        PartStarted(0, ToolCall("c", "f", "")),
        ArgumentsDelta(0, '{"x":1}'),
        PartFinished(0, ToolCall("c", "f", '{"x":1}')),
    ]


def test_empty_arguments_become_an_object() -> None:
    """A call whose arguments never came has `{}`, as a delta too; a custom tool's may stay empty."""
    assembly = Assembly()
    assembly.add(ToolCall("c", "f", ""))
    assembly.add(ToolCall("d", "p", "", custom=True))
    assert assembly.take()[2:] == [
        ArgumentsDelta(0, "{}"),
        PartFinished(0, ToolCall("c", "f", "{}")),
        PartStarted(1, ToolCall("d", "p", "", custom=True)),
        PartFinished(1, ToolCall("d", "p", "", custom=True)),
    ]


def test_pieces_of_a_seal_add_up() -> None:
    """A signature that comes in pieces is whole at the end of its part."""
    assembly = Assembly()
    index = assembly.open(Thinking())
    assembly.seal(index, SEAL)
    assembly.seal(index, SEAL)
    assembly.close(index)
    assert assembly.take()[-1] == PartFinished(0, Thinking(seal=Seal("openai", SealForm.ENCRYPTED, "abcabc")))


def test_a_hosted_call_is_replaced_by_its_end() -> None:
    """What the vendor's tool was asked is known when the call is closed."""
    assembly = Assembly()
    index = assembly.open(HostedCall("ws", "web_search"))
    done = HostedCall("ws", "web_search", '{"query":"cats"}', "completed")
    assembly.close(index, done)
    assert assembly.take()[-1] == PartFinished(0, done)


def test_stop_closes_what_is_open() -> None:
    """Parts that were cut off are finished before the stop, and what comes later is dropped."""
    assembly = Assembly()
    index = assembly.open(Text(""))
    assembly.grow(index, "par")
    assert assembly.held(index) == "par"
    assembly.stop(Stop.MAX_TOKENS, Usage(output=3))
    assembly.grow(index, "tial")
    assert assembly.open(Text("late")) == -1
    assembly.finish()
    assert assembly.take()[2:] == [
        TextDelta(0, "par"),
        PartFinished(0, Text("par")),
        Stopped(Stop.MAX_TOKENS, Usage(output=3)),
        Finished(),
    ]


def test_an_end_without_a_stop_is_a_failure() -> None:
    """A stream that just ends is never taken for a success."""
    assembly = Assembly()
    assembly.begin()
    assert assembly.begun
    assembly.finish()
    assert assembly.take() == [Started("", ""), Failed(BROKEN_OFF)]


@pytest.mark.parametrize(
    ("said", "calls", "refused", "meant"),
    [
        (Stop.END_TURN, False, False, Stop.END_TURN),
        (Stop.END_TURN, True, False, Stop.TOOL_USE),
        (Stop.TOOL_USE, False, False, Stop.END_TURN),
        (Stop.END_TURN, False, True, Stop.REFUSAL),
        (Stop.TOOL_USE, True, True, Stop.TOOL_USE),
        (Stop.MAX_TOKENS, True, False, Stop.MAX_TOKENS),
        (Stop.REFUSAL, True, False, Stop.REFUSAL),
        (Stop.PAUSE, False, False, Stop.PAUSE),
    ],
)
def test_the_stop_fits_the_parts(said: Stop, calls: bool, refused: bool, meant: Stop) -> None:
    """Calls make it a tool use, a refusal a refusal; a cut stays a cut."""
    assert settled_stop(said, calls=calls, refused=refused) is meant


def test_no_two_calls_have_one_id() -> None:
    """Vendors use an id twice; clients would take two calls for one, so the later one is counted on."""
    assembly = Assembly()
    for _ in range(2):
        assembly.add(ToolCall("t", "f", "{}"))
    ids = [
        event.part.id
        for event in assembly.take()
        if isinstance(event, PartFinished) and isinstance(event.part, ToolCall)
    ]
    assert ids == ["t", "t_2"]
