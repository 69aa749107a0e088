"""A client's own Responses body, for an upstream that speaks this protocol too, but not quite as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_responses import codex
from shunt.protocols.openai_responses.without_reasoning import opened


def adapt_request(document: Mapping[str, Any], target: Target) -> Encoded | None:
    """What the body has to become for this upstream; None when the bytes can pass as they are.

    Everything that needs no change stays, known or not. Raises InvalidRequest for stored state that the
    upstream does not have.
    """
    own = opened(document, target.origin, target.account)
    body = document if own is None else own
    if target.vendor == codex.VENDOR:
        if own is None and codex.fits(document, compact=target.compact):
            return None
        fitted = codex.fitted(body, compact=target.compact)
        return Encoded(fitted.document | {"model": target.model}, fitted.dropped)
    return None if own is None else Encoded(own | {"model": target.model})
