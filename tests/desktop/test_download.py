from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shunt.desktop import download
from shunt.desktop.feed import File
from shunt.errors import UpdateError
from tests.desktop.releases import served

DATA = b"program" * 100_000


def announced(address: str) -> File:
    return File("f", f"{address}f", "linux", "x86_64", "file", len(DATA), hashlib.sha256(DATA).hexdigest())


def test_what_is_right_is_kept(tmp_path: Path) -> None:
    """Size and checksum agree: the file is there."""
    (tmp_path / "f").write_bytes(DATA)
    with served(tmp_path) as address:
        download.fetch(announced(address), tmp_path / "got")
        assert (tmp_path / "got").read_bytes() == DATA
        assert download.feed(f"{address}f") == DATA


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": len(DATA) + 1}, "fewer bytes"),
        ({"size": len(DATA) - 1}, "more bytes"),
        ({"sha256": "0" * 64}, "checksum"),
    ],
)
def test_what_is_wrong_is_not_kept(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    """Too long, too short, changed on the way: no file, and the reason."""
    (tmp_path / "f").write_bytes(DATA)
    with served(tmp_path) as address, pytest.raises(UpdateError, match=words):
        download.fetch(evolve(announced(address), **changed), tmp_path / "got")
    assert not (tmp_path / "got").exists()


def test_what_cannot_be_fetched_is_said(tmp_path: Path) -> None:
    """Unprotected, missing, redirected to an unprotected place, unreachable, too large."""
    with pytest.raises(UpdateError, match="https"):
        download.feed("http://example.test/feed.json")
    (tmp_path / "large").write_bytes(bytes(download.FEED_LIMIT + 1))
    with served(tmp_path) as address:
        with pytest.raises(UpdateError, match="answered 404"):
            download.feed(f"{address}nothing")
        with pytest.raises(UpdateError, match="unprotected"):
            download.feed(f"{address}elsewhere")
        with pytest.raises(UpdateError, match="too large"):
            download.feed(f"{address}large")
    with pytest.raises(UpdateError, match="cannot reach"):
        download.feed(f"{address}feed.json")
    with served(tmp_path) as address, pytest.raises(UpdateError, match="cannot write"):
        download.fetch(evolve(announced(address), url=f"{address}large"), tmp_path / "no" / "such" / "folder")
