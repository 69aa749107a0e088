"""Rules of models: looked up by any name, the first table that matches."""

from __future__ import annotations

import pytest

from shunt.inference.request import Effort
from shunt.models.rules import PERMISSIVE, RULES, ModelRules, read_rules, rules_for, sizes_of


def steps(rules: ModelRules) -> str:
    """The ladder as one string."""
    return " ".join(rules.efforts)


@pytest.mark.parametrize(
    ("model", "vendor", "ladder"),
    [
        ("claude-opus-5-5", "anthropic", "low medium high xhigh max"),
        ("claude-opus-4-6", "anthropic", "low medium high max"),
        ("claude-opus-4-5-20251101", "anthropic", "low medium high"),
        ("claude-sonnet-4-5", "anthropic", ""),
        ("claude-3-7-sonnet-20250219", "anthropic", ""),
        ("gpt-6.1-sol", "openai", "low medium high xhigh max"),
        ("gpt-6-astra", "openai", "low medium high xhigh"),
        ("gpt-6-luna", "openai", "none low medium high xhigh max"),
        ("gpt-5.6-terra", "openai", "none low medium high xhigh max"),
        ("gpt-5.5", "openai", "none low medium high xhigh"),
        ("gpt-5.4-pro", "openai", "medium high xhigh"),
        ("gpt-5.1", "openai", "none low medium high"),
        ("gpt-5.1-codex-max", "codex", "low medium high xhigh"),
        ("gpt-5.1-codex", "codex", "low medium high"),
        ("gpt-5-mini", "openai", "minimal low medium high"),
        ("gpt-5-chat-latest", "openai", ""),
        ("o3-mini", "openai", "low medium high"),
        ("gpt-4o", "openai", ""),
    ],
)
def test_ladder(model: str, vendor: str, ladder: str) -> None:
    """Each model has the steps of effort that its vendor lists for it."""
    assert steps(rules_for(model, vendor)) == ladder


@pytest.mark.parametrize(
    ("model", "vendor", "like"),
    [
        ("anthropic/claude-sonnet-4.5", "anthropic", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic", "claude-sonnet-4-5"),
        ("Claude-Opus-4-6[1m]", "anthropic", "claude-opus-4-6"),
        ("openai/gpt-5.1-2025-11-13", "openai", "gpt-5.1"),
        ("ft:gpt-4o-mini:acme::id", "openai", "gpt-4o-mini"),
        ("gpt-5.1-high", "openai", "gpt-5.1"),
    ],
)
def test_names(model: str, vendor: str, like: str) -> None:
    """Prefixes, dates and decoration do not change a model."""
    assert rules_for(model, vendor) == rules_for(like, vendor)


@pytest.mark.parametrize(
    ("model", "vendor", "newest"),
    [
        ("claude-opus-7", "anthropic", "claude-opus-5-5"),
        ("o9", "codex", "gpt-6.1-sol"),
        ("x", "openai", "gpt-9"),
    ],
)
def test_unknown(model: str, vendor: str, newest: str) -> None:
    """A model nobody has heard of is treated as the vendor's newest."""
    assert rules_for(model, vendor) == rules_for(newest, vendor)


def test_sampling() -> None:
    """Reasoning models of OpenAI and newer ones of Anthropic take no temperature; older ones do."""
    assert not rules_for("o3-mini", "openai").sampling
    assert not rules_for("gpt-5.1", "openai").sampling
    assert not rules_for("claude-opus-4-7", "anthropic").sampling
    assert rules_for("claude-sonnet-4-5", "anthropic").sampling
    assert not rules_for("claude-sonnet-4-5", "anthropic").temperature_and_top_p
    assert rules_for("gpt-4o", "openai").sampling


def test_thinking_off() -> None:
    """How little a Claude model can think differs: not at all, between tools only, always."""
    assert rules_for("claude-opus-4-6", "anthropic").thinking_off == "disabled"
    assert rules_for("claude-sonnet-5-5", "anthropic").thinking_off == "between_tools"
    assert rules_for("claude-opus-5-5", "anthropic").thinking_off == ""


def test_forced_choice() -> None:
    """The newest models refuse forced tools, older ones only beside thinking."""
    assert not rules_for("claude-opus-5-5", "anthropic").forced_choice
    assert rules_for("claude-3-7-sonnet", "anthropic").forced_choice
    assert not rules_for("claude-3-7-sonnet", "anthropic").forced_choice_with_thinking


def test_tools_on_chat() -> None:
    """From GPT-5.4 on, function tools on Chat Completions exclude effort."""
    assert rules_for("gpt-5.2", "openai").tools_with_effort_on_chat
    assert not rules_for("gpt-5.4", "openai").tools_with_effort_on_chat


def test_compatible_unknown() -> None:
    """A model of which nothing is known may be asked for everything usual."""
    assert rules_for("llama3.3:70b", "compatible") is PERMISSIVE


def test_compatible_known() -> None:
    """A compatible server refuses what the model refuses, and is spoken to in older words."""
    reasoning = rules_for("openai/gpt-5.1", "compatible")
    assert not reasoning.sampling
    assert reasoning.completion_tokens
    assert not reasoning.developer_role
    assert not reasoning.custom_tools
    assert not rules_for("gpt-4o", "compatible").completion_tokens
    assert rules_for("claude-sonnet-4-5", "compatible") == rules_for("claude-sonnet-4-5", "anthropic")


def test_sizes() -> None:
    """The catalogue's sizes win over the group's."""
    assert rules_for("claude-opus-4-6", "anthropic").max_output == 128_000
    assert rules_for("claude-3-opus", "anthropic").max_output == 4_096


def test_tables() -> None:
    """Every table says whom it is for, and lists its steps weakest first."""
    for table in RULES:
        assert table.vendor in ("anthropic", "openai")
        assert table.models
        assert list(table.rules.efforts) == sorted(table.rules.efforts, key=list(Effort).index)


@pytest.mark.parametrize(
    "text",
    [
        '[[rules]]\nmodels = ["x"]',
        '[[rules]]\nvendor = "openai"\nmodels = ["x"]\nefforts = ["huge"]',
        '[[rules]]\nvendor = "openai"\nmodels = ["x"]\ntemprature = true',
        "version = 1",
    ],
)
def test_malformed(text: str) -> None:
    """A file with a misspelt key, step or vendor is refused, not half read."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_rules(text)


@pytest.mark.parametrize(
    ("model", "sizes"),
    [
        ("claude-opus-5-5", (1_000_000, 128_000)),
        ("openai/gpt-4o", (128_000, 16_384)),
        ("llama3", (0, 0)),
    ],
)
def test_sizes_are_those_of_known_models_only(model: str, sizes: tuple[int, int]) -> None:
    """An unknown model has none: a wrong size is worse than no size."""
    assert sizes_of(model) == sizes
