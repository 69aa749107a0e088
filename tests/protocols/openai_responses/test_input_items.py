"""Items of a vendor's answer, whatever of their events was left out."""

from __future__ import annotations

import json

import pytest

from shunt.inference.content import (
    Citation,
    Foreign,
    HostedCall,
    HostedResult,
    Refusal,
    Seal,
    SealForm,
    SearchHit,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.events import TextDelta
from shunt.inference.response import Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_responses.stream_decoder import ResponsesStreamDecoder
from tests.protocols.openai_responses.vendor import (
    COMPLETED,
    CREATED,
    Item,
    added,
    answered,
    arguments,
    call,
    delta,
    done,
    ev,
    failed,
    message,
    reasoning,
    response,
    summed,
)

SEALED = Seal("", SealForm.ENCRYPTED, "gAAAAABo")


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_streams() -> None:
    """With who answered, and what it cost: cached tokens apart from the rest of the input."""
    found = answered(CREATED, added(message()), delta("hel"), delta("lo"), done(message("hello")), COMPLETED)
    assert (found.id, found.model, found.created) == ("resp_up", "gpt-up", 1_700_000_000)
    assert found.parts == (Text("hello"),)
    assert found.usage == Usage(30, 60, 10, 0, 9, 4)


def test_all_parts_of_all_messages_are_kept() -> None:
    """Each a text of its own."""
    first, second = message("one", "two"), message("three", id="msg_2")
    found = answered(
        CREATED,
        added(first),
        delta("one"),
        delta("two", part=1),
        done(first),
        added(second, 1),
        delta("three", 1),
        done(second, 1),
        COMPLETED,
    )
    assert found.parts == (Text("one"), Text("two"), Text("three"))


@pytest.mark.parametrize(
    "events",
    [
        [done(message("hello"))],
        [added(message()), done(message("hello"))],
        [added(message()), delta("hel"), done(message("hello"))],
        [
            added(message()),
            delta("hel"),
            ev("response.output_text.done", output_index=0, content_index=0, text="hello"),
        ],
        [delta("hello")],
        [ev("response.completed", response=response(output=[message("hello")]))],
        [
            added(message()),
            delta("hel"),
            ev("response.completed", response=response(output=[message("hello")])),
        ],
    ],
    ids=[
        "done only",
        "no deltas",
        "few deltas",
        "text done",
        "no item",
        "end only",
        "few deltas and the end",
    ],
)
def test_only_what_is_missing_is_filled_in(events: list[Item]) -> None:
    """From whichever event repeats the whole."""
    assert answered(CREATED, *events, COMPLETED).parts == (Text("hello"),)


def test_a_whole_that_contradicts_its_deltas_changes_nothing() -> None:
    """What was told cannot be taken back."""
    assert answered(CREATED, delta("hello"), done(message("help")), COMPLETED).parts == (Text("hello"),)


def test_words_are_passed_on_at_once() -> None:
    """Not when their item is done."""
    decoder = ResponsesStreamDecoder()
    decoder.feed("", json.dumps(CREATED).encode())
    assert decoder.feed("", json.dumps(delta("hi")).encode())[-1] == TextDelta(0, "hi")


def test_refusals() -> None:
    """The model declines; the answer stops for that."""
    item = message()
    item["content"] = [{"type": "refusal", "refusal": "no"}]
    found = answered(CREATED, added(item), delta("n", stem="refusal"), done(item), COMPLETED)
    assert (found.parts, found.stop) == ((Refusal("no"),), Stop.REFUSAL)


def test_citations() -> None:
    """As they come, or with the item."""
    note = {
        "type": "url_citation",
        "url": "https://e.example",
        "title": "E",
        "start_index": 0,
        "end_index": 2,
    }
    other = {**note, "url": "https://f.example"}
    item = message("hi")
    item["content"][0]["annotations"] = [note, other]
    cite = ev("response.output_text.annotation.added", output_index=0, content_index=0, annotation=note)
    text = answered(CREATED, added(item), delta("hi"), cite, done(item), COMPLETED).parts[0]
    assert isinstance(text, Text)
    assert text.citations == (
        Citation("https://e.example", "E", "", 0, 2, note),
        Citation("https://f.example", "E", "", 0, 2, other),
    )


# ── Reasoning ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "events",
    [
        [
            added(reasoning()),
            summed("a"),
            summed("b", 1),
            done(reasoning("a", "b", encrypted_content="gAAAAABo")),
        ],
        [done(reasoning("a", "b", encrypted_content="gAAAAABo"))],
        [summed("a"), done(reasoning("a", "b", encrypted_content="gAAAAABo"))],
    ],
)
def test_summaries_are_thinking(events: list[Item]) -> None:
    """Their parts apart by a blank line, and the proof with them."""
    assert answered(CREATED, *events, COMPLETED).parts == (Thinking("a\n\nb", SEALED, summary=True),)


def test_open_reasoning_is_thinking_too() -> None:
    """Servers that send both say it twice."""
    words = [{"type": "reasoning_text", "text": "raw"}]
    raw = ev("response.reasoning_text.delta", output_index=0, content_index=0, delta="raw")
    found = answered(
        CREATED, added(reasoning()), raw, summed("short"), done(reasoning("short", content=words)), COMPLETED
    )
    assert found.parts == (Thinking("raw"),)


