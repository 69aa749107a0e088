"""Why a model stopped."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.response import Stop
from shunt.protocols.anthropic_messages.stops import REASONS, read_explanation, read_stop, write_stop


@pytest.mark.parametrize("stop", Stop)
def test_every_stop_has_a_word(stop: Stop) -> None:
    """What is written is read as the same."""
    assert read_stop(REASONS[stop]) == (stop, "")


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        ("compaction", (Stop.PAUSE, "")),
        ("novel_reason", (Stop.END_TURN, "novel_reason")),
        (None, (Stop.END_TURN, "")),
        (5, (Stop.END_TURN, "")),
    ],
)
def test_unknown_words_end_the_turn(reason: Any, read: tuple[Stop, str]) -> None:
    """A new reason is kept for the report and never passed on."""
    assert read_stop(reason) == read


@pytest.mark.parametrize(
    ("details", "explanation"),
    [({"explanation": "because"}, "because"), ({"explanation": None}, ""), (None, ""), ("because", "")],
)
def test_a_refusal_is_explained(details: Any, explanation: str) -> None:
    """As far as the vendor says why."""
    assert read_explanation(details) == explanation


def test_what_a_client_is_told() -> None:
    """Reason, the sequence that was hit, and the details of a refusal."""
    assert write_stop(Stop.STOP_SEQUENCE, "END", "") == {
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
    }
    assert write_stop(Stop.REFUSAL, "", "why") == {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": None, "explanation": "why"},
    }
