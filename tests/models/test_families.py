"""Names of models, and the families their limits are kept by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.models.families import family_of, maker_of, plain_name


@pytest.mark.parametrize(
    ("model", "plain", "family"),
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5", "sonnet"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "sonnet"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "sonnet"),
        ("claude-opus-4-6[1m]", "claude-opus-4-6", "opus"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5", "sonnet"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "sonnet"),
        ("claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet", "sonnet"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku", "haiku"),
        (" Claude-Opus-5-5 ", "claude-opus-5-5", "opus"),
        ("claude-fable-5-2", "claude-fable-5-2", "fable"),
        ("claude-mythos-preview", "claude-mythos-preview", "mythos"),
        ("opus", "opus", "opus"),
        ("opus[1m]", "opus", "opus"),
        ("claude-instant-1.2", "claude-instant-1-2", "claude-instant-1-2"),
        ("gpt-5.5", "gpt-5.5", "gpt-5.5"),
        ("my-sonnet-tune", "my-sonnet-tune", "my-sonnet-tune"),
        ("octopus-7b", "octopus-7b", "octopus-7b"),
        ("", "", ""),
    ],
)
def test_names_and_families(model: str, plain: str, family: str) -> None:
    """Prefix, date, revision and mode go; Claude models have their family, others are their own."""
    assert (plain_name(model), family_of(model)) == (plain, family)


@given(st.text(max_size=200))
def test_any_name_has_a_bounded_family(model: str) -> None:
    """Names come from clients: the key made of them is never long, and stable."""
    assert len(family_of(model)) <= 100
    assert plain_name(plain_name(model)) == plain_name(plain_name(plain_name(model)))


@pytest.mark.parametrize(
    ("model", "maker"),
    [
        ("claude-opus-5-5", "anthropic"),
        ("Claude-3-5-sonnet-20241022", "anthropic"),
        ("sonnet", "anthropic"),
        ("gpt-5.5-codex", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("codex-mini-latest", "openai"),
        ("gpt-oss-120b", ""),
        ("openrouter/claude-opus-5-5", ""),
        ("anthropic/claude-sonnet-4.5", ""),
        ("o365-helper", ""),
        ("llama3", ""),
        ("", ""),
    ],
)
def test_makers_that_a_name_says_plainly(model: str, maker: str) -> None:
    """Anything else may be anybody's."""
    assert maker_of(model) == maker
