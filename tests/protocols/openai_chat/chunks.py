"""Chat streams for tests: chunks as servers write them, and a strict reader of what shunt writes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from attrs import define, field

from shunt.inference.events import Event
from shunt.protocols.openai_chat.stream_decoder import ChatStreamDecoder
from shunt.wire import sse
from tests.inference.grammar import check

DONE = "[DONE]"
ROLE: dict[str, Any] = {"role": "assistant", "content": None}
USE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "chatcmpl-up1", "object": "chat.completion.chunk", "created": 17, "model": "gpt-up"}
    return {**head, "choices": choices, **more}


def call(
    index: int | None, call_id: str | None = None, name: str | None = None, arguments: Any = None
) -> Any:
    """An entry of `tool_calls`; what is None is left out."""
    function = {k: v for k, v in (("name", name), ("arguments", arguments)) if v is not None}
    entry = {"index": index, "id": call_id, "type": "function" if call_id else None, "function": function}
    return {key: value for key, value in entry.items() if value is not None}


def calls(*entries: Any) -> dict[str, Any]:
    return {"tool_calls": list(entries)}


def wire(*chunks: dict[str, Any] | str) -> bytes:
    return b"".join(
        sse.encode("", (one if isinstance(one, str) else json.dumps(one)).encode()) for one in chunks
    )


def decoded(pieces: Iterable[bytes]) -> list[Event]:
    """The events of a stream that comes in these pieces; legal, whatever it is."""
    decoder, cutter = ChatStreamDecoder(), sse.Decoder()
    events: list[Event] = []
    for piece in pieces:
        for event in cutter.feed(piece):
            if event.data is not None:
                events += decoder.feed(event.name, event.data)
    rest = cutter.close()
    if rest is not None and rest.data is not None:
        events += decoder.feed(rest.name, rest.data)
    events += decoder.close()
    check(events)
    return events


def events_of(*chunks: dict[str, Any] | str) -> list[Event]:
    return decoded([wire(*chunks)])


@define
class Reading:
    """What a careful client understands of a stream."""

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    calls: list[dict[str, Any]] = field(factory=list)
    function_call: dict[str, str] | None = None
    annotations: list[Any] = field(factory=list)
    details: list[Any] = field(factory=list)
    finish: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    done: bool = False
    head: tuple[Any, ...] | None = None

    def take(self, data: bytes) -> None:
        assert not self.done, "data after [DONE]"
        assert self.error is None, "data after an error"
        if data == b"[DONE]":
            assert self.finish is not None, "[DONE] without finish reason"
            self.done = True
            return
        document = json.loads(data)
        if "error" in document:
            assert self.finish is None, "an error after the finish reason"
            assert document["error"]["message"]
            self.error = document["error"]
            return
        self._take_chunk(document)

    def _take_chunk(self, document: dict[str, Any]) -> None:
        head = (document["id"], document["object"], document["created"], document["model"])
        assert head == (self.head or head), "the head changed"
        first, self.head = self.head is None, head
        assert head[1] == "chat.completion.chunk"
        assert isinstance(head[2], int)
        if not document["choices"]:
            assert self.finish is not None, "usage before the finish reason"
            self.usage = document["usage"]
            return
        assert self.usage is None, "a choice after the usage"
        assert document.get("usage") is None
        (choice,) = document["choices"]
        assert choice["index"] == 0
        assert self.finish is None, "a delta after the finish reason"
        delta = choice["delta"]
        assert ("role" in delta) is first, "the role comes first, and once"
        self._grow(delta)
        self.finish = choice["finish_reason"]

    def _grow(self, delta: dict[str, Any]) -> None:
        self.content += delta.get("content") or ""
        self.reasoning += delta.get("reasoning_content") or ""
        self.refusal += delta.get("refusal") or ""
        if "annotations" in delta:
            assert not self.annotations, "the SDK crashes on a second list without indexes"
            self.annotations = delta["annotations"]
        for entry in delta.get("reasoning_details", ()):
            assert entry["index"] == len(self.details)
            self.details.append(entry)
        if piece := delta.get("function_call"):
            self.function_call = self.function_call or {"name": piece["name"], "arguments": ""}
            self.function_call["arguments"] += piece["arguments"]
        for entry in delta.get("tool_calls", ()):
            self._take_call(entry)

    def _take_call(self, entry: dict[str, Any]) -> None:
        index = entry["index"]
        assert index <= len(self.calls), "a gap in the indexes of calls"
        if index == len(self.calls):
            assert entry["id"]
            kind = entry["type"]
            assert entry[kind]["name"]
            self.calls.append({"id": entry["id"], "type": kind, kind: dict(entry[kind])})
            return
        assert "id" not in entry, "the SDK doubles a repeated id"
        known = self.calls[index]
        kind = known["type"]
        assert "name" not in entry[kind], "the SDK doubles a repeated name"
        for name, piece in entry[kind].items():
            known[kind][name] += piece


def read(raw: bytes) -> Reading:
    """Read a stream strictly: as OpenAI writes it, and as its SDK needs it."""
    reading, cutter = Reading(), sse.Decoder()
    for event in cutter.feed(raw):
        assert event.name == ""
        if event.raw.startswith(b":"):
            assert event.data is None
        else:
            assert event.data, "an event without data is an error to the SDK"
            reading.take(event.data)
    assert cutter.pending == 0
    assert reading.done or reading.error, "the stream has no end"
    return reading
