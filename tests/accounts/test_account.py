"""What an account may serve."""

from __future__ import annotations

import pytest

from tests.fakes.pools import account


@pytest.mark.parametrize(
    ("globs", "model", "allowed"),
    [
        ((), "anything", True),
        (("claude-*",), "claude-opus-5-5", True),
        (("claude-*",), "gpt-5.5", False),
        (("*haiku*", "claude-opus-5-5"), "claude-opus-5-5", True),
        (("claude-opus-5",), "claude-opus-5-5", False),
    ],
)
def test_the_list_of_models_is_a_list_of_patterns(globs: tuple[str, ...], model: str, allowed: bool) -> None:
    """Without a list everything may be served, else what one of its patterns matches whole."""
    assert account("a", models=globs).serves(model) is allowed
