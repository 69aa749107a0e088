"""Finished requests for tests of whatever looks back. Pure."""

from __future__ import annotations

from typing import Any

from shunt.accounts.state import AttemptNote, RequestRecord
from shunt.inference.usage import Usage
from shunt.limits.samples import Sample
from tests.fakes.pools import HOUR, T0


def request_id(number: int) -> str:
    """Ids as the program makes them."""
    return f"req_{number:024x}"


def record(number: int = 0, **fields: Any) -> RequestRecord:
    """A served request of account `a`, `number` seconds after T0."""
    return RequestRecord(
        **{
            "id": request_id(number),
            "at": T0 + number,
            "client": "",
            "conversation": "c" * 32,
            "account": "a",
            "attempts": (AttemptNote("a", "served", "HTTP 200"),),
            "protocol_in": "anthropic-messages",
            "protocol_out": "anthropic-messages",
            "model": "claude-sonnet-5-5",
            "served_model": "claude-sonnet-5-5",
            "status": 200,
            "outcome": "served",
            "usage": Usage(input=10, cache_read=100, cache_write_5m=20, output=5),
            "first_byte_ms": 200,
            "duration_ms": 1000,
            "streamed": True,
            "why": "sticky",
            "cost_usd": 0.25,
            **fields,
        }
    )


def sample(after: float, used: float | None, *, resets_in: float = 5 * HOUR, **fields: Any) -> Sample:
    """A five-hour window of account `a`, `after` seconds after T0; `resets_in` counts from T0."""
    return Sample(
        **{
            "at": T0 + after,
            "account": "a",
            "window": "5h",
            "used": used,
            "resets_at": T0 + resets_in,
            "standing": "allowed",
            "source": "header",
            "length": 5 * HOUR,
            **fields,
        }
    )
