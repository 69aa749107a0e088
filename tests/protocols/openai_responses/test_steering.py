"""Effort and speed of a model's name, in a client's own Responses body."""

from __future__ import annotations

from shunt.inference.request import Effort
from shunt.models.rules import rules_for
from shunt.protocols.codec import Target
from shunt.protocols.openai_responses.steering import steered

BODY = {"model": "m", "input": "hi", "reasoning": {"summary": "auto", "effort": "low"}}
TARGET = Target("gpt-5.5", rules_for("gpt-5.5", "openai"), "openai", "openai")


def test_effort_and_speed_in_responses_words() -> None:
    """The name's effort comes before the body's; what else is said of reasoning stays."""
    found = steered(BODY, TARGET, Effort.HIGH, fast=True)
    assert found["reasoning"] == {"summary": "auto", "effort": "high"}
    assert (found["service_tier"], found["input"]) == ("priority", "hi")
    assert BODY["reasoning"] == {"summary": "auto", "effort": "low"}


def test_nothing_said_changes_nothing() -> None:
    """Without an ending there is nothing to steer."""
    assert steered(BODY, TARGET, None, fast=False) == BODY
