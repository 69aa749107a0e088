"""Real clients from npm, kept in a cache outside of the checkout and run headless.

Each run has its own home, a scrubbed environment, and a proxy that refuses every connection, so that
nothing but the shunt under test can be reached.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
import trio
from attrs import frozen


@frozen
class Run:
    """What one headless run came to."""

    status: int
    out: str
    err: str


def installed(package: str, version: str, program: str) -> Path:
    """Path of a package's program in exactly this version; skips where npm is missing or fails."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "shunt-tests" / f"{package.rpartition('/')[2]}-{version}"
    found = folder / "node_modules" / ".bin" / program
    if found.exists():
        return found
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed: the real {program} cannot be fetched")
    if (problem := _failed(npm, folder, f"{package}@{version}")) or not found.exists():
        pytest.skip(problem or f"{package}@{version} has no program {program}")
    return found


@cache
def _failed(npm: str, folder: Path, package: str) -> str:
    """Install a package; why that cannot be done, found out once for all tests: npm tries for ten seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--no-save", "--fetch-retries=1")
    done = subprocess.run(
        [npm, "install", "--prefix", str(folder), *quiet, package],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return f"npm could not install {package}: {done.stderr.strip()[-200:]}" if done.returncode else ""


async def headless(
    words: Sequence[str], home: Path, environ: Mapping[str, str], *, within: float = 60
) -> Run:
    """Run a client to its end, in an empty folder beside its files."""
    work = home / "work"
    work.mkdir(exist_ok=True)
    whole = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        # Port 9 refuses: a request to any other host fails at once.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
        **environ,
    }
    with trio.fail_after(within):
        done = await trio.run_process(
            list(words),
            env=whole,
            cwd=str(work),
            stdin=b"",
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())
