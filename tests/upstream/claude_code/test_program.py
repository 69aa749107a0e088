"""Finding the program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shunt.errors import UpstreamUnreachable
from shunt.upstream.claude_code.program import Program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="programs here are shell scripts")


def script(folder: Path, says: str) -> Path:
    """A program that answers every question with this."""
    path = folder / "claude"
    path.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    path.chmod(0o755)
    return path


async def test_a_name_is_found_on_path(tmp_path: Path) -> None:
    """And its version is asked for once."""
    path = script(tmp_path, "2.1.329 (Claude Code)")
    program = Program({"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert await program.command("claude") == str(path)
    assert await program.command(str(path)) == str(path)


@pytest.mark.parametrize(("says", "named"), [("1.9.9 (Claude Code)", "1.9.9"), ("what?", "no version")])
async def test_one_that_is_too_old_is_named(tmp_path: Path, says: str, named: str) -> None:
    """With the command that updates it."""
    script(tmp_path, says)
    with pytest.raises(UpstreamUnreachable, match=f"{named}.*npm install"):
        await Program({"PATH": f"{tmp_path}:/usr/bin:/bin"}).command("claude")


async def test_a_missing_one_is_named(tmp_path: Path) -> None:
    """With the command that installs it, and the setting that says where it is."""
    with pytest.raises(UpstreamUnreachable, match=r"npm install.*claude_code\.command"):
        await Program({"PATH": str(tmp_path)}).command("claude")


async def test_one_that_cannot_run_is_named(tmp_path: Path) -> None:
    """A file that is no program."""
    path = tmp_path / "claude"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)
    with pytest.raises(UpstreamUnreachable, match="--version failed"):
        await Program({"PATH": str(tmp_path)}).command("claude")
