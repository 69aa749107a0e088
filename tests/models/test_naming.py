"""What a name of a model says, and what upstreams call the same model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.request import Effort
from shunt.models.naming import Naming, naming, resolved, served

LISTED = (
    "claude-opus-5-5",
    "claude-opus-4-6",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-5-5",
    "claude-haiku-4-5-20251001",
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-5.5", Naming("gpt-5.5")),
        ("gpt-5.5-high", Naming("gpt-5.5", Effort.HIGH)),
        ("gpt-5.5-xhigh", Naming("gpt-5.5", Effort.XHIGH)),
        ("openai/gpt-5.5-low", Naming("openai/gpt-5.5", Effort.LOW)),
        ("gpt-5.5(high)", Naming("gpt-5.5", Effort.HIGH)),
        ("anything at all (Max)", Naming("anything at all", Effort.MAX)),
        ("gpt-5.5-fast", Naming("gpt-5.5", None, fast=True)),
        ("gpt-5.5-high-fast", Naming("gpt-5.5", Effort.HIGH, fast=True)),
        ("gpt-5.5-fast-high", Naming("gpt-5.5", Effort.HIGH, fast=True)),
        ("claude-opus-5-5-medium", Naming("claude-opus-5-5", Effort.MEDIUM)),
        ("gpt-5.1-codex-max", Naming("gpt-5.1-codex-max")),
        ("gpt-5.1-codex-max-xhigh", Naming("gpt-5.1-codex-max", Effort.XHIGH)),
        ("grok-4-fast", Naming("grok-4-fast")),
        ("qwen3-low", Naming("qwen3-low")),
        ("", Naming("")),
    ],
)
def test_effort_and_speed_at_the_end_of_a_name(name: str, expected: Naming) -> None:
    """They are read where no model's own name ends so, in any order, and nowhere else."""
    assert naming(name) == expected
    assert expected.steers is bool(expected.effort or expected.fast)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("anthropic/claude-opus-5.5", "claude-opus-5-5"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ("claude-opus-4-6-20260205", "claude-opus-4-6"),
        ("opus", "claude-opus-5-5"),
        ("claude-sonnet-latest", "claude-sonnet-5-5"),
        ("claude-3-5-haiku-20241022", "claude-haiku-4-5-20251001"),
        ("claude-opus-9", "claude-opus-9"),
        ("gpt-5.5", "gpt-5.5"),
        ("my-opus-tune", "my-opus-tune"),
        ("", ""),
    ],
)
def test_a_name_becomes_the_upstreams_own(asked: str, expected: str) -> None:
    """The same model by another spelling, a family's newest, a retired one's heir; anything else passes."""
    assert resolved(asked, LISTED, refused=True) == expected


def test_an_heir_stands_in_for_none_that_is_served() -> None:
    """Lists leave out what is still served, and an heir has a price of its own: a retired name has to be refused first."""
    assert resolved("claude-3-5-haiku-20241022", LISTED) == "claude-3-5-haiku-20241022"
    assert served({}, "claude-2.1", ("anthropic",), LISTED) == Naming("claude-2.1")
    assert served({}, "claude-2.1", ("anthropic",), LISTED, refused=True) == Naming("claude-sonnet-5-5")


@pytest.mark.parametrize(
    ("asked", "listed", "expected"),
    [
        ("claude-sonnet-4-5", ("anthropic/claude-sonnet-4.5", "x/y"), "anthropic/claude-sonnet-4.5"),
        ("gpt-5.5", ("openai/gpt-5.5", "gpt-5"), "openai/gpt-5.5"),
        ("gpt-5.5", ("gpt-5.5-2026-04-01", "gpt-5.5-2026-09-01"), "gpt-5.5-2026-09-01"),
        ("llama3", ("llama3:8b", "llama3:latest"), "llama3:latest"),
        ("gpt-oss", ("gpt-oss:20b",), "gpt-oss:20b"),
        ("llama3", (), "llama3"),
    ],
)
def test_prefixes_dates_and_tags_do_not_hide_a_model(
    asked: str, listed: tuple[str, ...], expected: str
) -> None:
    """Gateways prefix, vendors date and local servers tag the names of models."""
    assert resolved(asked, listed) == expected


def test_the_owners_mapping_comes_first() -> None:
    """By the whole name, then without its ending; what it maps to may itself end in an effort."""
    mappings = {
        "gpt-5.5-high": {"anthropic": "claude-opus-5-5"},
        "gpt-*": {"anthropic": "claude-sonnet-5-5(low)", "codex": "gpt-5.5-codex"},
    }
    assert served(mappings, "gpt-5.5-high", ("anthropic",)) == Naming("claude-opus-5-5")
    assert served(mappings, "gpt-5.5", ("anthropic",)) == Naming("claude-sonnet-5-5", Effort.LOW)
    assert served({"gpt-5.5": {"codex": "gpt-5.5-codex"}}, "gpt-5.5-high", ("codex",)) == Naming(
        "gpt-5.5-codex", Effort.HIGH
    )
    assert served({}, "gpt-5.5-high", ("openai",)) == Naming("gpt-5.5", Effort.HIGH)


def test_a_name_that_the_upstream_lists_is_left_alone() -> None:
    """Whatever it ends in, it is that model."""
    assert served({}, "gpt-5.5-high", ("openai",), ("gpt-5.5-high",)) == Naming("gpt-5.5-high")
    assert served({}, "opus", ("anthropic",), LISTED) == Naming("claude-opus-5-5")


@given(name=st.text(max_size=40), listed=st.lists(st.text(max_size=20), max_size=5))
def test_any_name_is_a_name(name: str, listed: list[str]) -> None:
    """Strange names neither fail nor become something that is not on offer."""
    assert resolved(name, listed) in (name, *listed)
    assert isinstance(naming(name).model, str)
