"""A pool as the control API tells it."""

from __future__ import annotations

import json
from typing import Any

T0 = 1_800_000_000.0
"""Epoch seconds at which it is looked at."""

REQUEST: dict[str, Any] = {
    "id": "req_1",
    "ts_ms": T0 * 1000 - 5000,
    "account": "coral",
    "client": None,
    "model": "claude-sonnet-5-5",
    "status": 200,
    "outcome": "served",
    "why": "sticky",
    "input_tokens": 12_345,
    "cache_read_tokens": 100,
    "output_tokens": 20,
    "cost_usd": 0.0031,
    "first_byte_ms": 200,
    "duration_ms": 1800,
    "attempts": [
        {"account": "reef", "verdict": "limited", "reason": "5h window rejected"},
        {"account": "coral", "verdict": "served", "reason": "HTTP 200"},
    ],
}
ACTIVE: dict[str, Any] = {
    "id": "req_2",
    "account": "coral",
    "client": None,
    "model": "claude-sonnet-5-5",
    "phase": "streaming",
    "age_ms": 2100,
    "tokens_per_second": 41.6,
    "since_last_byte_ms": 120,
    "output_tokens": 80,
    "why": "sticky",
    "stalled": False,
}
ERROR: dict[str, Any] = {
    "id": "req_3",
    "at": T0 - 60,
    "account": "reef",
    "model": "claude-sonnet-5-5",
    "status": 529,
    "message": "The vendor is overloaded.",
    "cure": "Nothing to do; shunt tries again.",
}


SUMS: dict[str, Any] = {
    "groups": [
        {"key": {"account": "coral"}, "requests": 3, "errors": 0, "input_tokens": 12_345, "cost_usd": 1.0}
    ],
    "total": {"requests": 5, "errors": 1, "cache_read_share": 0.5, "cost_usd": 2.0},
}


def account(name: str, used: float, **fields: Any) -> dict[str, Any]:
    """An account with its 5-hour window this full."""
    return {
        "name": name,
        "provider": "anthropic",
        "plan_type": "max",
        "email": f"{name}@example.test",
        "status": "available",
        "available": True,
        "disabled": False,
        "in_flight": 1,
        "utilization_5h": used,
        "reset_5h": T0 + 8880,
        "utilization_7d": 0.41,
        "reset_7d": T0 + 300_000,
        "windows": [{"name": "5h", "used": used, "resets_at": T0 + 8880}],
        "tokens_used": {"total": 12_345},
        "cache_read_share": 0.8,
        "cooldowns": [],
        **fields,
    }


def status(**fields: Any) -> dict[str, Any]:
    """A `/status` document."""
    return {
        "version": "9.9",
        "strategy": "maximus",
        "strategy_source": "config",
        "pinned_account": None,
        "last_used_account": "coral",
        "waiting": 0,
        "accounts": [
            account("coral", 0.33),
            account(
                "reef",
                1.0,
                status="cooling",
                cooldown_until_ms=(T0 + 90) * 1000,
                cooldown_reason="5h window rejected",
            ),
        ],
        "active": [ACTIVE],
        "recent_requests": [REQUEST],
        "savings": {"today_cost_usd": 1.5, "week_cost_usd": 2.25, "all_time_cost_usd": 9.0},
        "watchers": [
            {"name": "cooldown", "state": "idle", "degraded": False, "last_run_ms": T0 * 1000 - 3000}
        ],
        "troubles": {},
        **fields,
    }


def events(*told: tuple[str, Any]) -> bytes:
    """A stream of events, as bytes."""
    return b"".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode() for kind, data in told)
