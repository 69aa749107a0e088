"""Two real versions of the built program: one takes over from the other, and back."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import _freeze
import pytest
import trio

from shunt import __version__
from shunt.desktop.versions import Versions
from tests.desktop.releases import archive, publish, served
from tests.e2e.program import key_account, program
from tests.fakes import anthropic
from tests.fakes.upstream import scripted_upstream

pytestmark = [
    pytest.mark.slow,
    pytest.mark.built,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="a running program cannot be replaced there"),
]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """This version, built, among versions."""
    try:
        _freeze.build()
    except _freeze.CannotBuild as error:
        pytest.skip(f"this machine cannot build the program: {error}")
    versions = Versions.below(tmp_path)
    shutil.copytree(_freeze.PROGRAM.parent, versions.root / __version__, symlinks=True)
    versions.switch(__version__)
    return versions


async def test_a_version_that_does_not_come_up_is_taken_back(
    versions: Versions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that says its version and cannot serve: the running one was replaced, the old one is put back."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    publish(shelf, "9.0", archive(tmp_path / "new", "9.0"), "folder")
    monkeypatch.setenv("SHUNT_TEST_COMMAND", str(versions.program))
    async with scripted_upstream(lambda *_: anthropic.plain("hi")) as up, program(tmp_path, up.url) as shunt:
        with served(shelf) as address:
            shunt.configure(
                [key_account("a")],
                update={"feed": f"{address}feed.json", "patience_minutes": 0.1},
                server={"drain_seconds": 1},
            )
            await shunt.start()
            assert (await shunt.message()).status == 200
            with trio.fail_after(200):
                done = await trio.run_process(
                    [str(versions.program), "update"],
                    env=shunt.environ,
                    capture_stdout=True,
                    capture_stderr=True,
                    check=False,
                )
        assert done.returncode == 1
        assert b"is back in its place" in done.stderr, done.stderr
        assert versions.current() == __version__
        assert await shunt.stopped() == 0  # what the useless version ended with
        await shunt.start()
        assert (await shunt.message()).status == 200
        checked = await shunt.cli("update", "--check", "--json")
        assert checked.returncode == 1  # the feed has gone
        assert b"cannot reach" in checked.stderr
        assert json.loads((shelf / "feed.json").read_text())["version"] == "9.0"
