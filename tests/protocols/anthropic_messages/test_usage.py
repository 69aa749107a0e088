"""Usage as the Messages API tells it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.usage import read_usage, write_usage
from tests.inference.grammar import USAGES


@pytest.mark.parametrize(
    ("usage", "before", "expected"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, Usage(), Usage(input=10, output=5)),
        (
            {
                "input_tokens": 3,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 7,
                "output_tokens": 1,
            },
            Usage(),
            Usage(input=3, cache_read=20, cache_write_5m=7, output=1),
        ),
        (
            {
                "cache_creation_input_tokens": 10,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 6},
            },
            Usage(),
            Usage(cache_write_5m=4, cache_write_1h=6),
        ),
        (
            {"cache_creation_input_tokens": 10, "cache_creation": {"ephemeral_1h_input_tokens": 6}},
            Usage(),
            Usage(cache_write_5m=4, cache_write_1h=6),
        ),
        (
            {"output_tokens": 50},
            Usage(input=9, cache_read=3, output=1),
            Usage(input=9, cache_read=3, output=50),
        ),
        (
            {"cache_creation_input_tokens": 10, "output_tokens": 2},
            Usage(cache_write_5m=4, cache_write_1h=6),
            Usage(cache_write_5m=4, cache_write_1h=6, output=2),
        ),
        (
            {"cache_creation_input_tokens": 11},
            Usage(cache_write_5m=4, cache_write_1h=6),
            Usage(cache_write_5m=11),
        ),
        (
            {
                "output_tokens": 9,
                "output_tokens_details": {"thinking_tokens": 4},
                "server_tool_use": {"web_search_requests": 2},
            },
            Usage(),
            Usage(output=9, reasoning=4, web_searches=2),
        ),
        (
            {"input_tokens": None, "output_tokens": "5", "cache_creation": [], "server_tool_use": None},
            Usage(input=4),
            Usage(input=4),
        ),
        ({"input_tokens": -1}, Usage(), Usage()),
        (None, Usage(input=4), Usage(input=4)),
        ("x", Usage(input=4), Usage(input=4)),
    ],
)
def test_counts_are_read_and_kept(usage: Any, before: Usage, expected: Usage) -> None:
    """What an event names replaces what was known; what it leaves out or garbles stays."""
    assert read_usage(usage, before) == expected


@given(USAGES)
def test_what_is_written_is_read_again(usage: Usage) -> None:
    """Every count survives, and the four that clients add up are always there."""
    written = write_usage(usage)
    assert read_usage(written) == usage
    counts = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    assert all(isinstance(written[name], int) for name in counts)
