"""`shunt run --demo`, whole: the real program, its simulated vendor, and the story it tells of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from tests.e2e.program import KEPT, free_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")

HURRY = """
import sys
from shunt.demo import setup, story, vendor

setup.ANSWERS, setup.PERIOD = 2, 5.0
story.BETWEEN, story.NOTICE, story.COUNTDOWN, vendor.PACE = 0.05, 0.5, 0.5, 0.001
from shunt.cli.program import main

sys.exit(main(sys.argv[1:]))
"""
"""The demo with its minute made short; everything else is as users get it."""
STORY = (
    "an agent begins to work",
    "request 1 → ",
    "is spent (429) and rests for ",
    "'s access token",
    "login refreshed once",
    "all accounts are spent → ",
    " is back in ",
    "'s window has reset → ",
    "that was the tour",
    "ANTHROPIC_AUTH_TOKEN=demo claude -p hi",
)


async def test_the_story_shows_everything_it_is_for(tmp_path: Path) -> None:
    """Routing, failover, cooldown, a login refresh and a held request, in order; nothing stays behind."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    root = str(Path(__file__).parents[2])
    environment = {**kept, "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": root}
    process = await trio.lowlevel.open_process(
        [sys.executable, "-u", "-c", HURRY, "run", "--demo", "--port", str(free_port())],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    raw = b""
    try:
        with trio.fail_after(60):
            async for piece in process.stdout:
                raw += piece
                if STORY[-1].encode() in raw:
                    process.terminate()
            status = await process.wait()
    finally:
        process.kill()
    said = raw.decode()
    assert status == 0, said
    at = 0
    for words in STORY:
        found = said.find(words, at)
        assert found >= 0, (words, said)
        at = found + len(words)
    assert "Traceback" not in said
    assert left_behind(tmp_path) == []


def left_behind(folder: Path) -> list[str]:
    """Names of what is in a folder."""
    return sorted(path.name for path in folder.iterdir())
