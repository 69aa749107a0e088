"""Requests, traces and decisions as JSON documents: pure, one form for every view.

Names in `_ms` are milliseconds, epoch or length; other moments are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from shunt.accounts.state import RequestRecord
from shunt.gateway.trace import Trace
from shunt.routing.explain import Decision
from shunt.wire import json

Document = dict[str, Any]


def of_request(record: RequestRecord) -> Document:
    """A finished request. The first shunt's names are kept."""
    usage = record.usage
    return {
        "id": record.id,
        "ts_ms": round(record.at * 1000),
        "account": record.account or None,
        "client": record.client or None,
        "conversation": record.conversation,
        "model": record.model,
        "served_model": record.served_model,
        "protocol_in": record.protocol_in,
        "protocol_out": record.protocol_out,
        "operation": str(record.operation),
        "status": record.status,
        "outcome": record.outcome,
        "why": record.why,
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cache_read_tokens": usage.cache_read,
        "cache_write_tokens": usage.cache_write,
        "cache_write_5m_tokens": usage.cache_write_5m,
        "cache_write_1h_tokens": usage.cache_write_1h,
        "reasoning_tokens": usage.reasoning,
        "cost_usd": round(record.cost_usd, 6),
        "metered": record.metered,
        "moved_from": record.moved_from or None,
        "rebilled_tokens": record.rebilled,
        "first_byte_ms": record.first_byte_ms,
        "duration_ms": record.duration_ms,
        "streamed": record.streamed,
        "attempts": [
            {"account": note.account, "verdict": str(note.verdict), "reason": note.reason}
            for note in record.attempts
        ],
    }


def of_decision(decision: Decision) -> Document:
    """A routing decision with everything it considered."""
    document: Document = msgspec.to_builtins(decision)
    return document


def of_decisions(trace: Trace) -> list[Document]:
    """All decisions of a request, finished or not."""
    # In this order: they may be told and let go of in a thread just now.
    decisions, told = trace.decisions, trace.told
    return json.value(told) if told else [of_decision(decision) for decision in decisions]


def of_trace(
    request: Mapping[str, Any],
    marks: Iterable[tuple[str, float, str]],
    decisions: Iterable[Document],
    stalls: Iterable[tuple[float, float]],
    error: Mapping[str, Any] | None,
) -> Document:
    """A request with its phases and decisions (see `of_decision`). `stalls` are (seconds since arrival, seconds of silence)."""
    arrived = request["ts_ms"]
    return {
        "request": dict(request),
        "phases": [
            {"phase": str(phase), "at_ms": round(at * 1000) - arrived, "account": account or None}
            for phase, at, account in marks
        ],
        "decisions": list(decisions),
        "stalls": [{"at_ms": round(at * 1000), "seconds": round(length, 1)} for at, length in stalls],
        "error": None if error is None else dict(error),
    }
