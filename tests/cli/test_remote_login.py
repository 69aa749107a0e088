"""The errand to another machine."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from shunt.cli.exits import Failed
from shunt.cli.remote_login import carry_out, errand, words_of

PAGE = "https://claude.ai/oauth/authorize?client_id=x&redirect_uri=http%3A%2F%2Flocalhost&state=s"


def test_the_port_is_carried_and_nothing_secret_is_said() -> None:
    """One ssh command: the vendor's port there and here, a login as if a browser had been started there."""
    words = words_of("my work", "codex", {"pool": "w", "models": ["a*", "b"]}, way="", shunt="shunt")
    command = errand("me@box", words, carried=True, port=1455).command()
    assert command[:5] == ["ssh", "-o", "ExitOnForwardFailure=yes", "-L", "1455:127.0.0.1:1455"]
    assert command[5:7] == ["--", "me@box"]
    assert command[7] == (
        "env BROWSER=true SHUNT_LOGINS_CALLBACK_PORT=1455 shunt add-account 'my work' --provider codex --login --yes "
        "--pool w --model 'a*' --model b"
    )
    assert errand("box", words, carried=True, port=0).port


def test_pasting_needs_a_terminal_and_no_port() -> None:
    """The code goes the way of what is typed."""
    words = words_of("a", "anthropic", {}, way="paste", shunt="/opt/shunt/shunt")
    command = errand("box", words, carried=False, port=0).command()
    assert command == [
        "ssh",
        "-t",
        "--",
        "box",
        "/opt/shunt/shunt add-account a --provider anthropic --login --yes --paste",
    ]


@pytest.mark.parametrize("host", ["-oProxyCommand=x", "a b", "$(x)", "", "box;x"])
def test_only_hosts_are_hosts(host: str) -> None:
    """Nothing that ssh or a shell would take for something else."""
    with pytest.raises(click.UsageError):
        errand(host, ["x"], carried=False, port=0)


def stand_in(folder: Path, script: str) -> dict[str, str]:
    """An `ssh` that does what a test says."""
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for ssh")
def test_the_page_is_opened_here_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What the other machine says is passed on without its control characters; the status is its own."""
    opened: list[str] = []

    def note(page: str) -> bool:
        opened.append(page)
        return True

    environ = stand_in(
        tmp_path,
        f"printf 'hello\\033[2J\\n  {PAGE}\\n  {PAGE}\\n' >&2; exit 4".replace("%3A", "%%3A").replace(
            "%2F", "%%2F"
        ),
    )
    work = errand("box", ["shunt"], carried=True, port=0)
    assert carry_out(work, environ, note) == 4
    assert opened == [PAGE]
    said = capfd.readouterr().err
    assert "\x1b" not in said
    assert "hello" in said


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for ssh")
def test_a_host_that_is_not_reached(tmp_path: Path) -> None:
    """Said with what to try."""
    environ = stand_in(tmp_path, "exit 255")
    for carried in (True, False):
        with pytest.raises(Failed, match="did not get to box"):
            carry_out(errand("box", ["shunt"], carried=carried, port=0), environ, lambda _: True)


def test_without_ssh(tmp_path: Path) -> None:
    """Said, with the other way."""
    with pytest.raises(Failed, match="no `ssh`"):
        carry_out(errand("box", ["x"], carried=True, port=0), {"PATH": str(tmp_path)}, lambda _: True)
