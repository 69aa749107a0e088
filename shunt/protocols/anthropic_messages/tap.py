"""Reading along a Messages answer."""

from __future__ import annotations

from msgspec import Raw, Struct

from shunt.protocols.anthropic_messages.errors import decode_error
from shunt.protocols.anthropic_messages.usage import read_usage
from shunt.protocols.body_tap import BodyTap
from shunt.protocols.stream_tap import StreamTap
from shunt.wire import json, sse


class _Message(Struct):
    model: Raw = Raw()
    usage: Raw = Raw()


class _Event(Struct):
    type: Raw = Raw()
    message: Raw = Raw()
    usage: Raw = Raw()


class MessagesStreamTap(StreamTap):
    """`message_start` names model and input, `message_delta` the totals, `message_stop` the end."""

    def skim(self, raw: bytes) -> bool:
        """`message_start`, `message_delta` and `message_stop`, and errors."""
        return b"message_" in raw or b'"error"' in raw

    def take(self, event: sse.Event) -> None:
        """Learn from one event."""
        if self.content and not self.skim(event.raw):
            return
        data = event.data
        fields = json.peek(data, _Event) if data else None
        if data is None or fields is None:
            return
        match json.peek(fields.type, str):
            case "message_start":
                message = json.peek(fields.message, _Message) or _Message()
                self.model = json.peek(message.model, str) or ""
                self.usage = read_usage(json.value(message.usage), self.usage)
            case "content_block_start" | "content_block_delta":
                self.content = True
            case "message_delta":
                self.usage = read_usage(json.value(fields.usage), self.usage)
            case "message_stop":
                self.finished = True
            case "error":
                self.failure = decode_error(200, (), data)
            case _ if event.name == "error":
                self.failure = decode_error(200, (), data)
            case _:  # pings, block ends, and what newer servers may add
                pass


def body_tap() -> BodyTap:
    """For a JSON answer."""
    return BodyTap(read_usage, decode_error)
