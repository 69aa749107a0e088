"""Dumps of failures on the disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shunt.store.dumps import Dumps
from tests.fakes.records import request_id


def test_a_dump_comes_back_and_is_private(tmp_path: Path) -> None:
    """By its request's id."""
    dumps = Dumps(tmp_path / "errors")
    dumps.save([(request_id(1), {"error": {"kind": "upstream"}})])
    assert dumps.find(request_id(1)) == {"error": {"kind": "upstream"}}
    (path,) = dumps.folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(dumps.folder.stat().st_mode) == 0o700


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder does not grow."""
    monkeypatch.setattr("shunt.store.dumps.KEPT", 3)
    dumps = Dumps(tmp_path)
    for number in range(5):
        dumps.save([(request_id(number), {})])
        os.utime(dumps._path(request_id(number)), (number, number))
    dumps.save([])
    assert sorted(path.stem for path in tmp_path.iterdir()) == [request_id(n) for n in (2, 3, 4)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "req_", "", "req_" + "g" * 24, request_id(9)])
def test_nothing_else_is_read(tmp_path: Path, name: str) -> None:
    """Paths are never made of what somebody asks for."""
    dumps = Dumps(tmp_path)
    dumps.save([(name, {"x": 1})] if name != request_id(9) else [])
    assert dumps.find(name) is None
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_dump_is_none(tmp_path: Path) -> None:
    """Rather than an error on top of the error."""
    dumps = Dumps(tmp_path)
    dumps.save([(request_id(1), {})])
    dumps._path(request_id(1)).write_text("{")
    assert dumps.find(request_id(1)) is None
