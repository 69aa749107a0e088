"""Reading along a Chat Completions answer."""

from __future__ import annotations

import re
from typing import Any, Final

from shunt.protocols.body_tap import BodyTap
from shunt.protocols.openai_errors import decode_error
from shunt.protocols.openai_usage import read_usage
from shunt.protocols.stream_tap import StreamTap
from shunt.wire import json, sse

# Once content has begun only these matter; chunks on the way carry nulls in their place.
_TELLING: Final = re.compile(rb'"usage"\s*:\s*\{|"finish_reason"\s*:\s*"|"error"|\[DONE\]')


class ChatStreamTap(StreamTap):
    """Chunks name the model; one has the finish reason, perhaps a later one the usage; then `[DONE]`."""

    def __init__(self) -> None:
        super().__init__()
        self._stopped = False

    def skim(self, raw: bytes) -> bool:
        """Usage, a reason to finish, errors, and the end; chunks on the way carry nulls in the place of the first two."""
        return _TELLING.search(raw) is not None

    def take(self, event: sse.Event) -> None:
        """Learn from one event."""
        if self.content and not self.skim(event.raw):
            return
        data = event.data
        if data is None:
            return
        if data.strip() == b"[DONE]":
            self.finished = True
            return
        chunk = json.value(data)
        if not isinstance(chunk, dict):
            return
        if chunk.get("error") or event.name == "error":
            self.failure = decode_error(200, (), data)
        if not self.model and isinstance(chunk.get("model"), str):
            self.model = chunk["model"]
        if isinstance(chunk.get("usage"), dict):
            self.usage = read_usage(chunk["usage"])
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                self._stopped = self._stopped or bool(choice.get("finish_reason"))
                self.content = self.content or _carries_content(choice.get("delta"))

    def end(self) -> None:
        """Some servers never say `[DONE]`; a finish reason is proof enough."""
        self.finished = self.finished or self._stopped


def _carries_content(delta: Any) -> bool:
    """Whether a delta holds more than its role: text, reasoning, a refusal, a call, audio."""
    return isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role")


def body_tap() -> BodyTap:
    """For a JSON answer."""
    return BodyTap(read_usage, decode_error)
