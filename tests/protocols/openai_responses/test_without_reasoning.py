"""Requests without the reasoning in their history."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference import envelope
from shunt.inference.content import Seal, SealForm
from shunt.protocols.openai_responses.without_reasoning import opened, without_reasoning

USER = {"type": "message", "role": "user", "content": "hi"}
OWN = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


def wrapped(seal: Seal) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [], "encrypted_content": envelope.wrap(seal)}


FOREIGN = wrapped(Seal("anthropic", SealForm.SIGNATURE, "EqQB"))


def test_reasoning_is_left_out() -> None:
    """And nothing else."""
    body = {"model": "m", "x": 1, "input": [USER, OWN, FOREIGN, {"type": "compaction"}]}
    assert without_reasoning(body) == {"model": "m", "x": 1, "input": [USER, {"type": "compaction"}]}


def test_only_other_vendors_where_that_is_asked() -> None:
    """The vendor's own stays."""
    assert without_reasoning({"input": [USER, OWN, FOREIGN]}, envelopes_only=True) == {"input": [USER, OWN]}


@pytest.mark.parametrize("body", [{}, {"input": "hi"}, {"input": [USER, 5]}])
def test_nothing_to_leave_out(body: dict[str, Any]) -> None:
    """A second try would be the same."""
    assert without_reasoning(body) is None


@pytest.mark.parametrize(
    ("seal", "kept"),
    [
        (Seal("openai", SealForm.ENCRYPTED, "gAAAA", "acc-1"), True),
        (Seal("openai", SealForm.ENCRYPTED, "gAAAA", "acc-2"), False),
        (Seal("openai", SealForm.SIGNATURE, "gAAAA"), False),
        (Seal("anthropic", SealForm.SIGNATURE, "EqQB"), False),
    ],
)
def test_envelopes_are_opened_for_whom_they_are(seal: Seal, kept: bool) -> None:
    """For this origin and account."""
    own = [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}] if kept else []
    assert opened({"input": [USER, wrapped(seal), OWN]}, "openai", "acc-1") == {"input": [USER, *own, OWN]}


def test_a_body_without_envelopes() -> None:
    """Passes as it is."""
    assert opened({"input": [USER, OWN]}, "openai", "acc-1") is None
