"""A login on a server, begun on a laptop: the browser is here, code and tokens are there only."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import trio

from tests.e2e.program import Program, command, program
from tests.fakes.anthropic import plain
from tests.fakes.authority import Authority
from tests.fakes.client import ask
from tests.fakes.upstream import by_path, scripted_upstream

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="shell scripts stand in for ssh and a browser"
)

SSH = """#!{python}
import json, os, sys
words = sys.argv[1:]
host = words[words.index("--") + 1]
line = words[words.index("--") + 2]
json.dump(sys.argv, open({note!r}, "w"))
os.execve("/bin/sh", ["sh", "-c", line], json.load(open({environ!r})))
"""
"""Goes to the other machine, which is a folder here; its loopback ports are ours anyway."""
BROWSER = """#!{python}
import sys
open({note!r} + ".new", "w").write(sys.argv[1])
import os
os.rename({note!r} + ".new", {note!r})
"""


def executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.mark.parametrize("provider", ["anthropic", "codex"])
async def test_tokens_touch_only_the_server(tmp_path: Path, provider: str) -> None:
    """One command on the laptop; the account serves on the server, and the laptop keeps nothing."""
    authority = Authority()
    messages = authority.issuer.protect(lambda request, n: plain("hi"))
    script = by_path({"/v1/messages": messages}, authority)
    async with (
        scripted_upstream(script) as up,
        program(tmp_path / "server", up.url) as server,
        program(tmp_path / "laptop", up.url) as laptop,
    ):
        for machine in (server, laptop):
            install(machine, authority.environ(up.url))
        await server.start()
        page, argv = prepare(tmp_path, server, laptop)
        done: list[object] = []

        async def type_it() -> None:
            words = ("add-account", "work", "--provider", provider, "--login", "--on", "me@server", "--yes")
            done.append(await laptop.cli(*words, "--remote-shunt", shlex.join(command())))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(type_it)
            await allow(page, authority)
        result = done[0]
        assert result.returncode == 0, (result.stdout, result.stderr)  # type: ignore[attr-defined]
        assert b"Added: work" in result.stdout  # type: ignore[attr-defined]
        account = await server.account("work")
        assert account["status"] == "available"
        assert "credentials.json" not in names(laptop.home)
        words = read(argv)
        assert "me@server" in json.loads(words)
        seen = words + str(result) + everything(laptop.folder)
        assert not [secret for secret in authority.secrets if secret in seen]


def install(machine: Program, environ: dict[str, str]) -> None:
    """A fresh machine."""
    machine.folder.mkdir()
    machine.extra |= environ
    machine.configure([])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def prepare(folder: Path, server: Program, laptop: Program) -> tuple[Path, Path]:
    """A laptop with ssh and a browser: the files in which they note the page and the command."""
    tools = folder / "tools"
    tools.mkdir()
    page, argv, environ = tools / "page", tools / "argv", tools / "environ"
    environ.write_text(json.dumps(server.environ))
    executable(tools / "ssh", SSH.format(python=sys.executable, note=str(argv), environ=str(environ)))
    executable(tools / "browser", BROWSER.format(python=sys.executable, note=str(page)))
    laptop.extra |= {"PATH": f"{tools}:{os.environ['PATH']}", "BROWSER": f"{tools / 'browser'} %s"}
    return page, argv


async def allow(page: Path, authority: Authority) -> None:
    """What the person and the vendor's page do: allow, and send the browser back to its port."""
    with trio.fail_after(25):
        while not (shown := read(page)):  # noqa: ASYNC110 - a file tells nobody that it is there
            await trio.sleep(0.05)
    query = dict(parse_qsl(urlsplit(shown).query))
    back = urlsplit(query["redirect_uri"])
    answer = urlencode({"code": authority.allowed(query), "state": query["state"]})
    assert back.port is not None
    told = await ask(
        back.port, b"GET", f"{back.path}?{answer}".encode(), ((b"host", f"localhost:{back.port}".encode()),)
    )
    assert told.status == 200, told.body


def everything(folder: Path) -> str:
    """All that is written in a folder."""
    return "".join(map(read, folder.rglob("*")))


def read(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""
