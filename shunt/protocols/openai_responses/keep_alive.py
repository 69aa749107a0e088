"""Signs of life for Responses clients."""

from __future__ import annotations

from typing import Final

from shunt.wire import sse

_COMMENT: Final = sse.comment("keep-alive")
_EVENT: Final = sse.encode("keepalive", b'{"type":"keepalive"}')
_EVENT_EVERY: Final = 4


def keep_alive(nth: int) -> bytes:
    """Write a comment; every fourth time an event, as Codex may count only those as signs of life."""
    return _EVENT if nth % _EVENT_EVERY == _EVENT_EVERY - 1 else _COMMENT
