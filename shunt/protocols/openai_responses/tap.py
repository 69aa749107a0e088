"""Reading along a Responses answer."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Raw, Struct

from shunt.protocols.body_tap import BodyTap
from shunt.protocols.openai_errors import decode_error
from shunt.protocols.openai_usage import read_usage
from shunt.protocols.stream_tap import StreamTap
from shunt.wire import json, sse

_BEGINNING: Final = frozenset({"response.created", "response.queued", "response.in_progress"})
_ENDS: Final = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
)

# Once content has begun only these matter. A text that quotes one of them is merely read in vain.
_TELLING: Final = re.compile(rb'response\.(?:completed|incomplete|failed|cancelled)|"error"')
_NUMBER: Final = re.compile(rb'"sequence_number"\s*:\s*(\d{1,9})')
_TYPE: Final = re.compile(rb'"type"\s*:\s*"([a-z_.]+)"')


class _Event(Struct):
    type: Raw = Raw()
    response: Raw = Raw()


class _Response(Struct):
    id: Raw = Raw()
    model: Raw = Raw()
    usage: Raw = Raw()
    error: Raw = Raw()


class ResponsesStreamTap(StreamTap):
    """The first events name the model, the terminal one repeats the answer and holds the usage."""

    def __init__(self) -> None:
        super().__init__()
        self.answer_id = ""
        """The response's id, once it was told."""
        self._last = b""

    @property
    def sequence_number(self) -> int:
        """The number of the last event that had one; -1 when none has."""
        found = _NUMBER.findall(self._last)
        return int(found[-1]) if found else -1

    def skim(self, raw: bytes) -> bool:
        """The terminal event, and errors. The last event that has passed is remembered for its number."""
        if raw[:1] == b":":  # what follows a comment is found event by event
            return True
        self._last = raw
        return _TELLING.search(raw) is not None

    def take(self, event: sse.Event) -> None:
        """Learn from one event."""
        self._last = event.raw if event.raw[:1] != b":" else self._last
        if self.content and not _TELLING.search(event.raw):
            return
        data = event.data
        fields = json.peek(data, _Event) if data else None
        if data is None or fields is None:
            return
        name = json.peek(fields.type, str) or ""
        if name == "error":
            self.failure = decode_error(200, (), data)
        elif name in _BEGINNING or name in _ENDS:
            self._take_response(name, fields.response)
        elif name.startswith("response."):
            self.content = True

    def take_head(self, head: bytes) -> None:
        """A terminal event of any size ends the answer, though its usage is then lost."""
        name = _TYPE.search(head)
        if name and name[1].decode() in _ENDS:
            self.finished = True
        else:
            super().take_head(head)

    def _take_response(self, name: str, raw: Raw) -> None:
        response = json.peek(raw, _Response) or _Response()
        self.model = json.peek(response.model, str) or self.model
        self.answer_id = json.peek(response.id, str) or self.answer_id
        if name in _ENDS:
            self.finished = True
            self.usage = read_usage(json.value(response.usage))
        if name == "response.failed":
            self.failure = decode_error(200, (), b'{"error":' + (bytes(response.error) or b"{}") + b"}")


def body_tap() -> BodyTap:
    """For a JSON answer."""
    return BodyTap(read_usage, decode_error)
