"""The real Claude Code, installed from npm into a cache outside of the checkout, run headless.

Each run has its own empty home, a scrubbed environment, and a proxy that refuses every connection,
so that nothing but the shunt under test can be reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import trio
from attrs import frozen

VERSION = "2.1.329"
"""Named because npm on Node 20 would quietly pick an older one."""
NAME = "@anthropic-ai/claude-code"


def cache() -> Path:
    """Where clients are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "shunt-tests" / f"claude-code-{VERSION}"


@pytest.fixture(scope="session")
def claude() -> Path:
    """Path of the program; skips where npm is missing."""
    found = cache() / "node_modules" / ".bin" / "claude"
    if found.exists():
        return found
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: the real Claude Code cannot be fetched")
    cache().mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            npm,
            "install",
            "--prefix",
            str(cache()),
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--fetch-retries=1",
            f"{NAME}@{VERSION}",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode or not found.exists():
        pytest.skip(f"npm could not install {NAME}@{VERSION}: {done.stderr.strip()[-200:]}")
    return found


@frozen
class Run:
    """What one headless run came to."""

    status: int
    out: str
    err: str


async def run(
    program: Path, folder: Path, port: int, prompt: str, *arguments: str, within: float = 60
) -> Run:
    """`claude -p PROMPT` against the shunt on `port`."""
    home = folder / "claude-home"
    work = folder / "claude-work"
    home.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "ANTHROPIC_AUTH_TOKEN": "dummy-not-a-key",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        # Port 9 refuses: a request to any other host fails at once.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    with trio.fail_after(within):
        done = await trio.run_process(
            [str(program), "-p", *arguments, prompt],
            env=environ,
            cwd=str(work),
            stdin=b"",
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())
