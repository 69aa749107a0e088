"""Notifications through a program of the system's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shunt.desktop.notification import NoDesktop, Notification
from shunt.desktop.programs import SystemProgram, call_of

HOSTILE = Notification("shunt: account forbidden", '" & (do shell script "touch x") & $(id) `id` \'; exit')


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_words_never_become_a_script(platform: str) -> None:
    """A vendor's message or an account's name may hold anything."""
    command, environ = call_of(platform, HOSTILE)
    scripts = [part for part in command if part not in (HOSTILE.title, HOSTILE.text)]
    assert not any("do shell script" in part for part in scripts)
    assert HOSTILE.text in (*command, *environ.values())


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """An environment in which a program of this name is a script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
async def test_the_program_is_given_title_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the last two arguments of osascript, and no secret of the environment."""
    out = tmp_path / "out"
    environ = program(
        tmp_path, "osascript", f'shift 6; printf "%s\\n" "$@" $WORK_API_KEY $SHUNT_HOME > {out}'
    )
    environ |= {"WORK_API_KEY": "sk-test-secret", "SHUNT_HOME": "/somewhere"}
    monkeypatch.setenv("PATH", environ["PATH"])  # where the program is looked for
    await SystemProgram("darwin", environ)(HOSTILE)
    assert out.read_text() == f"{HOSTILE.title}\n{HOSTILE.text}\n"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
async def test_a_program_that_fails_is_no_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As is one that is not there; the fallback has its turn."""
    environ = program(tmp_path, "osascript", "exit 1")
    monkeypatch.setenv("PATH", environ["PATH"])
    with pytest.raises(NoDesktop, match="osascript"):
        await SystemProgram("darwin", environ)(HOSTILE)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoDesktop):
        await SystemProgram("win32", {"PATH": str(tmp_path)})(HOSTILE)
