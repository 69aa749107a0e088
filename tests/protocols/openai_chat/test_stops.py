"""Stop reasons, both ways."""

from __future__ import annotations

import pytest

from shunt.inference.response import Stop
from shunt.protocols.openai_chat.stops import FINISH, read_finish

OFFICIAL = {"stop", "length", "tool_calls", "content_filter", "function_call"}


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", Stop.END_TURN),
        ("length", Stop.MAX_TOKENS),
        ("tool_calls", Stop.TOOL_USE),
        ("function_call", Stop.TOOL_USE),
        ("content_filter", Stop.REFUSAL),
        ("model_length", Stop.MAX_TOKENS),
    ],
)
def test_known(finish: str, stop: Stop) -> None:
    """Finish reasons of OpenAI and of servers like it are understood."""
    assert read_finish(finish) == (stop, "")


def test_unknown() -> None:
    """A word nobody knows ends the turn, and is kept for the report."""
    assert read_finish("eos_token") == (Stop.END_TURN, "eos_token")


def test_every_stop_has_an_official_word() -> None:
    """Clients are only ever told finish reasons that their SDK knows."""
    assert set(FINISH) == set(Stop)
    assert set(FINISH.values()) <= OFFICIAL


def test_unfinished_is_never_stop() -> None:
    """Cut and paused answers are told as cut."""
    for stop in (Stop.MAX_TOKENS, Stop.CONTEXT_WINDOW, Stop.PAUSE):
        assert FINISH[stop] == "length"
