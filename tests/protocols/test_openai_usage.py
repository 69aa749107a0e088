"""Usage as OpenAI's protocols tell it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.usage import Usage
from shunt.protocols.openai_usage import read_usage


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 33, "completion_tokens": 7, "total_tokens": 40}, Usage(input=33, output=7)),
        ({"input_tokens": 33, "output_tokens": 7}, Usage(input=33, output=7)),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 75}},
            Usage(input=25, cache_read=75, output=5),
        ),
        (
            {
                "input_tokens": 100,
                "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
                "output_tokens": 50,
                "output_tokens_details": {"reasoning_tokens": 40},
            },
            Usage(input=10, cache_read=60, cache_write_5m=30, output=50, reasoning=40),
        ),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 15}}, Usage(cache_read=10)),
        ({"prompt_tokens": 10, "cached_tokens": 4}, Usage(input=6, cache_read=4)),
        (
            {"prompt_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_tokens": 2},
            Usage(input=4, cache_read=4, cache_write_5m=2),
        ),
        (
            {"prompt_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2},
            Usage(input=4, cache_read=4, cache_write_5m=2),
        ),
        (
            {"prompt_tokens": 10, "prompt_cache_hit_tokens": 6, "prompt_cache_miss_tokens": 4},
            Usage(input=4, cache_read=6),
        ),
        ({"prompt_tokens": None, "completion_tokens": "x", "prompt_tokens_details": None}, Usage()),
        (None, Usage()),
        ([], Usage()),
    ],
)
def test_cached_tokens_are_taken_out_of_the_input(usage: Any, expected: Usage) -> None:
    """Input counts what was neither read from nor written to a cache, and is never negative."""
    assert read_usage(usage) == expected


numbers = st.integers(-5, 1000) | st.none()


@given(prompt=st.integers(0, 1000), read=numbers, written=numbers)
def test_nothing_is_lost_or_invented(prompt: int, read: int | None, written: int | None) -> None:
    """The three parts always add up to the prompt."""
    usage = read_usage(
        {
            "prompt_tokens": prompt,
            "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        }
    )
    assert usage.prompt == prompt
    assert min(usage.input, usage.cache_read, usage.cache_write) >= 0
