"""Histories without reasoning."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import Seal, SealForm
from shunt.inference.envelope import wrap
from shunt.models.rules import rules_for
from shunt.protocols.anthropic_messages.without_reasoning import adapt_request, without_reasoning
from shunt.protocols.codec import Target

OWN = {"type": "thinking", "thinking": "hm", "signature": "EqQBsig"}
OTHERS = {"type": "redacted_thinking", "data": wrap(Seal("codex", SealForm.ENCRYPTED, "gAAAA"))}
SAID = {"type": "text", "text": "a1"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
USER = {"role": "user", "content": "q"}


def request(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **fields}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (request(USER, assistant(OWN, SAID), USER), request(USER, assistant(SAID), USER)),
        (request(USER, assistant(OTHERS, OWN), USER), request(USER, USER)),
        (
            request(USER, assistant(OWN, CALL), USER, thinking={"type": "adaptive"}),
            request(USER, assistant(CALL), USER, thinking={"type": "adaptive"}),
        ),
        (
            request(
                USER,
                assistant(OWN, CALL),
                thinking={"type": "enabled", "budget_tokens": 1024},
                context_management={
                    "edits": [{"type": "clear_thinking_20251015"}, {"type": "clear_tool_uses_20250919"}]
                },
            ),
            request(
                USER,
                assistant(CALL),
                thinking={"type": "disabled"},
                context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
            ),
        ),
    ],
)
def test_reasoning_goes_and_turns_stay(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Only blocks of reasoning are left out; thinking is switched off where it could not go on."""
    assert without_reasoning(before) == after


def test_only_other_vendors_envelopes() -> None:
    """A conversation that comes back to Anthropic keeps what Anthropic signed."""
    before = request(USER, assistant(OTHERS, OWN, SAID))
    assert without_reasoning(before, envelopes_only=True) == request(USER, assistant(OWN, SAID))
    assert without_reasoning(request(USER, assistant(OWN, SAID)), envelopes_only=True) is None


@pytest.mark.parametrize(
    "document", [request(USER, assistant(SAID)), {"messages": "none"}, {}, request("x", {"content": [5]})]
)
def test_nothing_to_leave_out(document: dict[str, Any]) -> None:
    """Where there is no reasoning there is nothing to try again with."""
    assert without_reasoning(document) is None


def test_betas_in_a_body_become_a_header() -> None:
    """The vendor refuses the field; everything else stays."""
    target = Target("m", rules_for("claude-opus-5-5", "anthropic"), "anthropic", "anthropic")
    body = {"model": "m", "messages": [], "betas": ["a-2026", "b-2026", 3]}
    found = adapt_request(body, target)
    assert found is not None
    assert found.document == {"model": "m", "messages": []}
    assert found.headers == ((b"anthropic-beta", b"a-2026"), (b"anthropic-beta", b"b-2026"))
    assert adapt_request({"model": "m", "messages": []}, target) is None
