"""What plain and streamed answers have in common."""

from __future__ import annotations

import pytest

from shunt.inference.content import Citation, Text, ToolCall
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat import answer_words as words
from shunt.protocols.openai_usage import read_usage

PATCH = ToolCall("c", "apply_patch", "*** Begin", custom=True)


def test_id() -> None:
    """An answer's id is made from our request's."""
    assert words.answer_id("req_0123") == "chatcmpl-0123"


@pytest.mark.parametrize(
    ("tier", "told"), [("standard", "default"), ("priority", "priority"), ("batch", None), ("", None)]
)
def test_tier(tier: str, told: str | None) -> None:
    """Only tiers that Chat knows are told."""
    assert words.tier_fields(tier).get("service_tier") == told


def test_usage_and_back() -> None:
    """Counts are told inclusive of the cache, and mean the same when they are read again."""
    usage = Usage(input=10, cache_read=1000, cache_write_5m=200, output=30, reasoning=20)
    fields = words.usage_fields(usage)
    assert fields["prompt_tokens"] == 1210
    assert fields["total_tokens"] == 1240
    assert read_usage(fields) == usage


def test_citations() -> None:
    """A source stands where it says, else for its whole text; others than pages are not told."""
    text = Text(
        "😀abc", (Citation("https://a.org", "A"), Citation("https://b.org", start=1, end=2), Citation())
    )
    places = [
        (c["url_citation"]["start_index"], c["url_citation"]["end_index"])
        for c in words.url_citations(text, 10)
    ]
    assert places == [(10, 14), (11, 12)]
    assert words.has_other_sources(text.citations)


def test_name() -> None:
    """A namespace becomes part of the name."""
    assert words.call_name(ToolCall("c", "read", namespace="fs")) == "fs__read"


def test_custom_form() -> None:
    """Custom calls are shown as such to clients that offer the tool, and have no legacy form."""
    offering = GenerateRequest("m", tools=(Tool("apply_patch", custom=True),))
    assert words.CallForm(offering).is_custom(PATCH)
    assert words.CallForm(offering).fields(PATCH, "x")["custom"] == {"name": "apply_patch", "input": "x"}
    assert words.CallForm(GenerateRequest("m")).arguments(PATCH) == '{"input":"*** Begin"}'
    legacy = GenerateRequest("m", tools=offering.tools, legacy_functions=True)
    assert not words.CallForm(legacy).is_custom(PATCH)
