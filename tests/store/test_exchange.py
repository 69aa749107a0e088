"""Exchanging names: both files stay, or it is said that it cannot be done."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shunt.store.exchange import _find, exchange


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="this system cannot exchange names")
def test_each_has_the_others_name(tmp_path: Path) -> None:
    """Nothing is destroyed, and a name that is not there is an error that changes nothing."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("1")
    other.write_text("2")
    if not exchange(one, other):
        pytest.skip("this file system cannot exchange names")
    assert (one.read_text(), other.read_text()) == ("2", "1")
    with pytest.raises(FileNotFoundError):
        exchange(one, tmp_path / "gone")
    assert one.read_text() == "2"


def test_where_there_is_no_such_call() -> None:
    """Another system, or a C library that is too old."""

    def without(*_: object, **__: object) -> object:
        raise OSError

    assert _find("win32") is None
    assert _find("linux", lambda *_, **__: object()) is None
    assert _find("darwin", without) is None
