"""The real Claude Code, run headless."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.npm import Run, headless, installed

__all__ = ["Run", "claude", "run"]

VERSION = "2.1.329"
"""Named because npm on Node 20 would quietly pick an older one."""


@pytest.fixture(scope="session")
def claude() -> Path:
    """Path of the program; skips where npm is missing."""
    return installed("@anthropic-ai/claude-code", VERSION, "claude")


async def run(
    program: Path, folder: Path, port: int, prompt: str, *arguments: str, within: float = 60
) -> Run:
    """`claude -p PROMPT` against the shunt on `port`."""
    home = folder / "claude-home"
    home.mkdir(exist_ok=True)
    environ = {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_AUTH_TOKEN": "dummy-not-a-key",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return await headless([str(program), "-p", *arguments, prompt], home, environ, within=within)
