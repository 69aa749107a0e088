from __future__ import annotations

import pytest

from shunt.models.mapping import mapped_model

TABLE = {
    "claude-opus-*": {"openai": "gpt-5.5", "codex": "gpt-5.5-codex"},
    "claude-*": {"openai": "gpt-5.5-mini"},
    "gpt-*": {"anthropic": "claude-sonnet-5-5"},
}


@pytest.mark.parametrize(
    ("model", "families", "expected"),
    [
        ("claude-opus-5-5", ("codex", "openai"), "gpt-5.5-codex"),
        ("claude-opus-5-5", ("openai",), "gpt-5.5"),
        ("claude-haiku-5-5", ("codex", "openai"), "gpt-5.5-mini"),
        ("gpt-5.5", ("anthropic",), "claude-sonnet-5-5"),
        ("gpt-5.5", ("openai",), "gpt-5.5"),
        ("llama-3", ("anthropic",), "llama-3"),
    ],
)
def test_the_first_glob_that_names_the_family_decides(
    model: str, families: tuple[str, ...], expected: str
) -> None:
    """A mapping is taken as written; a model nobody mapped keeps its name."""
    assert mapped_model(TABLE, model, *families) == expected
