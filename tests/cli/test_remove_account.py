"""`shunt remove-account`."""

from __future__ import annotations

import tomllib

import pytest

from shunt.cli import remove_account
from tests.cli.desk import KEY, Desk
from tests.cli.scripted_control import scripted_control


def names(desk: Desk) -> list[str]:
    return [account["name"] for account in tomllib.loads(desk.config.read_text()).get("accounts", [])]


@pytest.fixture
def pool(desk: Desk) -> Desk:
    """Two accounts, `one` with a key of its own."""
    desk.run("add-account", "one", "--api-key-stdin", input=KEY)
    desk.run("add-account", "two", "--api-key-env", "MY_KEY")
    return desk


@pytest.mark.parametrize("name", ["one", "ONE"])
def test_an_account_leaves_both_files(pool: Desk, name: str) -> None:
    """Configuration and secret go, the kept generation of the secret too; the others stay."""
    result = pool.run("remove-account", name)
    assert result.exit_code == 0, result.output
    assert names(pool) == ["two"]
    assert pool.stored() == {}
    assert "its secret is forgotten" in result.stdout
    assert all(KEY not in path.read_text() for path in pool.home.iterdir())


def test_an_account_without_a_secret_here_is_removed_too(pool: Desk) -> None:
    """A key in the environment is nothing to forget."""
    result = pool.run("remove-account", "two")
    assert "kept no secret" in result.stdout
    assert names(pool) == ["one"]


def test_what_an_edit_by_hand_left_behind_can_be_removed(pool: Desk) -> None:
    """A secret whose account was deleted from config.toml goes by the same command."""
    pool.config.write_text("")
    assert pool.run("remove-account", "one").exit_code == 0
    assert pool.stored() == {}


def test_an_unknown_name_changes_nothing(pool: Desk) -> None:
    """The nearest name is offered."""
    result = pool.run("remove-account", "onee")
    assert result.exit_code == 1
    assert 'did you mean "one"' in result.stderr
    assert names(pool) == ["one", "two"]


@pytest.mark.parametrize(
    ("answer", "args", "code", "left"),
    [("n\n", [], 1, ["one", "two"]), ("y\n", [], 0, ["two"]), ("", ["--yes"], 0, ["two"])],
)
def test_a_person_is_asked_first(
    pool: Desk, monkeypatch: pytest.MonkeyPatch, answer: str, args: list[str], code: int, left: list[str]
) -> None:
    """On a terminal nothing goes without a yes, by hand or by --yes."""
    monkeypatch.setattr(remove_account, "interactive", lambda: True)
    assert pool.run("remove-account", "one", *args, input=answer).exit_code == code
    assert names(pool) == left


def test_the_running_server_is_told(pool: Desk) -> None:
    """The server forgets the account as well."""
    with scripted_control({"POST /accounts/reload": (200, {"accounts": ["two"]})}) as server:
        pool.serve(server)
        result = pool.run("remove-account", "one")
    assert "has taken it over" in result.stderr
