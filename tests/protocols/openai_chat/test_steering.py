"""Effort and speed of a model's name, in a client's own Chat body."""

from __future__ import annotations

from shunt.inference.request import Effort
from shunt.models.rules import rules_for
from shunt.protocols.codec import Target
from shunt.protocols.openai_chat.steering import steered

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "x_new": 1}


def target(vendor: str) -> Target:
    return Target("gpt-5.5", rules_for("gpt-5.5", vendor), vendor, vendor)


def test_effort_and_speed_in_chats_words() -> None:
    """Clamped to what the model has; everything else stays."""
    assert steered(BODY, target("openai"), Effort.MAX, fast=True) == BODY | {
        "reasoning_effort": "xhigh",
        "service_tier": "priority",
    }


def test_servers_like_openai_are_not_told_of_tiers() -> None:
    """They may refuse the field."""
    assert steered(BODY, target("compatible"), None, fast=True) == BODY
