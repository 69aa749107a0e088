"""Token counts as the Messages API reports them, both ways: `input_tokens` excludes everything cached."""

from __future__ import annotations

from typing import Any, Final

from shunt.inference.usage import Usage
from shunt.wire import json

NOTHING: Final = Usage()


def read_usage(usage: Any, before: Usage = NOTHING) -> Usage:
    """Read a `usage` object; what it leaves out stays as it was.

    `message_start` holds the input, `message_delta` the totals so far of whatever it names.
    """
    if not isinstance(usage, dict):
        return before
    written_5m, written_1h = _written(usage, before)
    return Usage(
        input=_or(usage.get("input_tokens"), before.input),
        cache_read=_or(usage.get("cache_read_input_tokens"), before.cache_read),
        cache_write_5m=written_5m,
        cache_write_1h=written_1h,
        output=_or(usage.get("output_tokens"), before.output),
        reasoning=_or(_inner(usage, "output_tokens_details").get("thinking_tokens"), before.reasoning),
        web_searches=_or(_inner(usage, "server_tool_use").get("web_search_requests"), before.web_searches),
    )


def write_usage(usage: Usage) -> dict[str, Any]:
    """A `usage` object. The counts are always there: clients add them up without asking."""
    written: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.cache_write:
        written["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    if usage.reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.web_searches:
        written["server_tool_use"] = {"web_search_requests": usage.web_searches, "web_fetch_requests": 0}
    return written


def _written(usage: dict[str, Any], before: Usage) -> tuple[int, int]:
    """Tokens written to the 5-minute and the 1-hour cache; a total without split is of 5 minutes."""
    split = _inner(usage, "cache_creation")
    one_hour = json.count(split.get("ephemeral_1h_input_tokens"))
    five_minutes = json.count(split.get("ephemeral_5m_input_tokens"))
    total = json.count(usage.get("cache_creation_input_tokens"))
    if one_hour is None and five_minutes is None:
        if total is None or total == before.cache_write:
            return before.cache_write_5m, before.cache_write_1h
        return total, 0
    one_hour = one_hour or 0
    return max(five_minutes or 0, (total or 0) - one_hour), one_hour


def _or(found: Any, before: int) -> int:
    number = json.count(found)
    return before if number is None else number


def _inner(usage: dict[str, Any], name: str) -> dict[str, Any]:
    inner = usage.get(name)
    return inner if isinstance(inner, dict) else {}
