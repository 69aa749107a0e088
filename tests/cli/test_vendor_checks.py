"""The way to a vendor, and the clock."""

from __future__ import annotations

import socket

import pytest

from shunt.cli.remarks import Level
from shunt.cli.vendor_checks import clock_remarks, vendor_remarks
from tests.cli.scripted_control import scripted_control

DATE = "Fri, 21 Nov 2025 09:00:00 GMT"
THEN = 1763715600.0


@pytest.mark.parametrize(
    ("off", "level", "word"),
    [
        (0.5, Level.FINE, "agrees"),
        (-29, Level.FINE, "agrees"),
        (45, Level.WARNING, "ahead of"),
        (-45, Level.WARNING, "behind"),
        (4000, Level.FAULT, "1 h 6 m ahead of"),
    ],
)
def test_a_wrong_clock_is_told(off: float, level: Level, word: str) -> None:
    """Seconds pass; minutes make logins and resets misjudged."""
    (remark,) = clock_remarks(DATE, THEN + off)
    assert remark.level is level
    assert word in remark.says


@pytest.mark.parametrize("date", ["", "yesterday", "99"])
def test_without_a_date_nothing_is_claimed(date: str) -> None:
    """A server without a usable Date says nothing about our clock."""
    assert list(clock_remarks(date, THEN)) == []


def test_any_answer_means_reachable() -> None:
    """A 404 to a bare HEAD is an answer, and no credential was needed for it."""
    with scripted_control() as server:
        remarks = list(vendor_remarks(server.url, "", lambda: THEN))
        assert remarks[0].level is Level.FINE
        assert server.calls == [("HEAD /", None)]


def test_an_unreachable_vendor_is_a_warning_without_secrets() -> None:
    """The proxy's password appears in no remark."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        (remark,) = vendor_remarks(
            "http://127.0.0.1:9/", f"http://user:canary@127.0.0.1:{port}", lambda: THEN
        )
    assert remark.level is Level.WARNING
    assert "canary" not in remark.says + remark.cure
