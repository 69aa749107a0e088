"""Answers of the Anthropic API, ready to put into a script."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from tests.fakes.http1 import Headers
from tests.fakes.upstream import Answer, Framing, Pause, Step

MODEL = "claude-sonnet-5-5"
ORGANIZATION = "22222222-aaaa-bbbb-cccc-000000000001"
JSON_HEADERS: Headers = ((b"Content-Type", b"application/json"),)
STREAM_HEADERS: Headers = (
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-cache"),
)
_numbers = count(1)


def identity_headers() -> Headers:
    """Headers that every answer of the API carries."""
    return (
        (b"request-id", b"req_test%06d" % next(_numbers)),
        (b"anthropic-organization-id", ORGANIZATION.encode()),
    )


def window_headers(
    window: str = "5h", *, used: float = 0.2, resets_at: float = 0.0, standing: str = "allowed"
) -> Headers:
    """Facts about one usage window, as logins get them on every answer."""
    prefix = f"anthropic-ratelimit-unified-{window}-"
    return (
        (f"{prefix}status".encode(), standing.encode()),
        (f"{prefix}reset".encode(), b"%d" % resets_at),
        (f"{prefix}utilization".encode(), f"{used:g}".encode()),
    )


def unified_headers(claim: str, resets_at: float, standing: str = "allowed") -> Headers:
    """The summary that comes with the windows."""
    return (
        (b"anthropic-ratelimit-unified-status", standing.encode()),
        (b"anthropic-ratelimit-unified-reset", b"%d" % resets_at),
        (b"anthropic-ratelimit-unified-representative-claim", claim.encode()),
    )


def usage_of(input_tokens: int = 10, output_tokens: int = 5, **more: int) -> dict[str, Any]:
    """Token counts as the API writes them."""
    return {
        "input_tokens": input_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
        **more,
    }


def document(text: str = "hi", *, model: str = MODEL, usage: dict[str, Any] | None = None) -> dict[str, Any]:
    """A whole message."""
    return {
        "id": "msg_test01",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage or usage_of(),
    }


def json_answer(body: Any, status: int = 200, headers: Headers = ()) -> Answer:
    """Any JSON document."""
    return Answer(status, (*JSON_HEADERS, *identity_headers(), *headers), (json.dumps(body).encode(),))


def plain(
    text: str = "hi", *, model: str = MODEL, usage: dict[str, Any] | None = None, headers: Headers = ()
) -> Answer:
    """A message in one piece."""
    return json_answer(document(text, model=model, usage=usage), headers=headers)


def event(kind: str, **fields: Any) -> bytes:
    """One server-sent event."""
    data = json.dumps({"type": kind, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


def opening_events(model: str = MODEL, input_tokens: int = 10) -> tuple[bytes, ...]:
    """Everything of a stream before its first content block."""
    message = {
        **document(model=model),
        "content": [],
        "stop_reason": None,
        "usage": usage_of(input_tokens, 1),
    }
    return (event("message_start", message=message), event("ping"))


def text_events(pieces: Iterable[str], index: int = 0) -> tuple[bytes, ...]:
    """One text block, a delta per piece."""
    return (
        event("content_block_start", index=index, content_block={"type": "text", "text": ""}),
        *(
            event("content_block_delta", index=index, delta={"type": "text_delta", "text": it})
            for it in pieces
        ),
        event("content_block_stop", index=index),
    )


def tool_events(name: str, arguments: dict[str, Any], index: int = 0) -> tuple[bytes, ...]:
    """One tool call, its arguments in two pieces."""
    text = json.dumps(arguments)
    half = len(text) // 2
    block = {"type": "tool_use", "id": "toolu_test01", "name": name, "input": {}}
    return (
        event("content_block_start", index=index, content_block=block),
        *(
            event(
                "content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": piece}
            )
            for piece in (text[:half], text[half:])
        ),
        event("content_block_stop", index=index),
    )


def closing_events(output_tokens: int = 5, stop_reason: str = "end_turn") -> tuple[bytes, ...]:
    """Everything of a stream after its last content block."""
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return (
        event("message_delta", delta=delta, usage={"output_tokens": output_tokens}),
        event("message_stop"),
    )


def events_answer(steps: Sequence[Step], headers: Headers = ()) -> Answer:
    """A stream of the given events (and pauses, gates, endings), each one chunk."""
    return Answer(200, (*STREAM_HEADERS, *identity_headers(), *headers), tuple(steps), Framing.CHUNKED)


def stream(
    *pieces: str,
    every: float | None = None,
    model: str = MODEL,
    input_tokens: int = 10,
    output_tokens: int = 5,
    headers: Headers = (),
) -> Answer:
    """A streamed message: a delta per piece of text, `every` seconds between two events if given."""
    events = (
        *opening_events(model, input_tokens),
        *text_events(pieces or ("hi",)),
        *closing_events(output_tokens),
    )
    if every is None:
        return events_answer(events, headers)
    return events_answer([step for it in events for step in (it, Pause(every))][:-1], headers)


def error_document(kind: str, message: str) -> dict[str, Any]:
    """An error's body."""
    error = {"type": kind, "message": message}
    return {"type": "error", "error": error, "request_id": f"req_test{next(_numbers):06d}"}


