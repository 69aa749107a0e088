"""Items as they are streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.inference.content import Citation, HostedCall, HostedResult, SearchHit
from shunt.protocols.openai_responses.event_writer import EventWriter
from shunt.protocols.openai_responses.output_items import (
    REFUSAL,
    TEXT,
    CallItem,
    CustomCallItem,
    MessageItem,
    OutputItem,
    ReasoningItem,
    SearchItem,
    WholeItem,
)
from shunt.wire import sse


def told(events: EventWriter) -> list[dict[str, Any]]:
    return [json.loads(event.data) for event in sse.Decoder().feed(events.take()) if event.data]


def steps(events: EventWriter) -> list[str]:
    return [event["type"].removeprefix("response.") for event in told(events)]


def test_a_message_and_its_parts() -> None:
    """Each part is added, grows and is done; the message when all of them are."""
    events = EventWriter()
    item = MessageItem(events, 0, "x")
    text, refusal = item.open(TEXT), item.open(REFUSAL)
    text.grow("hi")
    refusal.grow("no")
    text.finish("hi", [Citation("https://e.example")])
    assert not item.may_end()
    refusal.finish("no")
    assert item.may_end()
    assert item.done("completed")["content"] == [
        {
            "type": "output_text",
            "text": "hi",
            "annotations": [
                {
                    "type": "url_citation",
                    "start_index": 0,
                    "end_index": 2,
                    "url": "https://e.example",
                    "title": "",
                }
            ],
            "logprobs": [],
        },
        {"type": "refusal", "refusal": "no"},
    ]
    assert steps(events) == [
        "output_item.added",
        "content_part.added",
        "content_part.added",
        "output_text.delta",
        "refusal.delta",
        "output_text.annotation.added",
        "output_text.done",
        "content_part.done",
        "refusal.done",
        "content_part.done",
        "output_item.done",
    ]


def test_reasoning_in_words() -> None:
    """Every event of it says which part of the summary it is about: Codex needs that."""
    events = EventWriter()
    item = ReasoningItem(events, 0, "x")
    item.grow("hm")
    item.finish("hm", "sealed")
    assert item.done("completed") == {
        "type": "reasoning",
        "id": "rs_x_0",
        "summary": [{"type": "summary_text", "text": "hm"}],
        "encrypted_content": "sealed",
    }
    found = told(events)
    assert all(event["summary_index"] == 0 for event in found if "summary" in event["type"])


def test_reasoning_without_words() -> None:
    """Has no part at all."""
    events = EventWriter()
    item = ReasoningItem(events, 0, "x")
    item.finish("", "sealed")
    assert item.done("completed")["summary"] == []
    assert steps(events) == ["output_item.added", "output_item.done"]


@pytest.mark.parametrize(
    ("kind", "field", "stem", "prefix"),
    [
        (CallItem, "arguments", "function_call_arguments", "fc_"),
        (CustomCallItem, "input", "custom_tool_call_input", "ctc_"),
    ],
)
def test_calls(kind: type[CallItem], field: str, stem: str, prefix: str) -> None:
    """Begin with empty arguments, which helpers need."""
    events = EventWriter()
    item = kind(events, 2, "x", "call_a", "f", "fs")
    item.grow("{")
    item.grow("}")
    item.finish("{}")
    whole = item.done("incomplete")
    assert (whole[field], whole["namespace"], whole["status"]) == ("{}", "fs", "incomplete")
    assert whole["id"].startswith(prefix)
    found = told(events)
    assert found[0]["item"][field] == ""
    assert [event["type"] for event in found[1:-1]] == [
        f"response.{stem}.{step}" for step in ("delta", "delta", "done")
    ]


def test_a_search_in_its_stages() -> None:
    """What it looked for and found stands in the end."""
    events = EventWriter()
    item = SearchItem(events, 0, "x", HostedCall("srv", "web_search"))
    item.finish(HostedCall("srv", "web_search", '{"query":"cats"}'))
    item.find(HostedResult("srv", "web_search", (SearchHit("https://e.example"),)))
    assert item.done("completed")["action"]["sources"] == [{"type": "url", "url": "https://e.example"}]
    assert [step for step in steps(events) if "search" in step] == [
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
    ]


def test_an_item_that_comes_whole() -> None:
    """Keeps an id of its own, and has a status only where its kind has one."""
    events = EventWriter()
    assert WholeItem(events, 0, "x", {"type": "compaction", "id": "cmp_1"}).done("completed") == {
        "type": "compaction",
        "id": "cmp_1",
    }
    assert (
        WholeItem(events, 1, "x", {"type": "shell_call", "status": "?"}).done("completed")["status"]
        == "completed"
    )


def test_ids_differ_by_place() -> None:
    """And stay short enough to be sent back."""
    events = EventWriter()
    items: list[OutputItem] = [MessageItem(events, n, "b" * 40) for n in range(3)]
    assert len({item.id for item in items}) == 3
    assert all(len(item.id) <= 64 for item in items)
