"""What the process uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from shunt.telemetry import process


def test_figures_are_plausible() -> None:
    """Memory in bytes, CPU in seconds."""
    told = process.figures()
    assert told["rss_bytes"] > 5_000_000
    assert told["cpu_seconds"] > 0
    assert told["threads"] >= 1


def test_what_a_system_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """No /proc, no error."""
    monkeypatch.setattr(process, "STATM", Path("/nope"))
    monkeypatch.setattr(process, "DESCRIPTORS", Path("/nope"))
    told = process.figures()
    assert "open_files" not in told
    assert told["rss_bytes"] > 0  # the peak
