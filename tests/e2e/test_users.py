"""Four users on an empty home: what each does first, and that nothing of it is left when it is undone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import _freeze
import pytest
import trio

from tests.e2e.namespaces import under_systemd
from tests.e2e.program import MESSAGES, free_port
from tests.fakes import anthropic
from tests.fakes.client import ask
from tests.fakes.upstream import scripted_upstream

pytestmark = [
    pytest.mark.slow,
    pytest.mark.built,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX"),
]
HI = {"model": "claude-sonnet-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def built() -> None:
    """The program as it is downloaded."""
    try:
        _freeze.build()
    except _freeze.CannotBuild as error:
        pytest.skip(f"this machine cannot build the program: {error}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home with something in it that is not ours."""
    folder = tmp_path / "home"
    (folder / ".config").mkdir(parents=True)
    (folder / ".config" / "other.conf").write_text("theirs")
    return folder


def tree(folder: Path) -> dict[str, str]:
    """Every path below, with its content or kind."""
    return {
        str(path.relative_to(folder)): path.read_text(errors="replace") if path.is_file() else "folder"
        for path in folder.rglob("*")
    }


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home.parent), **more}


async def serving(words: list[str | Path], environ: Mapping[str, str], port: int) -> trio.Process:
    process = await trio.lowlevel.open_process(
        [str(word) for word in words], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with trio.fail_after(120):
        while True:
            assert process.poll() is None
            try:
                if (await ask(port, b"GET", b"/health")).status == 200:
                    return process
            except OSError:
                await trio.sleep(0.05)


async def ended(process: trio.Process) -> int:
    process.send_signal(signal.SIGTERM)
    with trio.fail_after(60):
        return await process.wait()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("program", [_freeze.ONE_FILE, _freeze.PROGRAM], ids=["file", "folder"])
async def test_download_and_run(home: Path, program: Path) -> None:
    """The demo serves; ended, it has left nothing, in the home or in the temporary folder."""
    before, port = tree(home), free_port()
    process = await serving([program, "run", "--demo", "--port", str(port)], environment(home), port)
    answer = await ask(port, b"POST", b"/v1/messages", MESSAGES, json.dumps(HI).encode())
    assert answer.status == 200
    assert await ended(process) == 0
    assert tree(home) == before
    assert [path.name for path in home.parent.iterdir()] == [home.name]


@pytest.mark.usefixtures("built")
def test_a_login_item(home: Path, tmp_path: Path) -> None:
    """The one file becomes a service that runs a folder; uninstalled only shunt's own files remain."""
    (home / ".config" / "shunt").mkdir(mode=0o700)
    (home / ".config" / "shunt" / "config.toml").write_text(f"[server]\nport = {free_port()}\n")
    before = tree(home)
    steps = f"""
    {_freeze.ONE_FILE} service install || exit 1
    systemctl --user show shunt.service -P ExecStart
    {_freeze.ONE_FILE} status --json > {tmp_path}/status
    ls -d {home}/.local/share/shunt/versions/*
    {_freeze.ONE_FILE} service uninstall
    """
    done = subprocess.run(
        under_systemd(steps),
        env=environment(home, XDG_RUNTIME_DIR=str(tmp_path / "run")),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "versions/current/shunt" in done.stdout, done.stdout + done.stderr
    assert "removed" in done.stdout
    left = set(tree(home)) - set(before)
    ours = (".local/share/shunt", ".local/state/shunt", ".config/shunt")
    assert not [path for path in left if "versions" in path or "systemd" in path]
    assert all(path.startswith(ours) or path in {".local", ".local/share", ".local/state"} for path in left)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("client", ["claude", "codex"])
def test_an_agent_is_pointed_at_it(home: Path, client: str) -> None:
    """`connect` changes the agent's settings, `--undo` takes every byte of it back."""
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").write_text('{\n   "model": "opus"\n}\n')
    (home / ".codex").mkdir()
    (home / ".codex" / "config.toml").write_text('# mine\nmodel = "gpt-5.5"\n')
    before = tree(home)
    changed: set[str] = set()
    for words in (["connect", client, "--yes"], ["connect", client, "--undo", "--yes"]):
        done = subprocess.run(
            [_freeze.PROGRAM, *words], env=environment(home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        changed = {path for path, content in tree(home).items() if before.get(path) != content}
        if "--undo" not in words:
            assert any(path.startswith((".claude/", ".codex/")) for path in changed)
    assert not [path for path in changed if not path.startswith((".config/shunt", ".local"))]


@pytest.mark.usefixtures("built")
async def test_a_home_server(home: Path) -> None:
    """Configured by the environment alone, with the key in a file; all it writes is in its one folder."""
    before, port = tree(home), free_port()
    folder, secret = home.parent / "data", home.parent / "key"
    secret.write_text("sk-test-work\n")
    secret.chmod(0o600)
    async with scripted_upstream(lambda *_: anthropic.plain("hi")) as up:
        environ = environment(
            home,
            SHUNT_HOME=str(folder),
            SHUNT_SERVER_PORT=str(port),
            SHUNT_ACCOUNTS_WORK_PROVIDER="anthropic",
            SHUNT_ACCOUNTS_WORK_UPSTREAM_URL=up.url,
            SHUNT_ACCOUNTS_WORK_API_KEY_FILE=str(secret),
            SHUNT_PREFETCH_MODE="off",
        )
        process = await serving([_freeze.PROGRAM, "run"], environ, port)
        answer = await ask(port, b"POST", b"/v1/messages", MESSAGES, json.dumps(HI).encode())
        assert answer.status == 200
        assert up.requests[0].get(b"x-api-key") == b"sk-test-work"
        assert await ended(process) == 0
    assert tree(home) == before
    assert "sk-test-work" not in json.dumps(tree(folder))
