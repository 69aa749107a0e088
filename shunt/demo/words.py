"""What the simulated vendor says, in the documents and events of the Anthropic Messages API. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from shunt.wire import json, sse

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
"""Listed by /v1/models; any other name is answered just as well."""

_BYTES_PER_TOKEN = 4
_LONGEST_ECHO = 60
"""Characters of the question that are said back."""


def reply(account: str, document: Any) -> list[str]:
    """An answer to a Messages request, cut into tokens."""
    question = last_question(document)
    text = f"This is {account}, a simulated account. "
    if question:
        text += f"You wrote: {question!r}. "
    text += "No model read it, and nothing left this machine."
    return re.findall(r"\S+\s*", text)


def last_question(document: Any) -> str:
    """The text of the newest message, on one line and shortened; empty when there is none."""
    messages = document.get("messages") if isinstance(document, dict) else None
    newest = messages[-1] if isinstance(messages, list) and messages else None
    content = newest.get("content") if isinstance(newest, dict) else None
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        # Agents put reminders before what the person typed.
        content = next((text for text in reversed(texts) if isinstance(text, str)), "")
    line = " ".join(content.split()) if isinstance(content, str) else ""
    return line if len(line) <= _LONGEST_ECHO else line[: _LONGEST_ECHO - 1] + "…"


def tokens_in(body: bytes) -> int:
    """About how many tokens a request has."""
    return max(1, len(body) // _BYTES_PER_TOKEN)


def message(number: int, model: str, tokens: list[str], read: int) -> dict[str, Any]:
    """A whole answer."""
    return {
        "id": f"msg_demo{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "".join(tokens)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": read, "output_tokens": len(tokens)},
    }


def events(number: int, model: str, tokens: list[str], read: int) -> Iterator[bytes]:
    """The same answer as a stream: one event per piece."""
    opening = {**message(number, model, [], read), "content": [], "stop_reason": None}
    yield _event("message_start", message=opening)
    yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield _event("ping")
    for token in tokens:
        yield _event("content_block_delta", index=0, delta={"type": "text_delta", "text": token})
    yield _event("content_block_stop", index=0)
    yield _event(
        "message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": len(tokens)},
    )
    yield _event("message_stop")


def error(kind: str, text: str, number: int) -> dict[str, Any]:
    """A refusal."""
    return {
        "type": "error",
        "error": {"type": kind, "message": text},
        "request_id": f"req_demo{number:06d}",
    }


def models() -> dict[str, Any]:
    """The list of models."""
    entries = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in MODELS
    ]
    return {"data": entries, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}


def _event(kind: str, **fields: Any) -> bytes:
    return sse.encode(kind, json.encode({"type": kind, **fields}))
