"""`shunt add-account`."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest
from click.testing import Result

from shunt.cli import acknowledgement, add_account
from shunt.cli.imports import IMPORTS
from tests.cli.desk import KEY, REFRESH, T0, Desk
from tests.cli.scripted_control import scripted_control


def accounts(desk: Desk) -> list[dict[str, Any]]:
    if not desk.config.exists():
        return []
    found = tomllib.loads(desk.config.read_text()).get("accounts", [])
    assert isinstance(found, list)
    return found


def unchanged(desk: Desk, result: Result, code: int) -> None:
    assert result.exit_code == code, result.output
    assert accounts(desk) == []
    assert desk.stored() == {}


# ── API keys ──────────────────────────────────────────────────────────────────────────────────────


def test_a_key_from_stdin_goes_to_the_private_file(desk: Desk) -> None:
    """The key is stored 0600 in credentials.json, and config.toml names the account only."""
    result = desk.run("add-account", "key", "--api-key-stdin", input=f"{KEY}\n")
    assert result.exit_code == 0, result.output
    assert accounts(desk) == [{"name": "key", "provider": "anthropic"}]
    assert desk.stored()["key"] == {"type": "apikey", "key": KEY}
    assert desk.credentials.stat().st_mode & 0o777 == 0o600
    assert KEY not in desk.config.read_text()


def test_a_key_in_the_environment_stays_there(desk: Desk) -> None:
    """Only the variable's name is written down."""
    result = desk.run("add-account", "key", "--api-key-env", "MY_KEY", environ={"MY_KEY": KEY})
    assert result.exit_code == 0, result.output
    assert accounts(desk) == [{"name": "key", "provider": "anthropic", "api_key_env": "MY_KEY"}]
    assert desk.stored() == {}
    assert "not set" not in result.stderr


def test_a_variable_that_is_not_set_here_is_told(desk: Desk) -> None:
    """It may be set where shunt runs, so that is said and the account is added."""
    result = desk.run("add-account", "key", "--api-key-env", "MY_KEY")
    assert result.exit_code == 0
    assert "$MY_KEY is not set here" in result.stderr


def test_settings_become_keys_of_the_account(desk: Desk) -> None:
    """Options are written under the names that config.toml gives them."""
    desk.run(
        "add-account", "x", "--provider", "anthropic-compatible", "--upstream-url", "http://127.0.0.1:9/v9/",
        "--api-key-stdin", "--priority", "-2", "--pool", "work", "--model", "a-*", "--model", "b", "--max-concurrent", "3",
        input=KEY,
    )  # fmt: skip
    assert accounts(desk) == [
        {
            "name": "x",
            "provider": "anthropic-compatible",
            "upstream_url": "http://127.0.0.1:9/v9",
            "priority": -2,
            "pool": "work",
            "models": ["a-*", "b"],
            "max_concurrent": 3,
        }
    ]


