"""What is published: the same bytes for the same build, and a feed that updates can read."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import _release
import pytest

from shunt.desktop.feed import parse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder form."""
    made = tmp_path / "shunt"
    (made / "_internal").mkdir(parents=True)
    (made / "shunt").write_text("program")
    (made / "shunt").chmod(0o755)
    (made / "_internal" / "b").write_text("b")
    (made / "_internal" / "a").write_text("a")
    (made / "_internal" / "link").symlink_to("a")
    return made


def test_the_archive_is_the_same_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither owners nor times nor the order on disk are in it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    _release.pack(folder, tmp_path / "1.tar.xz", "shunt-1.0")
    os.utime(folder / "shunt", (1, 1))
    _release.pack(folder, tmp_path / "2.tar.xz", "shunt-1.0")
    assert (tmp_path / "1.tar.xz").read_bytes() == (tmp_path / "2.tar.xz").read_bytes()
    with tarfile.open(tmp_path / "1.tar.xz") as tar:
        assert tar.getnames() == [
            *("shunt-1.0", "shunt-1.0/_internal", "shunt-1.0/_internal/a", "shunt-1.0/_internal/b"),
            *("shunt-1.0/_internal/link", "shunt-1.0/shunt"),
        ]
        assert {entry.mtime for entry in tar} == {1700000000}
        assert tar.getmember("shunt-1.0/shunt").mode == 0o755


def test_the_feed_is_one_that_updates_read(tmp_path: Path) -> None:
    """Parts of all machines in one, with sizes and checksums of the files."""
    for system in ("linux", "darwin"):
        archive, single = (
            tmp_path / f"shunt-1.0-{system}-arm64.tar.xz",
            tmp_path / f"shunt-1.0-{system}-arm64",
        )
        archive.write_text(system)
        single.write_text("one")
        stem = f"shunt-1.0-{system}-arm64"
        (tmp_path / f"{stem}.json").write_text(_release.feed("1.0", system, "arm64", archive, single))
        (tmp_path / f"{stem}.sha256").write_text(f"{_release.checksum(archive)}  {archive.name}\n")
    _release.join(tmp_path)
    release = parse((tmp_path / "latest.json").read_bytes(), "https://example.test/latest.json")
    found = release.file("darwin", "arm64", "folder")
    assert (found.size, found.sha256) == (6, hashlib.sha256(b"darwin").hexdigest())
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 2
    other = json.loads((tmp_path / "shunt-1.0-linux-arm64.json").read_text())
    (tmp_path / "shunt-1.0-linux-arm64.json").write_text(json.dumps({**other, "version": "2.0"}))
    with pytest.raises(SystemExit):
        _release.join(tmp_path)


def test_the_newest_symbol_counts(tmp_path: Path) -> None:
    """The package asks for the C library that its files need."""
    (tmp_path / "a.so").write_bytes(b"..GLIBC_2.9\0GLIBC_2.34\0")
    (tmp_path / "b.txt").write_bytes(b"GLIBC_9.9")
    assert _release.oldest_libc(tmp_path) == "2.34"
