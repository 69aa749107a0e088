"""Effort and speed that a model's name asked for, put into a client's own Responses body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shunt.inference.effort import clamped
from shunt.inference.request import Effort
from shunt.protocols.codec import Document, Target


def steered(document: Mapping[str, Any], target: Target, effort: Effort | None, *, fast: bool) -> Document:
    """The body with these in the words that the model takes; everything else as it is."""
    after: Document = dict(document)
    if fast:
        after["service_tier"] = "priority"
    if effort is not None:
        said = after.get("reasoning")
        step = str(clamped(effort, target.rules.efforts) or effort)
        after["reasoning"] = (said if isinstance(said, dict) else {}) | {"effort": step}
    return after