def test_comments_and_order_of_config_toml_survive(desk: Desk) -> None:
    """What people wrote stays as they wrote it."""
    text = '# mine\n[server]\nport = 9999   # odd\n\n[[accounts]]\nname = "old"   # first\nprovider = "anthropic"\n'
    desk.write_config(text)
    assert desk.run("add-account", "new", "--api-key-env", "X").exit_code == 0
    assert desk.config.read_text().startswith(text)
    assert [account["name"] for account in accounts(desk)] == ["old", "new"]


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["x", "--api-key", KEY], 2, "--api-key-stdin"),
        ([f"--api-key={KEY}", "x"], 2, "--api-key-stdin"),
        (["x", KEY], 2, "unexpected extra argument"),
        (["x", "--provider", "antropic", "--api-key-env", "X"], 2, '"anthropic"'),
        (["x", "--provider", "anthropic-compatible", "--api-key-env", "X"], 2, "--upstream-url"),
        (["x", "--api-key-env", KEY], 2, "environment variable"),
        (["x", "--upstream-url", "http://u:canary@h", "--api-key-env", "X"], 2, "user name or password"),
        (["x", "--api-key-env", "X", "--import"], 2, "exclude each other"),
        (["x", "--max-concurrent", "-1", "--api-key-env", "X"], 2, "whole number"),
        (["../x", "--api-key-env", "X"], 2, "NAME"),
        (["auto", "--api-key-env", "X"], 2, "NAME"),
        (["", "--api-key-env", "X"], 2, "NAME"),
        (["x"], 2, "--import"),
        (
            ["x", "--provider", "anthropic-compatible", "--upstream-url", "http://127.0.0.1:9", "--import"],
            2,
            "imported",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_whole(desk: Desk, args: list[str], code: int, word: str) -> None:
    """A usage error names the cure, shows no secret, and nothing is written."""
    result = desk.run("add-account", *args)
    unchanged(desk, result, code)
    assert word in result.stderr


def test_a_person_is_asked_for_the_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the key is typed unseen, and importing is offered as the other way."""
    monkeypatch.setattr(add_account, "interactive", lambda: True)
    result = desk.run("add-account", "x", input=f"{KEY}\n")
    assert result.exit_code == 0, result.output
    assert desk.stored()["x"]["key"] == KEY
    assert "--import" in result.stderr


@pytest.mark.parametrize("given", ["", "sk-ant-oat01-canary-00", "canary one\ncanary two", "canary ключ"])
def test_what_is_no_key_is_not_stored(desk: Desk, given: str) -> None:
    """An empty pipe, a login's token and other texts are refused, unseen."""
    unchanged(desk, desk.run("add-account", "x", "--api-key-stdin", input=given), 1)


def test_a_login_token_in_the_named_variable_is_refused(desk: Desk) -> None:
    """The same goes for a variable that holds one."""
    result = desk.run("add-account", "x", "--api-key-env", "T", environ={"T": "sk-ant-oat01-canary-00"})
    unchanged(desk, result, 1)
    assert "not an API key" in result.stderr


@pytest.mark.parametrize("name", ["main", "MAIN"])
def test_a_new_key_takes_the_stored_one_s_place(desk: Desk, name: str) -> None:
    """The account keeps its settings, and the change is said."""
    desk.run("add-account", "main", "--api-key-stdin", "--pool", "work", input=KEY)
    before = desk.config.read_text()
    result = desk.run("add-account", name, "--api-key-stdin", input=f"{KEY}-new")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Key replaced: main (anthropic), kept in")
    assert desk.stored()["main"]["key"] == f"{KEY}-new"
    assert desk.config.read_text() == before


@pytest.mark.parametrize(
    ("account", "given", "told"),
    [
        ('provider = "anthropic"\napi_key = "sk-test-x"', ["--api-key-stdin"], "its api_key in"),
        ('provider = "anthropic"\napi_key_env = "MY_KEY"', ["--api-key-stdin"], "the variable MY_KEY"),
        ('provider = "openai"', ["--api-key-stdin", "--provider", "anthropic"], "of provider openai"),
        ('provider = "anthropic"', ["--api-key-env", "X"], "remove-account main"),
    ],
)
def test_a_key_that_is_elsewhere_is_changed_there(
    desk: Desk, account: str, given: list[str], told: str
) -> None:
    """The place is named; nothing is written, and no login is suggested for a key."""
    desk.write_config(f'[[accounts]]\nname = "main"\n{account}\n')
    result = desk.run("add-account", "main", *given, input=KEY)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "--login" not in result.stderr
    assert desk.stored() == {}


def test_a_key_is_not_put_in_a_login_s_place(desk: Desk) -> None:
    """A subscription stays one; its cure is a login, a key goes under another name."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    before = desk.stored()
    result = desk.run("add-account", "main", "--api-key-stdin", input=KEY)
    assert result.exit_code == 1
    assert "lives on a login" in result.stderr
    assert "another name" in result.stderr
    assert desk.stored() == before


def test_a_key_does_not_change_settings_of_an_account(desk: Desk) -> None:
    """Those are the file's; a new key is given without them."""
    desk.run("add-account", "main", "--api-key-stdin", input=KEY)
    result = desk.run("add-account", "main", "--api-key-stdin", "--pool", "p", input=f"{KEY}-new")
    assert result.exit_code == 2
    assert desk.stored()["main"]["key"] == KEY


def test_the_same_key_twice_is_told(desk: Desk) -> None:
    """Two accounts of one key share its limits; that is allowed, and said."""
    desk.run("add-account", "one", "--api-key-stdin", input=KEY)
    result = desk.run("add-account", "two", "--api-key-stdin", input=KEY)
    assert result.exit_code == 0
    assert "one has the same key" in result.stderr


def test_a_stale_secret_of_that_name_does_not_win(desk: Desk) -> None:
    """A new account whose key is in the environment is not served by what an old one left behind."""
    desk.run("add-account", "x", "--api-key-stdin", input=KEY)
    desk.config.write_text("")
    assert desk.run("add-account", "x", "--api-key-env", "MY_KEY").exit_code == 0
    assert desk.stored() == {}


@pytest.mark.parametrize("broken", ["[server\n", "[server]\nprot = 1\n"])
def test_a_bad_config_is_neither_used_nor_overwritten(desk: Desk, broken: str) -> None:
    """The problems are listed, and both files stay as they are."""
    desk.write_config(broken)
    result = desk.run("add-account", "x", "--api-key-stdin", input=KEY)
    assert result.exit_code == 1
    assert str(desk.config) in result.stderr
    assert desk.config.read_text() == broken
    assert desk.stored() == {}


def test_unreadable_credentials_are_never_overwritten(desk: Desk) -> None:
    """A damaged credentials.json stops the command before anything is written."""
    desk.home.mkdir(mode=0o700)
    desk.credentials.write_text('{"accounts": {"a": ')
    desk.credentials.chmod(0o600)
    result = desk.run("add-account", "x", "--api-key-stdin", input=KEY)
    assert result.exit_code == 1
    assert desk.credentials.read_text() == '{"accounts": {"a": '
    assert accounts(desk) == []


@pytest.mark.skipif(os.name != "posix", reason="sudo is POSIX")
@pytest.mark.parametrize(("user", "told"), [("", False), ("me", True)])
def test_files_made_through_sudo_are_warned_of(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, user: str, told: bool
) -> None:
    """Root's files in a user's home lock that user out later."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    result = desk.run("add-account", "x", "--api-key-env", "X", environ={"SUDO_USER": user})
    assert ("root through sudo" in result.stderr) is told


# ── imported logins ───────────────────────────────────────────────────────────────────────────────


def test_an_import_needs_no_terminal(desk: Desk) -> None:
    """A script imports with one command: terms and sharing are printed, tokens are not."""
    desk.log_in()
    result = desk.run("add-account", "main", "--provider", "anthropic", "--import")
    assert result.exit_code == 0, result.output
    assert accounts(desk) == [{"name": "main", "provider": "anthropic"}]
    stored = desk.stored()["main"]
    assert (stored["type"], stored["refresh_token"], stored["account_id"]) == ("oauth", REFRESH, "acc-1")
    assert "u@example.test, plan max" in result.stdout
    assert "has not approved shunt" in result.stderr
    assert "share this login" in result.stderr
    assert f"ANTHROPIC_BASE_URL=http://127.0.0.1:{desk.port}" in result.stderr


def test_terms_are_stated_before_anything_is_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who says no has stored nothing."""
    desk.log_in()
    monkeypatch.setattr(acknowledgement, "interactive", lambda: True)
    result = desk.run("add-account", "main", "--import", input="n\n")
    unchanged(desk, result, 1)
    assert "has not approved shunt" in result.stderr


def test_terms_are_stated_once_per_provider(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who agreed is not asked again; a changed text is shown again."""
    desk.log_in()
    monkeypatch.setattr(acknowledgement, "interactive", lambda: True)
    assert desk.run("add-account", "main", "--import", input="y\n").exit_code == 0
    again = desk.run("add-account", "main", "--import")
    assert again.exit_code == 0
    assert "has not approved" not in again.stderr


def test_nobody_logged_in_needs_a_login(desk: Desk) -> None:
    """Without a login to import the exit code says that a person has to log in."""
    result = desk.run("add-account", "main", "--import")
    unchanged(desk, result, 4)
    assert "Claude Code has no login on this machine" in result.stderr


def test_a_login_that_ended_for_good_is_not_imported(desk: Desk) -> None:
    """An access token that is over and cannot be renewed is of no use."""
    desk.log_in(refresh="", expires=T0 - 1)
    unchanged(desk, desk.run("add-account", "main", "--import"), 4)


def test_a_login_that_cannot_be_renewed_is_told(desk: Desk) -> None:
    """It is stored while it works, with a word about its end."""
    desk.log_in(refresh="")
    result = desk.run("add-account", "main", "--import")
    assert result.exit_code == 0
    assert "cannot be renewed" in result.stderr
    assert "share this login" not in result.stderr


def test_importing_again_replaces_the_login_in_place(desk: Desk) -> None:
    """After a new login in Claude Code the same command takes it over; config.toml stays untouched."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    before = desk.config.read_text()
    desk.log_in(refresh=f"{REFRESH}-2")
    result = desk.run("add-account", "main", "--import")
    assert result.exit_code == 0, result.output
    assert desk.stored()["main"]["refresh_token"] == f"{REFRESH}-2"
    assert desk.config.read_text() == before
    assert "Imported anew: main" in result.stdout


def test_another_persons_login_does_not_take_an_account_over(desk: Desk) -> None:
    """The vendor's ids decide, and the message names both."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.log_in(account="acc-2", email="other@example.test", refresh=f"{REFRESH}-2")
    result = desk.run("add-account", "main", "--import")
    assert result.exit_code == 1
    assert "u@example.test" in result.stderr
    assert "other@example.test" in result.stderr
    assert desk.stored()["main"]["refresh_token"] == REFRESH


@pytest.mark.parametrize("refresh", [REFRESH, f"{REFRESH}-2"])
def test_one_login_is_not_pooled_twice(desk: Desk, refresh: str) -> None:
    """The same account at the vendor under a second name would fight over the refresh token."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.log_in(refresh=refresh)
    result = desk.run("add-account", "second", "--import")
    assert result.exit_code == 1
    assert "shunt add-account main --import" in result.stderr
    assert [account["name"] for account in accounts(desk)] == ["main"]


def test_a_login_is_not_put_in_a_keys_place(desk: Desk) -> None:
    """An API-key account stays one."""
    desk.run("add-account", "main", "--api-key-stdin", input=KEY)
    desk.log_in()
    result = desk.run("add-account", "main", "--import")
    assert result.exit_code == 1
    assert desk.stored()["main"]["type"] == "apikey"


def test_an_account_keeps_its_provider(desk: Desk) -> None:
    """An import for another provider than the account's is refused."""
    desk.write_config(
        '[[accounts]]\nname = "main"\nprovider = "anthropic-compatible"\nupstream_url = "http://127.0.0.1:9"\n'
    )
    desk.log_in()
    result = desk.run("add-account", "main", "--provider", "anthropic", "--import")
    assert result.exit_code == 1
    assert "is of provider anthropic-compatible" in result.stderr
    assert desk.stored() == {}


def test_settings_of_an_existing_account_are_not_changed_by_an_import(desk: Desk) -> None:
    """They are refused rather than ignored."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    assert desk.run("add-account", "main", "--import", "--priority", "3").exit_code == 2


def test_every_import_is_of_a_known_provider_with_logins() -> None:
    """The table of importable programs and the registry of providers agree."""
    from shunt.providers import PROVIDERS  # noqa: PLC0415 - used by this test only

    assert set(IMPORTS) <= {provider.name for provider in PROVIDERS if provider.login}


# ── the running server ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ((200, {"accounts": ["x"]}), "has taken it over"),
        ((200, {"accounts": ["others"]}), "works on other files"),
        ((409, {"error": {"message": "config.toml:1: wrong"}}), "did not take it"),
        ((200, b"<html>"), "did not take it"),
    ],
)
def test_the_running_server_is_told(desk: Desk, answer: tuple[int, Any], word: str) -> None:
    """After the files are written the server reads them again; whatever it says, the account is stored."""
    with scripted_control({"POST /accounts/reload": answer}) as server:
        desk.serve(server)
        result = desk.run("add-account", "x", "--api-key-stdin", input=KEY)
    assert result.exit_code == 0
    assert word in result.stderr
    assert [call for call, _ in server.calls] == ["POST /accounts/reload"]
    assert [account["name"] for account in accounts(desk)] == ["x"]


def test_a_local_server_needs_no_key(desk: Desk) -> None:
    """Nothing is asked for and nothing stored; a key that is given is kept all the same."""
    result = desk.run("add-account", "local", "--provider", "ollama")
    assert result.exit_code == 0, result.output
    assert accounts(desk) == [{"name": "local", "provider": "ollama"}]
    assert (desk.stored(), "without a key" in result.stdout) == ({}, True)
    keyed = desk.run("add-account", "keyed", "--provider", "vllm", "--api-key-stdin", input=f"{KEY}\n")
    assert keyed.exit_code == 0, keyed.output
    assert desk.stored()["keyed"]["key"] == KEY
