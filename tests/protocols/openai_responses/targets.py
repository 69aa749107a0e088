"""Upstreams to write requests for."""

from __future__ import annotations

from shunt.models.rules import rules_for
from shunt.protocols.codec import Target


def target(
    model: str = "gpt-5.1", vendor: str = "openai", *, account: str = "acc-1", compact: bool = False
) -> Target:
    return Target(model, rules_for(model, vendor), vendor, vendor, account, compact)
