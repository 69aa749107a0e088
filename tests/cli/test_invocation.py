"""What a command was called with."""

from __future__ import annotations

import pytest

from shunt.cli.invocation import Invocation, of_process
from tests.cli.desk import never


def test_the_nearer_option_counts() -> None:
    """An option after the command wins over one before it, and silence keeps what there was."""
    call = Invocation({}, lambda: 0.0, never).at("/a", "/c").at("/b", None)
    assert (call.home, call.config) == ("/b", "/c")


def test_the_process_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is a copy: what changes later does not reach a command half-way."""
    monkeypatch.setenv("SHUNT_TEST", "before")
    call = of_process()
    monkeypatch.setenv("SHUNT_TEST", "after")
    assert call.environ["SHUNT_TEST"] == "before"


def test_the_environment_is_not_shown() -> None:
    """It may hold keys."""
    assert "canary" not in repr(Invocation({"KEY": "canary"}, lambda: 0.0, never))