def refusal(status: int, kind: str, message: str, headers: Headers = ()) -> Answer:
    """Any error answer."""
    return json_answer(error_document(kind, message), status, headers)


CLAIMS = {"5h": "five_hour", "7d": "seven_day", "7d_opus": "seven_day_opus", "7d_sonnet": "seven_day_sonnet"}


def rejected(resets_at: float, *, window: str = "5h", retry_after: int | None = None) -> Answer:
    """429 for a login whose window is spent until `resets_at` (epoch seconds)."""
    other = "7d" if window == "5h" else "5h"
    headers = (
        *unified_headers(CLAIMS[window], resets_at, "rejected"),
        *window_headers(window, used=1.0, resets_at=resets_at, standing="rejected"),
        *window_headers(other, used=0.3, resets_at=resets_at + 86_400),
    )
    if retry_after is not None:
        headers += ((b"retry-after", b"%d" % retry_after),)
    message = "This request would exceed your account's rate limit. Please try again later."
    return refusal(429, "rate_limit_error", message, headers)


def throttled(retry_after: str | None = None) -> Answer:
    """429 that names no window."""
    headers = () if retry_after is None else ((b"retry-after", retry_after.encode()),)
    return refusal(
        429, "rate_limit_error", "Number of concurrent connections has exceeded your rate limit.", headers
    )


def overloaded() -> Answer:
    """529."""
    return refusal(529, "overloaded_error", "Overloaded", ((b"x-should-retry", b"true"),))


def unauthorized(message: str = "OAuth token has expired. Please obtain a new token.") -> Answer:
    """401."""
    return refusal(401, "authentication_error", message)


def forbidden(
    message: str = "OAuth authentication is currently not allowed for this organization.",
) -> Answer:
    """403 about the account."""
    return refusal(403, "permission_error", message)


def server_error(status: int = 500) -> Answer:
    """A passing failure of the vendor."""
    return refusal(status, "api_error", "Internal server error")


def error_event_first(kind: str = "overloaded_error", message: str = "Overloaded") -> Answer:
    """A 200 stream whose first event is an error."""
    return events_answer([event("error", error={"type": kind, "message": message})])


def cut_stream(*pieces: str, ending: Step) -> Answer:
    """A stream that stops after some text, in the way of `ending`."""
    return events_answer([*opening_events(), *text_events(pieces or ("hi",))[:-1], ending])


def count_tokens(tokens: int = 42) -> Answer:
    """An answer to count_tokens."""
    return json_answer({"input_tokens": tokens})


def models(*names: str) -> Answer:
    """The list of models."""
    data = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in names or (MODEL,)
    ]
    return json_answer(
        {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
    )


def usage_document(windows: dict[str, tuple[float, str | None]] | None = None) -> Answer:
    """The free usage endpoint: window name → (percent used, ISO time of reset)."""
    facts = windows or {
        "five_hour": (12.0, "2026-01-01T05:00:00.000000+00:00"),
        "seven_day": (34.5, "2026-01-07T00:00:00.000000+00:00"),
    }
    body: dict[str, Any] = {"seven_day_opus": None, "seven_day_sonnet": None}
    body |= {name: {"utilization": used, "resets_at": reset} for name, (used, reset) in facts.items()}
    return json_answer(body)
