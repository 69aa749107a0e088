"""A strict reader of Responses streams, and the official SDK's own helper, for the tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import httpx2 as httpx
import openai

from shunt.wire import sse

Item = dict[str, Any]

_TEXT_FIELD = {"output_text": "text", "refusal": "refusal"}
_ENDS = ("response.completed", "response.incomplete", "response.failed")


class Client:
    """What a careful client understood of a stream; every breach of the grammar is an AssertionError."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.events: list[Item] = []
        self.items: list[Item] = []
        """Items that are done, in order of their index."""
        self.response: Item = {}
        """The terminal response."""
        self.comments = 0
        self._added: dict[int, Item] = {}
        self._done: dict[int, Item] = {}
        self._parts: dict[tuple[int, int], str] = {}
        self._ended: set[tuple[int, int]] = set()
        self._grown: dict[int, str] = {}

    @property
    def text(self) -> str:
        """All text, in order."""
        parts = [part for item in self.items if item["type"] == "message" for part in item["content"]]
        return "".join(part["text"] for part in parts if part["type"] == "output_text")

    def read(self, raw: bytes) -> Client:
        """Take a whole stream."""
        decoder = sse.Decoder()
        for event in decoder.feed(raw):
            if event.data is None:
                self.comments += 1
                continue
            self._take(event.name, json.loads(event.data))
        assert decoder.close() is None, "the last event is not ended"
        assert self.response, "the stream has no end"
        return self

    def _take(self, name: str, event: Item) -> None:
        assert name == event["type"], f"event {name} says it is {event['type']}"
        assert not self.response, f"{name} after the end"
        if name == "keepalive":
            assert self.names, "an event before response.created"
            return
        assert event["sequence_number"] == len(self.names), f"{name} is out of sequence"
        self.names.append(name)
        self.events.append(event)
        if len(self.names) == 1:
            assert name == "response.created"
        if name in ("response.created", "response.in_progress"):
            assert event["response"]["status"] == "in_progress"
            assert event["response"]["output"] == []
        elif name in _ENDS:
            self._end(name, event["response"])
        elif name == "response.output_item.added":
            self._add(event["output_index"], event["item"])
        else:
            self._grow(name, event)

    def _add(self, index: int, item: Item) -> None:
        assert index == len(self._added), f"output_index {index}"
        assert item["id"] not in [other["id"] for other in self._added.values()]
        assert item.get("content", []) == []
        assert item["type"] != "function_call" or item["arguments"] == ""
        assert item["type"] != "custom_tool_call" or item["input"] == ""
        self._added[index] = item

    def _grow(self, name: str, event: Item) -> None:
        index = event["output_index"]
        assert index in self._added, f"{name} before its item was added"
        assert index not in self._done, f"{name} after its item was done"
        added = self._added[index]
        if name == "response.output_item.done":
            self._finish(index, event["item"])
            return
        assert event["item_id"] == added["id"]
        stem, _, step = name.rpartition(".")
        if "content_index" in event:
            self._grow_content(added, stem, step, event)
        elif "summary_index" in event:
            assert added["type"] == "reasoning"
            self._grow_part((index, event["summary_index"]), stem.endswith("_part"), step, event, "text")
        elif step == "delta":
            self._grown[index] = self._grown.get(index, "") + event["delta"]
        elif step == "done":
            field = "arguments" if added["type"] == "function_call" else "input"
            assert event[field] == self._grown.get(index, "")
            self._ended.add((index, -1))

    def _grow_content(self, added: Item, stem: str, step: str, event: Item) -> None:
        assert added["type"] == "message"
        if stem.endswith("annotation"):
            return
        is_part = stem.endswith("content_part")
        kind = event["part"]["type"] if is_part else stem.removeprefix("response.")
        place = (event["output_index"], event["content_index"])
        self._grow_part(place, is_part, step, event, _TEXT_FIELD[kind])

    def _grow_part(self, place: tuple[int, int], is_part: bool, step: str, event: Item, field: str) -> None:
        if is_part and step == "added":
            assert place not in self._parts
            assert place[1] == sum(1 for index, _ in self._parts if index == place[0])
            assert event["part"][field] == ""
            self._parts[place] = ""
            return
        assert place in self._parts, f"{event['type']} before its part was added"
        assert place not in self._ended, f"{event['type']} after its part was done"
        if step == "delta":
            assert event["delta"], "an empty delta"
            self._parts[place] += event["delta"]
        else:
            whole = event["part"][field] if is_part else event[field]
            assert whole == self._parts[place], f"{event['type']} differs from its deltas"
            if is_part:
                self._ended.add(place)

    def _finish(self, index: int, item: Item) -> None:
        added = self._added[index]
        assert (item["type"], item["id"], item.get("call_id")) == (
            added["type"],
            added["id"],
            added.get("call_id"),
        )
        parts = {number: words for (at, number), words in self._parts.items() if at == index}
        if item["type"] == "message":
            told = [part[_TEXT_FIELD[part["type"]]] for part in item["content"]]
            assert told == [parts[number] for number in sorted(parts)]
            assert "" not in told, "an empty text"
        elif item["type"] == "reasoning":
            assert [part["text"] for part in item["summary"]] == [parts[number] for number in sorted(parts)]
        elif item["type"] in ("function_call", "custom_tool_call"):
            whole = item["arguments"] if item["type"] == "function_call" else item["input"]
            assert whole == self._grown.get(index, "")
            assert (index, -1) in self._ended, "arguments were not done"
        assert all((index, number) in self._ended for number in parts), "a part was not done"
        self._done[index] = item

    def _end(self, name: str, response: Item) -> None:
        self.response = response
        self.items = [item for _, item in sorted(self._done.items())]
        assert response["status"] == name.rpartition(".")[2]
        assert response["id"] == self.events[0]["response"]["id"]
        assert response["output"] == self.items
        if response["status"] == "failed":
            assert response["error"]["code"]
            assert response["error"]["message"]
        else:
            assert set(self._done) == set(self._added), "an item was not done"
            usage = response["usage"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            assert isinstance(usage["input_tokens_details"]["cached_tokens"], int)
            assert isinstance(usage["output_tokens_details"]["reasoning_tokens"], int)


def read(raw: bytes) -> Client:
    """Read a whole stream strictly."""
    return Client().read(raw)


def helper(raw: bytes) -> list[str]:
    """Replay a stream to the SDK's stream helper; the types of the events it gives. It fails on bad order."""
    reply = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=raw)
    http = httpx.Client(transport=httpx.MockTransport(lambda _request: reply))
    client = openai.OpenAI(
        api_key="sk-test", base_url="http://upstream.test/v1", http_client=http, max_retries=0
    )
    with client, client.responses.stream(model="m", input="hi") as stream:
        kinds: list[str] = [event.type for event in stream]
        if "response.completed" in kinds:
            assert stream.get_final_response().status == "completed"
    return kinds


def encoded(events: Iterable[Item]) -> bytes:
    """A vendor's stream of these events."""
    return b"".join(
        sse.encode(event["type"], json.dumps({**event, "sequence_number": number}).encode())
        for number, event in enumerate(events)
    )
