"""Effort and speed of a model's name, in a client's own Messages body."""

from __future__ import annotations

from typing import Any

from shunt.inference.request import Effort
from shunt.models.rules import rules_for
from shunt.protocols.anthropic_messages.steering import steered
from shunt.protocols.codec import Target

BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 4000,
    "messages": [{"role": "user", "content": "hi"}],
    "x_new": 1,
}


def target(model: str) -> Target:
    return Target(model, rules_for(model, "anthropic"), "anthropic", "anthropic")


def test_models_that_adapt_are_told_the_effort() -> None:
    """Beside what the client said of how to show its thinking, and of the answer's shape."""
    body = BODY | {
        "thinking": {"type": "disabled", "display": "omitted"},
        "output_config": {"format": {"type": "x"}},
    }
    found = steered(body, target("claude-opus-5-5"), Effort.XHIGH, fast=False)
    assert found["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert found["output_config"] == {"format": {"type": "x"}, "effort": "xhigh"}
    assert (found["messages"], found["x_new"], found["max_tokens"]) == (BODY["messages"], 1, 4000)


def test_models_with_a_budget_are_given_one() -> None:
    """Fitted below the output limit."""
    found = steered(BODY, target("claude-sonnet-4-5"), Effort.HIGH, fast=False)
    assert found["thinking"] == {"type": "enabled", "budget_tokens": 2976}
    assert "output_config" not in found


def test_no_thinking_is_said_in_so_many_words() -> None:
    """Left out it would mean the default."""
    found = steered(BODY, target("claude-haiku-5-5"), Effort.NONE, fast=False)
    assert found["thinking"] == {"type": "disabled"}


def test_fast_is_a_field_of_its_own() -> None:
    """And nothing else changes."""
    assert steered(BODY, target("claude-opus-5-5"), None, fast=True) == BODY | {"speed": "fast"}
