"""`shunt setup`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from shunt.cli import add_account, setup
from tests.cli.desk import KEY, Desk
from tests.store.test_predecessor import legacy


def accounts(desk: Desk) -> list[dict[str, Any]]:
    if not desk.config.exists():
        return []
    found = tomllib.loads(desk.config.read_text()).get("accounts", [])
    assert isinstance(found, list)
    return found


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at a terminal."""
    monkeypatch.setattr(setup, "interactive", lambda: True)
    monkeypatch.setattr(add_account, "interactive", lambda: True)


def test_without_a_terminal_it_tells_what_there_is(desk: Desk) -> None:
    """Each finding with the command that adds it; nothing is changed."""
    desk.log_in()
    shown = desk.run("setup", environ={"OPENAI_API_KEY": KEY}).stdout
    assert "a Claude Code login" in shown
    assert "--provider openai --api-key-env OPENAI_API_KEY" in shown
    assert "--provider codex --login" in shown
    assert accounts(desk) == []


@pytest.mark.usefixtures("person")
def test_a_person_is_led_through_it(desk: Desk) -> None:
    """Sharing the login that was found, taking a key of the environment, adding one by hand, and what comes next."""
    desk.log_in()
    typed = f"share\ny\nkey\nanthropic\nmine\n{KEY}\nno\n"
    result = desk.run("setup", input=typed, environ={"OPENAI_API_KEY": KEY})
    assert result.exit_code == 0, result.output
    assert accounts(desk) == [
        {"name": "main", "provider": "anthropic"},
        {"name": "openai-key", "provider": "openai", "api_key_env": "OPENAI_API_KEY"},
        {"name": "mine", "provider": "anthropic"},
    ]
    assert desk.stored()["mine"]["key"] == KEY
    assert "shunt connect" in result.stderr


@pytest.mark.usefixtures("person")
def test_what_fails_does_not_end_the_guide(desk: Desk) -> None:
    """A second name is found where the first is taken, and a refusal is told."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    result = desk.run("setup", input="share\nno\n")
    assert result.exit_code == 0, result.output
    assert "Not added" in result.stderr
    assert [account["name"] for account in accounts(desk)] == ["main"]


def test_the_rust_programs_accounts_are_shown_first_and_then_taken(desk: Desk) -> None:
    """A dry run changes nothing here; neither changes anything there; a second time there is nothing left."""
    folder = legacy(desk.user / ".config" / "shunt")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    shown = desk.run("setup", "--from-rust")
    assert shown.exit_code == 0, shown.output
    assert "gpt (codex): its login" in shown.stdout
    assert "control_port: means nothing here" in shown.stdout
    assert "--apply" in shown.stderr
    assert not desk.home.exists() or accounts(desk) == []
    done = desk.run("setup", "--from-rust", "--apply", "--yes")
    assert done.exit_code == 0, done.output
    assert [(each["name"], each["provider"]) for each in accounts(desk)] == [
        ("main", "anthropic"),
        ("gpt", "codex"),
        ("paid", "openai"),
    ]
    assert desk.stored()["main"]["refresh_token"] == "canary-r"
    assert desk.stored()["paid"]["type"] == "apikey"
    assert "Stop the other program" in done.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert desk.run("setup", "--from-rust", "--apply").exit_code == 1


def test_files_that_are_in_our_place_need_no_taking_over(desk: Desk) -> None:
    """They are read as they are."""
    legacy(desk.home)
    assert "as they are" in desk.run("setup", "--from-rust", "--folder", str(desk.home)).stdout
    assert desk.run("setup", "--folder", "x").exit_code == 2
    assert desk.run("setup", "--from-rust", "--folder", str(Path("/nowhere"))).exit_code == 1
