"""Signs of life for Responses clients."""

from __future__ import annotations

from typing import Final

from shunt.wire import sse
from shunt.wire.headers import Headers, get, text

_COMMENT: Final = sse.comment("keep-alive")
_EVENT: Final = sse.encode("keepalive", b'{"type":"keepalive"}')
_EVENT_EVERY: Final = 4
_CODEX: Final = "codex"


def keep_alive(nth: int) -> bytes:
    """Write a comment; every fourth time an event, as Codex may count only those as signs of life."""
    return _EVENT if nth % _EVENT_EVERY == _EVENT_EVERY - 1 else _COMMENT


def held_keep_alive(nth: int, headers: Headers) -> bytes:
    """The same before any response was created: the SDKs' helpers fail on every other first event, Codex does not."""
    agent = (text(headers, b"originator") or text(headers, b"user-agent") or "").lower()
    is_codex = agent.startswith(_CODEX) or get(headers, b"x-codex-turn-metadata") is not None
    return keep_alive(nth) if is_codex else _COMMENT