def test_reasoning_that_shows_nothing() -> None:
    """Its proof is kept; without one there is nothing."""
    assert answered(CREATED, done(reasoning(encrypted_content="gAAAAABo")), COMPLETED).parts == (
        Thinking("", SEALED),
    )
    assert answered(CREATED, added(reasoning()), done(reasoning()), COMPLETED).parts == ()


# ── Calls ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "events",
    [
        [added(call()), arguments('{"x"'), arguments(":1}"), done(call())],
        [
            added(call()),
            arguments('{"x"'),
            ev("response.function_call_arguments.done", output_index=0, arguments='{"x":1}'),
        ],
        [added(call()), arguments('{"x"'), done(call())],
        [arguments('{"x"'), done(call())],
        [done(call(arguments={"x": 1}))],  # type: ignore[arg-type]  # as some servers write it
        [added(call())],
    ],
    ids=["whole", "arguments done", "few deltas", "not added", "object", "end only"],
)
def test_calls(events: list[Item]) -> None:
    """Whatever of them was left out; the ChatGPT backend ends with an empty list."""
    end = ev("response.completed", response=response(output=[call()] if len(events) == 1 else []))
    found = answered(CREATED, *events, end)
    assert (found.parts, found.stop) == ((ToolCall("call_a", "f", '{"x":1}'),), Stop.TOOL_USE)


def test_calls_may_overlap() -> None:
    """Their arguments go to the item that they name."""
    a, b = call("call_a", '{"a":1}'), call("call_b", '{"b":2}')
    found = answered(
        CREATED,
        added(a),
        added(b, 1),
        arguments('{"a"'),
        arguments('{"b"', 1),
        arguments(":1}"),
        arguments(":2}", 1),
        done(a),
        done(b, 1),
        COMPLETED,
    )
    assert [part.arguments for part in found.parts if isinstance(part, ToolCall)] == ['{"a":1}', '{"b":2}']


def test_items_that_share_an_index_are_told_apart() -> None:
    """By their ids, as some servers number every item 0."""
    text, tool = message("hi"), call()
    piece = ev("response.function_call_arguments.delta", output_index=0, item_id="fc_call_a", delta='{"x":1}')
    found = answered(CREATED, added(text), delta("hi"), added(tool), piece, done(tool), done(text), COMPLETED)
    assert found.parts == (Text("hi"), ToolCall("call_a", "f", '{"x":1}'))


def test_items_without_any_index() -> None:
    """Each is the one that was last."""
    events = [
        added(message()),
        delta("hi"),
        done(message("hi")),
        added(call()),
        arguments('{"x":1}'),
        done(call()),
    ]
    bare = [
        {name: value for name, value in event.items() if name not in ("output_index", "item_id")}
        for event in events
    ]
    end = ev("response.completed", response=response(output=[message("hi"), call()]))
    assert answered(CREATED, *bare, end).parts == (Text("hi"), ToolCall("call_a", "f", '{"x":1}'))


def test_indexes_that_do_not_begin_at_zero() -> None:
    """The end repeats the items in order; none is taken twice."""
    end = ev("response.completed", response=response(output=[message("hi", id="msg_other")]))
    assert answered(CREATED, added(message(), 1), delta("hi", 1), done(message("hi"), 1), end).parts == (
        Text("hi"),
    )


def test_custom_calls_and_namespaces() -> None:
    """Free text; and the namespace that the vendor knows."""
    custom = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_c", "name": "patch", "input": "***"}
    piece = ev("response.custom_tool_call_input.delta", output_index=0, delta="*")
    found = answered(
        CREATED, added({**custom, "input": ""}), piece, done(custom), done(call(namespace="fs"), 1), COMPLETED
    )
    assert found.parts == (
        ToolCall("call_c", "patch", "***", custom=True),
        ToolCall("call_a", "f", '{"x":1}', namespace="fs"),
    )


def test_empty_arguments_are_an_empty_object() -> None:
    """As every client expects."""
    assert answered(CREATED, done(call(arguments="")), COMPLETED).parts == (ToolCall("call_a", "f", "{}"),)


def test_a_call_without_a_name_cannot_be_made() -> None:
    """Better an error than a call of nothing."""
    assert (
        "without the tool's name" in failed(CREATED, arguments("{}"), done(call(name="")), COMPLETED).message
    )


def test_searches() -> None:
    """A call and what it found; only searches count, not pages that were opened."""
    source = {"type": "url", "url": "https://e.example"}
    found = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats", "sources": [source]},
    }
    opened = {
        "type": "web_search_call",
        "id": "ws_2",
        "status": "completed",
        "action": {"type": "open_page", "url": "https://e.example"},
    }
    answer = answered(
        CREATED,
        added(found),
        ev("response.web_search_call.searching", output_index=0),
        done(found),
        done(opened, 1),
        COMPLETED,
    )
    assert answer.parts[0] == HostedCall("ws_1", "web_search", '{"query":"cats"}', "completed", found)
    assert answer.parts[1] == HostedResult("ws_1", "web_search", (SearchHit("https://e.example"),), raw=found)
    assert answer.usage.web_searches == 1


def test_other_items_are_kept_whole() -> None:
    """They mean something to clients of this protocol."""
    item = {"type": "image_generation_call", "id": "ig_1", "result": "aGk=", "revised_prompt": "a cat"}
    assert answered(CREATED, done(item), COMPLETED).parts == (
        Foreign("openai-responses", "image_generation_call", item, "[An image was generated: a cat]"),
    )
