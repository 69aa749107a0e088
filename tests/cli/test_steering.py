"""`shunt use`, `shunt strategy` and `shunt model`."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.config.types import STRATEGIES
from tests.cli.desk import Desk
from tests.cli.scripted_control import scripted_control


@pytest.mark.parametrize(("word", "sent"), [("main", "main"), ("auto", None), ("AUTO", None)])
def test_use_pins_and_unpins(desk: Desk, word: str, sent: str | None) -> None:
    """A name pins that account; `auto` ends it."""
    with scripted_control({"POST /use": (200, {"pinned_account": sent})}) as server:
        desk.serve(server)
        assert desk.run("use", word).exit_code == 0
        assert desk.document("use", word)["pinned_account"] == sent
        assert server.calls == [("POST /use", {"account": sent})] * 2


def test_use_of_an_unknown_account_says_what_the_server_says(desk: Desk) -> None:
    """The server knows the accounts; its words come through with exit code 1."""
    with scripted_control({"POST /use": (404, {"error": {"message": "There is no account 'x'."}})}) as server:
        desk.serve(server)
        result = desk.run("use", "x")
    assert result.exit_code == 1
    assert "There is no account 'x'." in result.stderr


@pytest.mark.parametrize(
    "args", [["use", "main"], ["strategy"], ["strategy", "reaper"], ["strategy", "default"], ["model"]]
)
def test_without_a_server_the_exit_code_says_so(desk: Desk, args: list[str]) -> None:
    """These commands act on the running server only: exit code 3 and how to start one."""
    result = desk.run(*args)
    assert result.exit_code == 3
    assert "shunt run" in result.stderr


def test_without_a_server_a_strategy_can_still_be_configured(desk: Desk) -> None:
    """What to write into which file is said in full."""
    result = desk.run("strategy", "carousel")
    assert '[routing]\n  strategy = "carousel"' in result.stderr
    assert str(desk.config) in result.stderr


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        (None, [("GET /strategy", None)]),
        ("reaper", [("PUT /strategy", {"strategy": "reaper"}), ("GET /strategy", None)]),
        ("Round-Robin", [("PUT /strategy", {"strategy": "carousel"}), ("GET /strategy", None)]),
        ("default", [("DELETE /strategy", None), ("GET /strategy", None)]),
    ],
)
def test_strategy_shows_what_is_in_force(desk: Desk, given: str | None, calls: list[tuple[str, Any]]) -> None:
    """With and without a change the strategy in force and its source are printed."""
    answer = (200, {"strategy": "reaper", "source": "override"})
    routes = {f"{method} /strategy": answer for method in ("GET", "PUT", "DELETE")}
    with scripted_control(routes) as server:
        desk.serve(server)
        result = desk.run("strategy", *([given] if given else []))
        assert result.stdout == "reaper (set while running)\n"
        assert server.calls == calls


def test_strategy_as_a_document(desk: Desk) -> None:
    """`--json` passes the server's fields on."""
    with scripted_control({"GET /strategy": (200, {"strategy": "maximus", "source": "config"})}) as server:
        desk.serve(server)
        assert desk.document("strategy") == {"schema": 1, "strategy": "maximus", "source": "config"}


def test_an_unknown_strategy_is_a_usage_error(desk: Desk) -> None:
    """The nearest and all known names are given; no server is asked."""
    result = desk.run("strategy", "maximux")
    assert result.exit_code == 2
    assert 'did you mean "maximus"' in result.stderr
    assert all(name in result.stderr for name in STRATEGIES)


def test_the_admin_key_comes_from_the_environment(desk: Desk) -> None:
    """SHUNT_KEY is sent, and never shown."""
    with scripted_control({"GET /strategy": (401, {"error": {"message": "no"}})}) as server:
        desk.serve(server)
        result = desk.run("strategy", environ={"SHUNT_KEY": "canary-admin"})
        assert result.exit_code == 1
        assert server.keys == ["canary-admin"]


@pytest.mark.parametrize(
    ("given", "told", "calls", "said"),
    [
        (None, None, [("GET /model", None)], "the models that they ask for"),
        (
            "gpt-5.5",
            "gpt-5.5",
            [("PUT /model", {"model": "gpt-5.5"}), ("GET /model", None)],
            "gpt-5.5, whatever",
        ),
        ("default", None, [("DELETE /model", None), ("GET /model", None)], "the models that they ask for"),
    ],
)
def test_model_shows_and_sets_what_is_served(
    desk: Desk, given: str | None, told: str | None, calls: list[tuple[str, Any]], said: str
) -> None:
    """With and without a change it is said what clients are given."""
    answer = (200, {"model": told, "source": "override" if told else "client"})
    with scripted_control({f"{method} /model": answer for method in ("GET", "PUT", "DELETE")}) as server:
        desk.serve(server)
        result = desk.run("model", *([given] if given else []))
        assert said in result.stdout
        assert server.calls == calls
        assert desk.document("model")["model"] == told
