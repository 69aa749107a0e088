"""Token counts as OpenAI's two protocols report them: the input includes everything cached."""

from __future__ import annotations

from typing import Any, Final

from shunt.inference.usage import Usage
from shunt.wire import json

_READ: Final = ("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens")
"""What servers call it beside the details; the last is DeepSeek's name."""
_WRITTEN: Final = ("cache_creation_tokens", "cache_creation_input_tokens")


def read_usage(usage: Any) -> Usage:
    """Read a `usage` object of Chat Completions or Responses, or of a server that is like them.

    Cached and newly cached tokens are taken out of the input; counts that contradict each other
    never make it negative.
    """
    if not isinstance(usage, dict):
        return Usage()
    into = _details(usage, "prompt_tokens_details", "input_tokens_details")
    out = _details(usage, "completion_tokens_details", "output_tokens_details")
    prompt = _first(usage, "prompt_tokens", "input_tokens")
    read = min(prompt, _first(into, "cached_tokens") or _first(usage, *_READ))
    written = min(
        prompt - read,
        _first(into, "cache_write_tokens", "cache_creation_tokens") or _first(usage, *_WRITTEN),
    )
    return Usage(
        input=prompt - read - written,
        cache_read=read,
        cache_write_5m=written,
        output=_first(usage, "completion_tokens", "output_tokens"),
        reasoning=_first(out, "reasoning_tokens"),
    )


def _first(fields: dict[str, Any], *names: str) -> int:
    """The first of these fields that holds a number; 0 when none does."""
    return next((n for name in names if (n := json.count(fields.get(name))) is not None), 0)


def _details(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((found for name in names if isinstance(found := usage.get(name), dict)), {})
