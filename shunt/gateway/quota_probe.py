"""Claude Code's question of how much is left, answered from what is known.

At its start the program sends a request for one token, whose answer it reads for its headers only. Where the owner
wishes it, that is no reason to spend tokens or to begin an idle window: the headers are written from what the
vendor said last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Raw, Struct

from shunt.gateway.delivery import Delivery
from shunt.inference.inbound import Inbound, Operation
from shunt.limits.windows import FIVE_HOUR, SEVEN_DAY, Window
from shunt.wire import json
from shunt.wire.headers import Headers

WORD: Final = "quota"
"""All that the program says in it."""
LONGEST: Final = 16 * 1024
"""Bytes: such a request is small."""
_PREFIX: Final = "anthropic-ratelimit-unified-"
_CLAIMS: Final = {FIVE_HOUR: "five_hour", SEVEN_DAY: "seven_day"}
_JSON: Final = ((b"content-type", b"application/json"),)


class _Body(Struct):
    max_tokens: Raw = Raw()
    messages: Raw = Raw()
    tools: Raw = Raw()
    stream: Raw = Raw()


def is_probe(inbound: Inbound) -> bool:
    """Whether a request is that question and nothing else."""
    if inbound.protocol != "anthropic-messages" or inbound.operation is not Operation.GENERATE:
        return False
    body = json.peek(inbound.body, _Body) if len(inbound.body) <= LONGEST else None
    if body is None or inbound.outline.stream or json.peek(body.max_tokens, int) != 1:
        return False
    messages, tools = json.value(body.messages), json.value(body.tools) if bytes(body.tools) else None
    return isinstance(messages, list) and len(messages) == 1 and _says(messages[0]) == WORD and not tools


def answered(inbound: Inbound, windows: Mapping[str, Window], marks: Headers) -> Delivery:
    """An answer of one token that nobody was asked for, with the headers of an account's `windows`."""
    message = {
        "id": f"msg_{inbound.id.removeprefix('req_')}",
        "type": "message",
        "role": "assistant",
        "model": inbound.outline.model,
        "content": [{"type": "text", "text": "."}],
        "stop_reason": "max_tokens",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }
    told = [windows[name] for name in _CLAIMS if name in windows]
    headers = tuple((name.encode(), value.encode()) for name, value in _headers(told))
    return Delivery(200, _JSON + headers + marks, json.encode(message))


def _headers(windows: Iterable[Window]) -> Iterator[tuple[str, str]]:
    told = list(windows)
    if not told:
        return
    yield f"{_PREFIX}status", "allowed"
    closest = max(told, key=lambda window: window.used or 0.0)
    yield f"{_PREFIX}representative-claim", _CLAIMS[closest.name]
    if closest.resets_at is not None:
        yield f"{_PREFIX}reset", str(int(closest.resets_at))
    for window in told:
        yield f"{_PREFIX}{window.name}-status", "allowed"
        if window.used is not None:
            yield f"{_PREFIX}{window.name}-utilization", f"{window.used:g}"
        if window.resets_at is not None:
            yield f"{_PREFIX}{window.name}-reset", str(int(window.resets_at))


def _says(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0].get("text")
    return content if isinstance(content, str) else ""
