"""Starts that ended early, in a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from shunt.store.starts import EARLY, MANY, Starts


def test_early_ends_in_a_row_are_counted(tmp_path: Path) -> None:
    """Each start that follows soon counts those before it, also in a later process."""
    for number in range(MANY + 2):
        assert Starts(tmp_path / "starts.json").begin(1000.0 + 5 * number) == number


def test_a_good_end_or_a_long_life_ends_the_row(tmp_path: Path) -> None:
    """Whatever was before it."""
    starts = Starts(tmp_path / "starts.json")
    starts.begin(1000.0)
    starts.begin(1001.0)
    assert starts.begin(1001.0 + EARLY) == 0
    assert starts.begin(1002.0 + EARLY) == 1
    starts.good()
    assert starts.begin(1003.0 + EARLY) == 0
    starts.good()
    starts.good()


def test_a_clock_that_was_set_back_ends_the_row(tmp_path: Path) -> None:
    """A start in the future says nothing."""
    starts = Starts(tmp_path / "starts.json")
    starts.begin(1e9)
    assert starts.begin(1000.0) == 0


@pytest.mark.parametrize("content", [b"", b"{}", b'[null, 5, "x"]', b"[" * 5000, b"\xff", b"[1e999]"])
def test_a_file_that_says_nothing_stops_nobody(tmp_path: Path, content: bytes) -> None:
    """It is written anew."""
    path = tmp_path / "starts.json"
    path.write_bytes(content)
    path.chmod(0o600)
    assert Starts(path).begin(1000.0) == 0
    assert Starts(path).begin(1001.0) == 1


def test_a_place_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """A folder in the file's place, or none at all."""
    assert Starts(tmp_path).begin(1000.0) == 0
    Starts(tmp_path).good()
    assert Starts(tmp_path / "missing" / "starts.json").begin(1000.0) == 0
