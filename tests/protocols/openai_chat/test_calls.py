"""Fragments of calls, put to the calls they belong to: alone, and in the streams of many servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import Kind
from shunt.inference.assembly import Assembly
from shunt.inference.collect import collect
from shunt.inference.content import Text, ToolCall
from shunt.inference.events import ArgumentsDelta, PartFinished
from shunt.inference.failure import Failure
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat.calls import Calls
from shunt.protocols.openai_chat.stream_decoder import ChatStreamDecoder
from tests.protocols.openai_chat.chunks import DONE, ROLE, call, calls, chunk, events_of

F, G = ToolCall("call_a", "f", '{"x":1}'), ToolCall("call_b", "g", '{"x":2}')
CALLED, END = (chunk({}, "tool_calls"), DONE), (chunk({}, "stop"), DONE)


def answer(*chunks: Any) -> Answer:
    """What a stream says that must be whole."""
    found = collect(events_of(*chunks))
    assert isinstance(found, Answer), found
    return found


def words(*chunks: Any) -> tuple[Any, ...]:
    return answer(*chunks).parts


def whole(*entries: Any) -> tuple[list[Any], bool, int]:
    """The calls that come of these entries, whether all are named, and how often others had to make way."""
    assembly = Assembly()
    prepared: list[None] = []
    reader = Calls(assembly, lambda call_id, extra: prepared.append(None))
    reader.seed = "chatcmpl-1|17"
    for entry in entries:
        reader.take(entry)
    named = reader.finish()
    assembly.stop(Stop.END_TURN, Usage())
    found = [(event.index, event.part) for event in assembly.take() if isinstance(event, PartFinished)]
    return [part for _, part in sorted(found, key=lambda one: one[0])], named, len(prepared)


def test_others_make_way() -> None:
    """Before each call, and only then, others are asked to end."""
    found, _, prepared = whole({"index": 0, "id": "a", "function": {"name": "f"}}, {"index": 1, "id": "b"})
    assert (len(found), prepared) == (1, 1)


def test_nameless() -> None:
    """Arguments without a name are noticed; an entry that says nothing is not missed."""
    assert whole({"index": 0, "function": {"arguments": "{}x"}})[1] is False
    assert whole({"index": 0, "function": {}})[1] is True


def test_whole() -> None:
    """A call is cut while its arguments are no whole object."""
    reader = Calls(Assembly(), lambda call_id, extra: None)
    reader.take({"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":'}})
    assert not reader.whole
    reader.take({"index": 0, "function": {"arguments": "1}"}})
    assert reader.whole


ARGUMENTS = ['{"a":1}', '{"b":[1,2,{"c":null}]}', "{}", '{"text":"}{"}']


@given(st.lists(st.sampled_from(ARGUMENTS), min_size=1, max_size=3), st.data())
def test_any_interleaving(wanted: list[str], data: st.DataObject) -> None:
    """However the fragments of numbered calls alternate, each call gets its own."""
    waiting: list[list[dict[str, Any]]] = []
    for n, text in enumerate(wanted):
        cut = data.draw(st.integers(0, len(text)))
        opening = {"index": n, "id": f"call_{n}", "function": {"name": "f", "arguments": ""}}
        pieces = [{"index": n, "function": {"arguments": piece}} for piece in (text[:cut], text[cut:])]
        waiting.append([opening, *pieces])
    entries = []
    started = 0
    while any(waiting):
        # Calls open in the order of their numbers.
        ready = [n for n in range(min(started + 1, len(waiting))) if waiting[n]]
        n = data.draw(st.sampled_from(ready))
        started = max(started, n + 1)
        entries.append(waiting[n].pop(0))
    found, named, _ = whole(*entries)
    assert named
    assert found == [ToolCall(f"call_{n}", "f", text) for n, text in enumerate(wanted)]


# ── In streams ────────────────────────────────────────────────────────────────────────────────────


def spread(first: Any, second: Any, *more: Any) -> tuple[Any, ...]:
    return (chunk(ROLE), chunk(calls(first)), chunk(calls(second)), *(chunk(calls(m)) for m in more), *CALLED)


CALL_STREAMS: dict[str, tuple[tuple[Any, ...], tuple[ToolCall, ...]]] = {
    "as OpenAI writes them": (
        spread(call(0, "call_a", "f", ""), call(0, arguments='{"x":1}'), call(1, "call_b", "g", '{"x":2}')),
        (F, G),
    ),
    "two in one chunk": (
        (chunk(calls(call(0, "call_a", "f", '{"x":1}'), call(1, "call_b", "g", '{"x":2}'))), *CALLED),
        (F, G),
    ),
    "alternating": (
        spread(
            *(call(0, "call_a", "f", ""), call(1, "call_b", "g", "")),
            *(
                call(0, arguments='{"x"'),
                call(1, arguments='{"x"'),
                call(0, arguments=":1}"),
                call(1, arguments=":2}"),
            ),
        ),
        (F, G),
    ),
    "id and name repeated": (
        spread(*(call(0, "call_a", "f", piece) for piece in ('{"x"', ":1", "}"))),
        (F,),
    ),
    "no index": (
        spread(
            call(None, "call_a", "f", '{"x"'),
            call(None, arguments=":1}"),
            call(None, "call_b", "g", '{"x":2}'),
        ),
        (F, G),
    ),
    "null index": (
        spread(
            {**call(0, "call_a", "f", '{"x"'), "index": None}, {**call(0, arguments=":1}"), "index": None}
        ),
        (F,),
    ),
    "all numbered 0": (
        spread(call(0, "call_a", "f", '{"x":1}'), call(0, "call_b", "g", '{"x":2}')),
        (F, G),
    ),
    "another id with each piece": (
        spread(call(0, "call_a", "f", '{"x"'), call(0, "call_z", arguments=":1}")),
        (F,),
    ),
    "name comes late": (
        spread(
            {"index": 0, "id": "call_a", "function": {"name": "", "arguments": ""}},
            {"index": 0, "function": {"name": None, "arguments": ""}},
            call(0, name="f"),
            call(0, arguments='{"x":1}'),
        ),
        (F,),
    ),
    "arguments before the name": (
        spread(call(0, "call_a", arguments='{"x"'), call(0, name="f", arguments=":1}")),
        (F,),
    ),
    "later nulls": (
        spread(
            call(0, "call_a", "f", ""),
            {"index": 0, "id": None, "function": {"name": None, "arguments": '{"x":1}'}},
            {"index": 0, "id": "", "function": {"name": "", "arguments": ""}},
        ),
        (F,),
    ),
    "arguments as an object": (spread(call(0, "call_a", "f", {"x": 1}), {}), (F,)),
    "an empty object first": (spread(call(0, "call_a", "f", {}), call(0, arguments='{"x":1}')), (F,)),
    "braces first": (spread(call(0, "call_a", "f", "{}"), call(0, arguments='{"x":1}')), (F,)),
    "everything again at the end": (
        spread(call(0, "call_a", "f", '{"x"'), call(0, arguments=":1}"), call(0, arguments='{"x":1}')),
        (F,),
    ),
    "no arguments": (spread(call(0, "call_a", "f", ""), {}), (ToolCall("call_a", "f", "{}"),)),
    "braces only": (spread(call(0, "call_a", "f", "{}"), {}), (ToolCall("call_a", "f", "{}"),)),
    "broken arguments": (
        spread(call(0, "call_a", "f", '{"x": nope'), {}),
        (ToolCall("call_a", "f", '{"x": nope'),),
    ),
    "entries that are none": (spread("junk", call(0, "call_a", "f", '{"x":1}')), (F,)),
    "custom": (
        spread(
            {"index": 0, "id": "call_a", "type": "custom", "custom": {"name": "p", "input": "*** "}},
            {"index": 0, "custom": {"input": "Begin"}},
        ),
        (ToolCall("call_a", "p", "*** Begin", custom=True),),
    ),
}


@pytest.mark.parametrize("name", CALL_STREAMS)
def test_calls(name: str) -> None:
    """However a server cuts its calls, each gets its own id, name and arguments."""
    chunks, wanted = CALL_STREAMS[name]
    got = answer(*chunks)
    assert got.parts == wanted
    assert got.stop is Stop.TOOL_USE


def test_ids_are_made_up() -> None:
    """Calls without ids get some that are unique, and the same in every reading."""
    stream = spread(call(0, name="f", arguments='{"x":1}'), call(1, name="f", arguments='{"x":1}'))
    first, again = words(*stream), words(*stream)
    assert first == again
    assert len({part.id for part in first}) == 2
    assert all(part.id.startswith("call_") for part in first)


def test_calls_without_index_and_id() -> None:
    """Whole calls in a row, named and nothing else, are told apart."""
    got = words(*spread(call(None, name="f", arguments='{"x":1}'), call(None, name="f", arguments='{"x":2}')))
    assert [part.arguments for part in got] == ['{"x":1}', '{"x":2}']


def test_equal_ids() -> None:
    """Two calls never share an id."""
    got = words(*spread(call(0, "same", "f", '{"x":1}'), call(1, "same", "g", '{"x":2}')))
    assert len({part.id for part in got}) == 2


def test_arguments_are_live() -> None:
    """Each piece of the arguments is told when it comes."""
    decoder = ChatStreamDecoder()
    decoder.feed("", json.dumps(chunk(calls(call(0, "call_a", "f", '{"x":"')))).encode())
    events = decoder.feed("", json.dumps(chunk(calls(call(0, arguments="AAA")))).encode())
    assert events == [ArgumentsDelta(0, "AAA")]


def test_text_between_calls() -> None:
    """Text between two calls is a part of its own, in its place."""
    got = words(
        chunk({"content": "pre"}),
        chunk(calls(call(0, "call_a", "f", '{"x":1}'))),
        chunk({"content": "mid"}),
        chunk(calls(call(1, "call_b", "g", '{"x":2}'))),
        *CALLED,
    )
    assert got == (Text("pre"), F, Text("mid"), G)


def test_whole_calls_are_closed() -> None:
    """A call whose arguments are whole ends where the next begins, so that the next can stream."""
    kinds = [
        (type(e).__name__, e.index)
        for e in events_of(*CALL_STREAMS["two in one chunk"][0])
        if hasattr(e, "index") and not isinstance(e, ArgumentsDelta)
    ]
    assert kinds == [("PartStarted", 0), ("PartFinished", 0), ("PartStarted", 1), ("PartFinished", 1)]


def test_legacy_function_call() -> None:
    """The older field is a call without id."""
    got = answer(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": '{"x":1}'}}),
        chunk({}, "function_call"),
        DONE,
    )
    assert [(part.name, part.arguments) for part in got.parts if isinstance(part, ToolCall)] == [
        ("f", '{"x":1}')
    ]
    assert got.stop is Stop.TOOL_USE


def test_stop_after_calls() -> None:
    """Servers that say "stop" after calls mean calls."""
    assert answer(chunk(calls(call(0, "call_a", "f", "{}"))), *END).stop is Stop.TOOL_USE


def test_cut_call() -> None:
    """A call that the limit cut is cut, not asked for."""
    got = answer(chunk(calls(call(0, "call_a", "f", '{"x":"lo'))), chunk({}, "length"), DONE)
    assert (got.stop, got.parts) == (Stop.MAX_TOKENS, (ToolCall("call_a", "f", '{"x":"lo'),))


def test_nameless_call() -> None:
    """Arguments for no tool are a broken answer, not an empty one."""
    found = collect(events_of(chunk(calls(call(0, "call_a", arguments='{"x":1}'))), *CALLED))
    assert isinstance(found, Failure)
    assert found.kind is Kind.UPSTREAM


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            [call(0, "t", "f", '{"x":1}'), call(0, "t", "g", '{"x":2}')],
            [ToolCall("t", "f", '{"x":1}'), ToolCall("t_2", "g", '{"x":2}')],
        ),
        (
            [call(0, "t", "f", '{"x":1}'), call(0, "t", "f", '{"x":2}')],
            [ToolCall("t", "f", '{"x":1}'), ToolCall("t_2", "f", '{"x":2}')],
        ),
        (
            [call(0, "t", "f", '{"x":1}'), call(0, "", "g", '{"x":2}')],
            [ToolCall("t", "f", '{"x":1}'), ToolCall("*", "g", '{"x":2}')],
        ),
        (
            [call(0, "", "f", "{}"), call(0, "", "g", '{"x":2}')],
            [ToolCall("*", "f", "{}"), ToolCall("*", "g", '{"x":2}')],
        ),
        (
            [call(0, "t", "f", '{"x":1}'), call(0, "t", "f", "")],
            [ToolCall("t", "f", '{"x":1}')],
        ),
        (
            [call(0, "t", "f", '{"x":1}'), call(1, "u", "g", '{"x":2}'), call(0, "t", "f", '{"x":1}')],
            [ToolCall("t", "f", '{"x":1}'), ToolCall("u", "g", '{"x":2}')],
        ),
        (
            [call(None, "t", "f", '{"x":1}'), call(None, "t", "g", '{"x":2}')],
            [ToolCall("t", "f", '{"x":1}'), ToolCall("t_2", "g", '{"x":2}')],
        ),
    ],
)
def test_a_name_after_whole_arguments_begins_another_call(
    entries: list[Any], expected: list[ToolCall]
) -> None:
    """Whatever number or id it has; what merely says again what is known does not."""
    found, named, _ = whole(*entries)
    assert named
    assert [(one.name, one.arguments) for one in found] == [(one.name, one.arguments) for one in expected]
    assert all(one.id == wanted.id for one, wanted in zip(found, expected, strict=True) if wanted.id != "*")
    assert len({one.id for one in found}) == len(found)


def test_free_text_may_say_the_same_twice() -> None:
    """A piece of a custom tool's input that repeats all before it is no repetition of the whole."""
    pieces = (
        {"index": 0, "id": "a", "custom": {"name": "f", "input": "abc"}},
        {"index": 0, "custom": {"input": "abc"}},
    )
    assert whole(*pieces)[0] == [ToolCall("a", "f", "abcabc", custom=True)]


@pytest.mark.parametrize("index", [0, None])
def test_a_name_with_every_piece_costs_no_square(index: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has come of a call's arguments is joined when they may be whole, and not for each of them."""
    joined: list[int] = []
    held = Assembly.held

    def counted(self: Assembly, part: int) -> str:
        found = held(self, part)
        joined.append(len(found))
        return found

    monkeypatch.setattr(Assembly, "held", counted)
    text = json.dumps({"text": "x" * 2_000})
    pieces = [{"index": index, "function": {"name": "f", "arguments": piece}} for piece in text]
    found, named, _ = whole(*pieces)
    assert named
    assert [part.arguments for part in found] == [text]
    assert sum(joined) < 10 * len(text)
