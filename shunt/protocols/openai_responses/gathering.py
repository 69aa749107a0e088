"""A streamed answer gathered into the plain one, without passing through other words.

For upstreams that only stream, and clients that speak their protocol and did not ask for a stream.
"""

from __future__ import annotations

from typing import Any

from shunt.inference.assembly import BROKEN_OFF
from shunt.inference.failure import Failure
from shunt.protocols.openai_errors import decode_error
from shunt.wire import json

_ENDS = frozenset({"response.completed", "response.incomplete", "response.done"})
_FAILURES = frozenset({"response.failed", "response.cancelled", "error"})


class Gathering:
    """Takes one SSE event at a time; never raises."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._result: dict[str, Any] | Failure | None = None

    def feed(self, event: str, data: bytes) -> None:
        """Take one event."""
        if self._result is not None:
            return
        document = json.value(data)
        if not isinstance(document, dict):
            return
        named = document.get("type")
        name = named if isinstance(named, str) and named else event
        if name == "response.output_item.done":
            index = json.count(document.get("output_index"))
            self._items[len(self._items) if index is None else index] = document.get("item")
        elif name in _ENDS:
            self._end(document.get("response"))
        elif name in _FAILURES:
            response = document.get("response")
            told = {"error": response.get("error") or {}} if isinstance(response, dict) else document
            self._result = decode_error(200, (), json.encode(told))

    def result(self) -> dict[str, Any] | Failure:
        """The response object, or why there is none."""
        return BROKEN_OFF if self._result is None else self._result

    def _end(self, response: Any) -> None:
        if not isinstance(response, dict):
            return
        # The ChatGPT backend ends with an empty list, whatever it said before.
        if not response.get("output"):
            response = {**response, "output": [item for _, item in sorted(self._items.items())]}
        self._result = response
