from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from shunt import __version__
from shunt.cli import update
from shunt.desktop.form import Interpreter
from shunt.desktop.versions import Versions
from shunt.store.lock import own
from tests.cli.desk import Desk
from tests.cli.scripted_control import scripted_control
from tests.desktop.releases import archive, program, publish, served

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a running program cannot be replaced there")
STATUS = {"version": "9.0", "accounts": []}


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Versions:
    """This version among versions."""
    versions = Versions.below(tmp_path)
    root = versions.root / __version__
    program(root / "shunt", __version__)
    versions.switch(__version__)
    found = Interpreter(root / "shunt", root / "_internal", root, root)
    monkeypatch.setattr(update, "this", lambda: found)
    return versions


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


def feed_at(desk: Desk, address: str) -> None:
    desk.write_config(f'[update]\nfeed = "{address}feed.json"\n')


def test_it_is_off_by_default(desk: Desk) -> None:
    """Nobody is asked, and the switch is named."""
    result = desk.run("update", "--check")
    assert result.exit_code == 1
    assert "update.feed" in result.stderr


def test_check_says_and_changes_nothing(desk: Desk, versions: Versions, shelf: Path, tmp_path: Path) -> None:
    """A newer one, or none."""
    publish(shelf, "9.0", archive(tmp_path, "9.0"), "folder")
    with served(shelf) as address:
        feed_at(desk, address)
        assert "shunt 9.0 is out" in desk.run("update", "--check").stdout
        assert desk.document("update", "--check")["newer"] is True
        publish(shelf, "0.0.1", archive(tmp_path, "0.0.1"), "folder")
        assert "is the newest there is" in desk.run("update").stdout
    assert versions.current() == __version__


def test_from_update_to_rollback(desk: Desk, versions: Versions, shelf: Path, tmp_path: Path) -> None:
    """Installed, and back again; nobody is signalled where no server runs."""
    publish(shelf, "9.0", archive(tmp_path, "9.0"), "folder")
    with served(shelf) as address:
        feed_at(desk, address)
        assert "shunt 9.0 is installed" in desk.run("update").stdout
    assert versions.current() == "9.0"
    assert desk.document("update", "--rollback")["installed"] == __version__
    assert versions.current() == __version__


def test_a_running_server_gives_way(
    desk: Desk, versions: Versions, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked by signal; the command ends when the new version serves."""
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *it: told.append(it))
    publish(shelf, "9.0", archive(tmp_path, "9.0"), "folder")
    instance = own(desk.home)
    try:
        with served(shelf) as address, scripted_control({"GET /status": (200, STATUS)}) as control:
            desk.serve(control)
            instance.note(control.port)
            feed_at(desk, address)
            result = desk.run("update")
    finally:
        instance.release()
    assert told == [(os.getpid(), signal.SIGUSR2)]
    assert "shunt 9.0 serves" in result.stderr


def test_a_version_that_does_not_serve_is_taken_back(
    desk: Desk, versions: Versions, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before is in its place again, and the command fails."""
    monkeypatch.setattr(os, "kill", lambda *_: None)
    monkeypatch.setattr(update, "START_WITHIN", 0.1)
    publish(shelf, "9.0", archive(tmp_path, "9.0"), "folder")
    instance = own(desk.home)
    try:
        with served(shelf) as address:
            feed_at(desk, address)
            instance.note(desk.port)
            result = desk.run("update")
    finally:
        instance.release()
    assert result.exit_code == 1
    assert "did not start to serve" in result.stderr
    assert versions.current() == __version__
