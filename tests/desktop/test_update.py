from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from shunt.desktop import download, feed
from shunt.desktop.form import Interpreter
from shunt.desktop.update import ASIDE, Updater
from shunt.desktop.versions import Versions
from shunt.errors import UpdateError
from tests.desktop.releases import archive, program, publish, served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a running program cannot be replaced there")
ENVIRON = {"PATH": os.defpath}


def released(address: str) -> feed.Release:
    return feed.parse(download.feed(f"{address}feed.json"), f"{address}feed.json")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """What the feed's server serves."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


@pytest.fixture
def managed(tmp_path: Path) -> tuple[Updater, Versions]:
    """Version 1.0 among versions."""
    versions = Versions.below(tmp_path)
    program(versions.root / "1.0" / "shunt", "1.0")
    versions.switch("1.0")
    root = versions.root / "1.0"
    return Updater(Interpreter(root / "shunt", root / "_internal", root, root), "1.0", ENVIRON), versions


@pytest.fixture
def single(tmp_path: Path) -> Updater:
    """Version 1.0 as one file."""
    path = program(tmp_path / "bin" / "shunt", "1.0")
    return Updater(Interpreter(path, tmp_path / "_MEI", tmp_path, tmp_path), "1.0", ENVIRON)


def test_a_folder_is_put_beside_and_linked(
    managed: tuple[Updater, Versions], shelf: Path, tmp_path: Path
) -> None:
    """The new version is the current one, the old one stays, nothing half-made is left; and the way back."""
    updater, versions = managed
    publish(shelf, "1.1", archive(tmp_path, "1.1"), "folder")
    with served(shelf) as address:
        assert updater.check(released(address))
        updater.install(released(address))
    assert "1.1" in versions.program.read_text()
    assert {path.name for path in versions.root.iterdir()} == {"1.0", "1.1", "current", "previous"}
    assert updater.back() == "1.0"
    assert "1.0" in versions.program.read_text()


def test_a_file_is_replaced_and_kept(single: Updater, shelf: Path, tmp_path: Path) -> None:
    """The name never lacks a program; the old one lies beside it, and comes back."""
    path = single.found.executable
    with pytest.raises(UpdateError, match="no version to go back to"):
        single.back()
    publish(shelf, "1.1", program(tmp_path / "new" / "shunt-1.1", "1.1"), "file")
    with served(shelf) as address:
        single.install(released(address))
    assert "1.1" in path.read_text()
    assert "1.0" in path.with_name(path.name + ASIDE).read_text()
    assert single.back() == "1.0"
    assert "1.0" in path.read_text()
    assert single.back() == "1.1"
    assert len(list(path.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("version", "status", "changed", "words"),
    [
        ("1.1", 0, {"sha256": "0" * 64}, "checksum"),
        ("1.1", 3, {}, "does not run here"),
        ("9.9", 0, {}, "says that it is '9.9'"),
    ],
)
def test_nothing_changes_unless_all_is_right(
    managed: tuple[Updater, Versions],
    single: Updater,
    shelf: Path,
    tmp_path: Path,
    version: str,
    status: int,
    changed: dict[str, Any],
    words: str,
) -> None:
    """A wrong checksum, a program that does not run here, or that is another version: all stays as it was."""
    updater, versions = managed
    with served(shelf) as address:
        publish(shelf, "1.1", archive(tmp_path, version, status=status), "folder", **changed)
        with pytest.raises(UpdateError, match=words):
            updater.install(released(address))
        publish(shelf, "1.1", program(tmp_path / "n" / "s", version, status=status), "file", **changed)
        with pytest.raises(UpdateError, match=words):
            single.install(released(address))
    assert {path.name for path in versions.root.iterdir()} == {"1.0", "current"}
    assert [path.name for path in single.found.executable.parent.iterdir()] == ["shunt"]


def test_an_archive_that_is_none(managed: tuple[Updater, Versions], shelf: Path, tmp_path: Path) -> None:
    """Right checksum, wrong content."""
    updater, versions = managed
    (tmp_path / "x.tar.xz").write_bytes(b"no archive")
    publish(shelf, "1.1", tmp_path / "x.tar.xz", "folder")
    with served(shelf) as address, pytest.raises(UpdateError, match="cannot be unpacked"):
        updater.install(released(address))
    assert {path.name for path in versions.root.iterdir()} == {"1.0", "current"}


def test_what_others_installed_is_theirs_to_replace(tmp_path: Path) -> None:
    """pip, a checkout, a package: the right command is named."""
    python = Interpreter(tmp_path / "bin" / "python", None, tmp_path / "site" / "shunt", tmp_path)
    with pytest.raises(UpdateError, match="pipx upgrade shunt"):
        Updater(python, "1.0", ENVIRON).back()
    folder = Interpreter(tmp_path / "opt" / "shunt", tmp_path / "opt" / "_internal", tmp_path, tmp_path)
    with pytest.raises(UpdateError, match="the same way"):
        Updater(folder, "1.0", ENVIRON).require_ours()
