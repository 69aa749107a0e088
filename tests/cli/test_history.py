"""`shunt history`: from the server that runs, or from its file."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.cli.history import history
from tests.cli.desk import T0, Desk
from tests.cli.pasts import remember
from tests.cli.scripted_control import scripted_control
from tests.fakes.records import record, request_id


def test_a_running_server_is_asked(desk: Desk) -> None:
    """With the filters as its parameters."""
    answer: tuple[int, dict[str, Any]] = (200, {"requests": [], "next": None})
    wanted = "GET /history?account=a&account=b&status=error&since=24h&limit=5"
    with scripted_control({wanted: answer}) as server:
        desk.serve(server)
        result = desk.run(
            *("history", "--account", "a", "--account", "b"),
            *("--status", "error", "--since", "24h", "-n", "5"),
        )
    assert result.exit_code == 0, result.output
    assert result.stdout == "No such requests.\n"
    assert history.name == "history"


def test_without_a_server_the_file_is_read(desk: Desk) -> None:
    """The same document, filters and pages."""
    remember(desk, [record(n, at=T0 - 100 + n, account="ab"[n % 2]) for n in range(5)])
    told = desk.document("history", "--account", "a", "-n", "2")
    assert [one["id"] for one in told["requests"]] == [request_id(4), request_id(2)]
    rest = desk.document("history", "--account", "a", "-n", "2", "--before", told["next"])
    assert [one["id"] for one in rest["requests"]] == [request_id(0)]
    assert desk.document("history", "--since", "98")["requests"][-1]["id"] == request_id(2)
    sums = desk.document("history", "--by", "account")
    assert [(one["key"], one["requests"]) for one in sums["groups"]] == [
        ({"account": "a"}, 3),
        ({"account": "b"}, 2),
    ]


def test_tables_are_for_people(desk: Desk) -> None:
    """One line per request, one per group and one in all."""
    remember(desk, [record(1, at=T0, why="strategy maximus"), record(2, at=T0, outcome="failed", status=503)])
    lines = desk.run("history").stdout
    assert "strategy maximus" in lines
    assert "503 failed" in lines
    assert request_id(1)[:12] in lines
    sums = desk.run("history", "--by", "model,account").stdout
    assert "MODEL" in sums
    assert "in all" in sums
    assert "$0.50" in sums


@pytest.mark.parametrize(
    "options", [["--since", "yesterday"], ["--by", "nope"], ["--by", "day,account,model"], ["-n", "0"]]
)
def test_what_makes_no_sense_is_a_usage_error(desk: Desk, options: list[str]) -> None:
    """Before anything is asked or read."""
    assert desk.run("history", *options).exit_code == 2


def test_nothing_to_read_and_nobody_to_ask_is_no_server(desk: Desk) -> None:
    """Exit code 3; a server that was named is not replaced by a file."""
    assert desk.run("history").exit_code == 3
    remember(desk, [record(1)])
    assert desk.run("history", "--url", f"http://127.0.0.1:{desk.port}").exit_code == 3
