"""A strict Messages client: reads a stream as the official SDKs and Claude Code do, and raises where they would."""

from __future__ import annotations

from typing import Any

from jiter import from_json

from shunt.wire import json, sse

DELTAS = {
    "text": {"text_delta": "text", "citations_delta": "citation"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
}
FIRST = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""}}
"""What a block must hold when it begins."""


class Client:
    """Asserts the grammar while it reads."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.blocks: list[dict[str, Any]] = []
        self.open: dict[str, Any] | None = None
        self.arguments = ""
        self.delta: dict[str, Any] = {}
        self.usage: dict[str, Any] = {}
        self.error: dict[str, Any] | None = None
        self.stopped = False
        self.pings = 0

    def read(self, stream: bytes) -> Client:
        """Take a whole stream."""
        decoder = sse.Decoder()
        for event in decoder.feed(stream):
            assert event.data is not None
            fields = json.value(event.data)
            assert fields["type"] == event.name
            self.take(event.name, fields)
        assert decoder.close() is None
        return self

    def take(self, name: str, fields: dict[str, Any]) -> None:
        if name == "ping":
            self.pings += 1
            return
        assert not self.stopped, f"{name} after the end"
        assert self.error is None, f"{name} after an error"
        if name != "error":
            assert bool(self.message) == (name != "message_start"), f"{name} out of place"
        getattr(self, f"_{name}")(fields)

    def _error(self, fields: dict[str, Any]) -> None:
        self.error = fields["error"]

    def _message_start(self, fields: dict[str, Any]) -> None:
        self.message = fields["message"]
        assert self.message["id"].startswith("msg_")
        assert self.message["content"] == []
        assert self.message["stop_reason"] is None
        assert isinstance(self.message["usage"]["input_tokens"], int)

    def _content_block_start(self, fields: dict[str, Any]) -> None:
        assert self.open is None, "two blocks open"
        assert fields["index"] == len(self.blocks), "a gap in the indexes"
        self.open = fields["content_block"]
        kind = self.open["type"]
        assert {"type": kind, **FIRST.get(kind, self.open)} == self.open
        if kind == "tool_use":
            assert self.open["id"]
            assert self.open["name"]
            assert self.open["input"] == {}
        self.arguments = ""
        self.blocks.append(dict(self.open))

    def _content_block_delta(self, fields: dict[str, Any]) -> None:
        assert self.open is not None
        assert fields["index"] == len(self.blocks) - 1
        delta, block = fields["delta"], self.blocks[-1]
        field = DELTAS[self.open["type"]][delta["type"]]
        if field == "partial_json":
            self.arguments += delta[field]
            from_json(self.arguments.encode(), partial_mode=True)  # raises as the SDK does
        elif field == "citation":
            block.setdefault("citations", []).append(delta[field])
        else:
            block[field] += delta[field]

    def _content_block_stop(self, fields: dict[str, Any]) -> None:
        assert self.open is not None
        assert fields["index"] == len(self.blocks) - 1
        if self.arguments:
            self.blocks[-1]["input"] = from_json(self.arguments.encode(), partial_mode=True)
        assert self.blocks[-1].get("text", "x").strip(), "an empty text block"
        self.open = None

    def _message_delta(self, fields: dict[str, Any]) -> None:
        assert self.open is None
        assert not self.delta
        self.delta = fields["delta"]
        self.usage = fields["usage"]
        assert isinstance(self.usage["output_tokens"], int)

    def _message_stop(self, fields: dict[str, Any]) -> None:
        assert self.delta["stop_reason"]
        self.stopped = True
