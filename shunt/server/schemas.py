"""The documents of the control API as JSON schemas: data, for `openapi.py`."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
ANY: Final[Schema] = {}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return (
        {**schema, "type": [schema["type"], "null"]}
        if "type" in schema
        else {"anyOf": [schema, {"type": "null"}]}
    )


def many(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Schema:
    """A schema of SCHEMAS."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(about: str, **fields: Schema) -> Schema:
    """An object with all of these fields; more may come with later versions."""
    required = list(fields)
    return {"type": "object", "description": about, "properties": fields, "required": required}


_TOKENS: Final[dict[str, Schema]] = {
    "input_tokens": WHOLE,
    "output_tokens": WHOLE,
    "cache_read_tokens": WHOLE,
    "cache_write_tokens": WHOLE,
    "reasoning_tokens": WHOLE,
    "cost_usd": NUMBER,
    "rebilled_tokens": WHOLE,
}

SCHEMAS: Final[dict[str, Schema]] = {
    "Error": record(
        "What went wrong, and what to do.",
        error=record("The failure.", message=TEXT, type=TEXT, request_id=TEXT),
    ),
    "Attempt": record("One try at one account.", account=TEXT, verdict=TEXT, reason=TEXT),
    "Request": record(
        "A finished request. Input tokens are fresh ones; those of a prompt cache are counted apart.",
        id=TEXT,
        ts_ms=WHOLE,
        account=maybe(TEXT),
        client=maybe(TEXT),
        conversation=TEXT,
        model=TEXT,
        served_model=TEXT,
        protocol_in=TEXT,
        protocol_out=TEXT,
        operation=TEXT,
        status=WHOLE,
        outcome={"type": "string", "enum": ["served", "refused", "client_gone", "cut", "failed"]},
        why=TEXT,
        cache_write_5m_tokens=WHOLE,
        cache_write_1h_tokens=WHOLE,
        metered=FLAG,
        moved_from=maybe(TEXT),
        first_byte_ms=maybe(WHOLE),
        duration_ms=WHOLE,
        streamed=FLAG,
        attempts=many(ref("Attempt")),
        **_TOKENS,
    ),
    "Active": record(
        "A running request. Tokens are an estimate until the vendor tells them at the end.",
        id=TEXT,
        ts_ms=WHOLE,
        client=maybe(TEXT),
        conversation=TEXT,
        model=TEXT,
        protocol=TEXT,
        operation=TEXT,
        streamed=FLAG,
        account=maybe(TEXT),
        why=TEXT,
        phase=TEXT,
        age_ms=WHOLE,
        first_byte_ms=maybe(WHOLE),
        bytes=WHOLE,
        chunks=WHOLE,
        output_tokens=WHOLE,
        tokens_per_second=maybe(NUMBER),
        since_last_byte_ms=maybe(WHOLE),
        stalled=FLAG,
        stalls=WHOLE,
        attempts=WHOLE,
    ),
    "Fact": record(
        "What refused an account, and how it is known.",
        kind={"type": "string", "enum": ["window", "cooldown", "credential", "owner", "request"]},
        what=TEXT,
        source=maybe(TEXT),
        seen_at=maybe(NUMBER),
        until=maybe(NUMBER),
    ),
    "Candidate": record(
        "One account as a decision saw it.",
        account=TEXT,
        chosen=FLAG,
        score=many(NUMBER),
        refusal=maybe(TEXT),
        detail=TEXT,
        back_at=maybe(NUMBER),
        fact=maybe(ref("Fact")),
    ),
    "Decision": record(
        "One routing decision.",
        at=NUMBER,
        account=maybe(TEXT),
        why=TEXT,
        retry_at=maybe(NUMBER),
        borrowed=FLAG,
        candidates=many(ref("Candidate")),
    ),
    "Phase": record("A phase began.", phase=TEXT, at_ms=WHOLE, account=maybe(TEXT)),
    "Stall": record("A silence within an answer.", at_ms=WHOLE, seconds=NUMBER),
    "Trace": record(
        "Everything known of one request.",
        request={"anyOf": [ref("Request"), ref("Active")]},
        phases=many(ref("Phase")),
        decisions=many(ref("Decision")),
        stalls=many(ref("Stall")),
        error=maybe(ref("Failure")),
    ),
    "Failure": record(
        "A failed request, without secrets and content.",
        id=TEXT,
        at=NUMBER,
        account=maybe(TEXT),
        model=TEXT,
        status=WHOLE,
        outcome=TEXT,
        kind=TEXT,
        message=TEXT,
        cure=TEXT,
    ),
    "Forecast": record(
        "What becomes of a usage window at the present pace.",
        account=TEXT,
        window=TEXT,
        used=NUMBER,
        resets_at=NUMBER,
        pace_per_hour=NUMBER,
        runs_dry_at=maybe(NUMBER),
        used_at_reset=NUMBER,
        samples=WHOLE,
    ),
    "Window": record(
        "A usage window, with how it is known.",
        name=TEXT,
        used=maybe(NUMBER),
        resets_at=maybe(NUMBER),
        status=TEXT,
        models=maybe(TEXT),
        length=maybe(NUMBER),
        in_use=FLAG,
        source=TEXT,
        seen_at=NUMBER,
        age=NUMBER,
    ),
    "Sample": record(
        "A usage window at one moment.",
        at=NUMBER,
        account=TEXT,
        window=TEXT,
        used=maybe(NUMBER),
        resets_at=maybe(NUMBER),
        status=TEXT,
        source=TEXT,
    ),
    "Account": record(
        "An account as it stands.",
        name=TEXT,
        email=maybe(TEXT),
        plan_type=maybe(TEXT),
        provider=TEXT,
        pool=TEXT,
        priority=WHOLE,
        subscription=FLAG,
        status={"type": "string", "enum": ["available", "cooling", "disabled", "reauth_required"]},
        available=FLAG,
        disabled=FLAG,
        auth_failed=FLAG,
        cooldown_until_ms=maybe(WHOLE),
        cooldown_reason=maybe(TEXT),
        utilization_5h=maybe(NUMBER),
        reset_5h=maybe(NUMBER),
        utilization_7d=maybe(NUMBER),
        reset_7d=maybe(NUMBER),
        in_flight=WHOLE,
        windows=many(ref("Window")),
        forecast=maybe(ref("Forecast")),
        forecasts=many(ref("Forecast")),
    ),
    "Watcher": record(
        "A background task.",
        name=TEXT,
        state=TEXT,
        degraded=FLAG,
        last_run_ms=maybe(WHOLE),
        next_run_ms=maybe(WHOLE),
        runs=WHOLE,
        failures=WHOLE,
        last_error=maybe(TEXT),
    ),
    "Status": record(
        "The whole picture.",
        version=TEXT,
        started_ms=WHOLE,
        strategy=TEXT,
        strategy_source=TEXT,
        pinned_account=maybe(TEXT),
        last_used_account=maybe(TEXT),
        waiting=WHOLE,
        accounts=many(ref("Account")),
        active=many(ref("Active")),
        recent_requests=many(ref("Request")),
        savings={"type": "object", "additionalProperties": NUMBER},
        cache_read_share=maybe(NUMBER),
        errors_recent=WHOLE,
        watchers=many(ref("Watcher")),
        credentials={"type": "object", "additionalProperties": TEXT},
        troubles={"type": "object", "additionalProperties": TEXT},
    ),
    "Sums": record(
        "What a group of requests adds up to; `cost_usd` at API prices, `metered_usd` the part really paid.",
        requests=WHOLE,
        errors=WHOLE,
        metered_usd=NUMBER,
        moves=WHOLE,
        cache_read_share=maybe(NUMBER),
        first_byte_ms=maybe(NUMBER),
        duration_ms=maybe(NUMBER),
        first_at=maybe(NUMBER),
        last_at=maybe(NUMBER),
        **_TOKENS,
    ),
    "Group": {"allOf": [ref("Sums"), record("Which group.", key={"type": "object"})]},
    "History": {
        "oneOf": [
            record("A page of requests.", requests=many(ref("Request")), next=maybe(TEXT)),
            record("Requests added up.", by=many(TEXT), groups=many(ref("Group")), total=ref("Sums")),
        ]
    },
    "Strategy": record("How accounts are chosen.", strategy=TEXT, source=TEXT),
    "Ready": record(
        "Whether requests can be served.", ready=FLAG, status=TEXT, reasons=many(TEXT), degraded=many(TEXT)
    ),
}
"""By name."""
