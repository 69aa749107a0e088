from __future__ import annotations

from shunt.inference.usage import Usage


def test_the_prompt_is_fresh_tokens_and_both_sides_of_the_cache() -> None:
    """Input excludes cached tokens; the whole prompt is the sum, whatever their lifetime."""
    usage = Usage(input=25, cache_read=70, cache_write_5m=3, cache_write_1h=2, output=9)
    assert usage.cache_write == 5
    assert usage.prompt == 100
