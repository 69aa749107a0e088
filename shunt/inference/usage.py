"""Tokens of one answer, counted one way for all protocols."""

from __future__ import annotations

from attrs import frozen


@frozen
class Usage:
    """Token counts. `input` excludes what was read from or written to a prompt cache.

    That is Anthropic's meaning; the OpenAI protocols count cached tokens inside their input
    and are converted at the border.
    """

    input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    """All output tokens, reasoning included."""
    reasoning: int = 0
    """The part of `output` spent on reasoning, where the vendor says."""
    web_searches: int = 0

    def plus(self, other: Usage) -> Usage:
        """The sum of both."""
        return Usage(
            input=self.input + other.input,
            cache_read=self.cache_read + other.cache_read,
            cache_write_5m=self.cache_write_5m + other.cache_write_5m,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            web_searches=self.web_searches + other.web_searches,
        )

    @property
    def cache_write(self) -> int:
        """Tokens written to a prompt cache, of either lifetime."""
        return self.cache_write_5m + self.cache_write_1h

    @property
    def prompt(self) -> int:
        """All input tokens: fresh, read from cache and written to cache."""
        return self.input + self.cache_read + self.cache_write
