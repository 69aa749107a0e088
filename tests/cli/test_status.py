"""`shunt status`."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from shunt.cli import status
from tests.cli.desk import T0, Desk
from tests.cli.scripted_control import ScriptedControl, scripted_control

STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "strategy": "maximus",
    "pinned_account": None,
    "accounts": [
        {
            "name": "main",
            "provider": "anthropic",
            "status": "available",
            "utilization_5h": 0.4,
            "reset_5h": T0 + 60,
        }
    ],
}


class Looks:
    """Ends `--watch` after some looks, as Ctrl-C does."""

    def __init__(
        self, count: int, control: ScriptedControl | None = None, last: tuple[int, Any] | None = None
    ) -> None:
        self.left = count
        self.waits: list[float] = []
        self.control, self.last = control, last

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        if self.control and self.last:
            self.control.answers["GET /status"] = self.last


def test_status_draws_the_pool(desk: Desk) -> None:
    """Each account with its windows, from the running server."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        result = desk.run("status")
    assert result.exit_code == 0
    assert "main  anthropic  available" in result.stdout
    assert "40% used  resets in 1 m" in result.stdout
    assert "\x1b" not in result.stdout


def test_status_as_a_document_is_the_servers(desk: Desk) -> None:
    """Scripts get every field of `/status`, with the schema's version."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        assert desk.document("status") == {"schema": 1, **STATUS}


@pytest.mark.parametrize("args", [[], ["--json"], ["--watch"], ["--watch", "--json"]])
def test_without_a_server_the_exit_code_is_three(desk: Desk, args: list[str]) -> None:
    """Nothing is on stdout; stderr says how to start one."""
    result = desk.run("status", *args)
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "shunt run" in result.stderr


def test_a_bad_config_does_not_hide_a_running_server(desk: Desk) -> None:
    """The server kept its old configuration, and --url still finds it."""
    desk.write_config("[server]\nprot = 1\n")
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        result = desk.run("status", "--url", server.url)
    assert result.exit_code == 0
    assert "shunt config check" in result.stderr


def test_watching_ends_with_ctrl_c(desk: Desk) -> None:
    """Ctrl-C is how one leaves: exit code 0, one picture per look."""
    looks = Looks(3)
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        result = desk.run("status", "--watch", "--every", "5", pause=looks)
    assert result.exit_code == 0
    assert result.stdout.count("main  anthropic") == 3
    assert looks.waits == [5.0] * 3


def test_watching_on_a_terminal_redraws_in_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """There the page is one that changes, not one after the other."""
    screen = Console(file=io.StringIO(), force_terminal=True, width=100, height=40)
    monkeypatch.setattr(status, "console", lambda *_: screen)
    looks = Looks(3)
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        result = desk.run("status", "--watch", pause=looks)
    assert result.exit_code == 0, result.output
    assert isinstance(screen.file, io.StringIO)
    assert "\x1b[2K" in screen.file.getvalue()  # erases what it drew before
    assert len(server.calls) == 3


def test_watching_outlives_a_restart_of_the_server(desk: Desk) -> None:
    """A look that fails is shown in place of the page, and watching goes on."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        looks = Looks(3, server, (503, {"error": {"message": "starting"}}))
        result = desk.run("status", "--watch", pause=looks)
    assert result.exit_code == 0
    assert result.stdout.count("starting") == 2


def test_watching_as_documents_is_one_per_line(desk: Desk) -> None:
    """A program that reads along gets a whole object on every line."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        desk.serve(server)
        result = desk.run("status", "--watch", "--json", pause=Looks(2))
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [{"schema": 1, **STATUS}] * 2


def test_status_as_a_line(desk: Desk) -> None:
    """The usual one, or one of the user's own."""
    with scripted_control({"GET /status": (200, {**STATUS, "last_used_account": "main"})}) as server:
        desk.serve(server)
        assert desk.run("status", "--line").stdout == "main 40% - | 1/1 free | reset - | -\n"
        assert desk.run("status", "--format", "[{account}]").stdout == "[main]\n"


def test_a_line_without_a_server_is_short(desk: Desk) -> None:
    """A status bar shows what is on stdout; scripts look at the exit code."""
    result = desk.run("status", "--line")
    assert (result.exit_code, result.stdout) == (3, "shunt is off\n")


@pytest.mark.parametrize(
    "args",
    [["--line", "--json"], ["--line", "--watch"], ["--format", "{acount}"], ["--format", "", "--json"]],
)
def test_a_line_of_nonsense_is_refused(desk: Desk, args: list[str]) -> None:
    """Before anybody is asked."""
    assert desk.run("status", *args).exit_code == 2


def test_status_says_who_serves_and_what_resets_next(desk: Desk) -> None:
    """The two questions people come with, above everything else."""
    told = {
        **STATUS,
        "last_used_account": "main",
        "recent_requests": [{"account": "main", "why": "sticky"}],
        "accounts": [
            {
                "name": "main",
                "status": "available",
                "windows": [{"name": "5h", "used": 0.4, "resets_at": T0 + 8880}],
            }
        ],
    }
    with scripted_control({"GET /status": (200, told)}) as server:
        desk.serve(server)
        shown = desk.run("status").stdout
    assert "in use: main, because its conversation stays with it" in shown
    assert "next reset: main in 2 h 28 m (5 hours, 40% used)" in shown


def test_without_accounts_status_tells_what_was_found(desk: Desk) -> None:
    """By the server, on its machine, with the command that adds it."""
    found = [{"what": "a Codex login", "where": "/x/auth.json", "command": "shunt add-account c --import"}]
    with scripted_control({"GET /status": (200, {**STATUS, "accounts": [], "found": found})}) as server:
        desk.serve(server)
        shown = desk.run("status").stdout
    assert "a Codex login (/x/auth.json)" in shown
    assert "shunt add-account c --import" in shown
