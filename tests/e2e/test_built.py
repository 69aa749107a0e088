"""The built program: what people download, driven as they drive it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import _freeze
import pytest
import trio

import shunt
from shunt.cli.program import COMMANDS
from tests.e2e.program import MESSAGES, free_port
from tests.fakes.client import ask

# Slow, as all that has the program built first.
pytestmark = [pytest.mark.built, pytest.mark.slow, pytest.mark.timeout(300)]

HI = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="session")
def program() -> Path:
    """The program, built if its sources have changed."""
    try:
        _freeze.build()
    except _freeze.CannotBuild as error:
        pytest.skip(f"this machine cannot build the program: {error}")
    return _freeze.PROGRAM


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user who has nothing."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
    return {**kept, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}


def run(program: Path, environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_version(program: Path, environment: dict[str, str]) -> None:
    """The program knows its version."""
    assert run(program, environment, "--version").split() == ["shunt", shunt.__version__]


def test_config_path(program: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Files are where the environment says."""
    home = tmp_path / "elsewhere"
    told = run(program, {**environment, "SHUNT_HOME": str(home)}, "config", "path")
    assert told.strip() == str(home / "config.toml")


@pytest.mark.parametrize("command", [entry.name for entry in COMMANDS])
def test_every_command_is_inside(program: Path, environment: dict[str, str], command: str) -> None:
    """Commands are imported late; none was forgotten in the build."""
    assert f"shunt {command}" in run(program, environment, command, "--help")


def demo_folders(temporary: Path) -> list[Path]:
    """What demos have left behind."""
    return list(temporary.glob("shunt-demo-*"))


async def answering(process: trio.Process, port: int) -> None:
    """Wait until the program answers."""
    with trio.fail_after(60):
        while process.poll() is None:
            try:
                assert (await ask(port, b"GET", b"/health")).status == 200
            except OSError:
                await trio.sleep(0.05)
            else:
                return
    pytest.fail(f"ended with {process.returncode} before it answered")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM")
async def test_demo_serves_and_stops_cleanly(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """`run --demo` answers /health and a message, plain and streamed, and SIGTERM ends it with status 0."""
    port, output = free_port(), tmp_path / "output"
    with output.open("wb") as file:
        process = await trio.lowlevel.open_process(
            [str(program), "run", "--demo", "--port", str(port)],
            env=environment,
            cwd=tmp_path,
            stdout=file.fileno(),
            stderr=file.fileno(),
        )
    try:
        await answering(process, port)
        for body in (HI, {**HI, "stream": True}):
            answer = await ask(port, b"POST", b"/v1/messages", MESSAGES, json.dumps(body).encode())
            assert answer.status == 200
            assert b"simulated" in answer.body
        process.send_signal(signal.SIGTERM)
        with trio.fail_after(40):
            status = await process.wait()
    finally:
        process.kill()
    said = output.read_text(encoding="utf-8")
    assert status == 0, said
    assert "Traceback" not in said
    assert "00:00  a simulated vendor" in said
    assert demo_folders(tmp_path) == []


SUBSET = (
    "test_pool.py",
    "test_handover.py",
    "test_logins.py",
    "test_openai_sdk.py",
    "test_anthropic_sdk.py",
    "test_demo.py",
    "test_dashboard.py",
    "test_monitor.py",
)
"""The same tests as against the source: pool, translation, logins, giving way, demo, page and monitor."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("file", SUBSET)
def test_the_built_program_keeps_the_same_promises(program: Path, file: str) -> None:
    """What the source tree passes, the folder form passes."""
    root = Path(shunt.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/e2e/{file}"],
        cwd=root,
        env={**os.environ, "SHUNT_TEST_COMMAND": str(program)},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout


def test_the_one_file_says_its_version(program: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """It runs from anywhere, and clears away what it unpacked."""
    assert run(_freeze.ONE_FILE, environment, "--version").split() == ["shunt", shunt.__version__]
    assert list(tmp_path.iterdir()) == []
