"""`shunt export` and `shunt import`."""

from __future__ import annotations

import base64
import tomllib
from pathlib import Path
from typing import Any

import pyrage
import pytest

from shunt.accounts.secret import Secret
from shunt.store import parcel as store
from tests.cli.desk import KEY, REFRESH, Desk
from tests.cli.scripted_control import scripted_control

PASS = "canary correct horse battery\n"


@pytest.fixture
def other(tmp_path: Path, desk: Desk) -> Desk:
    """Another machine."""
    root = tmp_path / "other"
    root.mkdir()
    return Desk(root, desk.port)


@pytest.fixture
def parcel(tmp_path: Path) -> str:
    return str(tmp_path / "accounts.age")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second that a passphrase costs on purpose; the real one is tested in its own room."""

    def locked(text: bytes, passphrase: Secret) -> bytes:
        return base64.b64encode(passphrase.fingerprint().encode() + text)

    def unlocked(data: bytes, passphrase: Secret) -> bytes:
        mark = passphrase.fingerprint().encode()
        text = base64.b64decode(data)
        if not text.startswith(mark):
            raise pyrage.DecryptError
        return text.removeprefix(mark)

    monkeypatch.setattr(store, "encrypt", locked)
    monkeypatch.setattr(store, "decrypt", unlocked)


def fill(desk: Desk) -> None:
    """One login and three kinds of keys."""
    desk.log_in()
    assert (
        desk.run("add-account", "main", "--import", "--priority", "3", "--model", "claude-*").exit_code == 0
    )
    assert desk.run("add-account", "key", "--api-key-stdin", input=KEY).exit_code == 0
    assert desk.run("add-account", "env", "--api-key-env", "MY_KEY").exit_code == 0
    with desk.config.open("a") as file:
        file.write(f'\n[[accounts]]\nname = "inline"\nprovider = "openai"\napi_key = "{KEY}-2"\n')


def accounts(desk: Desk) -> list[dict[str, Any]]:
    found = tomllib.loads(desk.config.read_text())["accounts"]
    assert isinstance(found, list)
    return found


def test_accounts_move_with_everything_that_belongs_to_them(desk: Desk, other: Desk, parcel: str) -> None:
    """Settings, logins and keys; a key in config.toml becomes a stored one; the other machine is no sharer's path."""
    fill(desk)
    done = desk.run("export", "--to", parcel, "--passphrase-stdin", input=PASS)
    assert done.exit_code == 0, done.output
    assert "two machines have one token family" in done.stderr
    assert Path(parcel).stat().st_mode & 0o777 == 0o600
    assert b"canary" not in Path(parcel).read_bytes()
    done = other.run("import", parcel, "--passphrase-stdin", "--yes", input=PASS)
    assert done.exit_code == 0, done.output
    assert "Before you hand" in done.stderr
    assert "one of the two only" in done.stderr
    assert accounts(other) == [
        {"name": "main", "provider": "anthropic", "priority": 3, "models": ["claude-*"]},
        {"name": "key", "provider": "anthropic"},
        {"name": "env", "provider": "anthropic", "api_key_env": "MY_KEY"},
        {"name": "inline", "provider": "openai"},
    ]
    assert other.stored()["main"]["refresh_token"] == REFRESH
    assert "imported_from" not in other.stored()["main"]
    assert other.stored()["inline"]["key"] == f"{KEY}-2"
    assert other.credentials.stat().st_mode & 0o777 == 0o600


def test_an_export_may_take_them_off_this_machine(desk: Desk, other: Desk, parcel: str) -> None:
    """Nothing is shared then, in either file; the server is told, and the other machine warns of nothing."""
    fill(desk)
    with scripted_control({"POST /accounts/reload": (200, {"accounts": []})}) as server:
        desk.serve(server)
        done = desk.run("export", "main", "--to", parcel, "--passphrase-stdin", "--remove", input=PASS)
    assert done.exit_code == 0, done.output
    assert "has taken it over" in done.stderr
    assert "main" not in desk.stored()
    assert REFRESH not in (desk.home / "credentials.json.1").read_text()
    assert [account["name"] for account in accounts(desk)] == ["key", "env", "inline"]
    done = other.run("import", parcel, "--passphrase-stdin", input=PASS)
    assert done.exit_code == 0
    assert "one of the two" not in done.stderr


def test_an_import_changes_all_or_nothing(desk: Desk, other: Desk, parcel: str) -> None:
    """A name that is taken, or a login that is here under another name, is refused first; --only chooses."""
    fill(desk)
    desk.run("export", "--to", parcel, "--passphrase-stdin", input=PASS)
    other.run("add-account", "KEY", "--api-key-env", "X")
    done = other.run("import", parcel, "--passphrase-stdin", input=PASS)
    assert done.exit_code == 1
    assert "--only" in done.stderr
    assert [account["name"] for account in accounts(other)] == ["KEY"]
    assert other.run("import", parcel, "--only", "main", "--passphrase-stdin", input=PASS).exit_code == 0
    assert other.run("import", parcel, "--only", "nobody", "--passphrase-stdin", input=PASS).exit_code == 1
    other.run("remove-account", "main")
    other.log_in()
    other.run("add-account", "mine", "--import")
    done = other.run("import", parcel, "--only", "main", "--passphrase-stdin", input=PASS)
    assert done.exit_code == 1
    assert "as mine" in done.stderr


def test_a_wrong_passphrase_and_a_file_that_is_there_are_told(desk: Desk, parcel: str) -> None:
    """Neither loses anything."""
    fill(desk)
    desk.run("export", "--to", parcel, "--passphrase-stdin", input=PASS)
    before = Path(parcel).read_bytes()
    assert desk.run("export", "--to", parcel, "--passphrase-stdin", input=PASS).exit_code == 1
    assert Path(parcel).read_bytes() == before
    done = desk.run("import", parcel, "--passphrase-stdin", input="canary wrong horse\n")
    assert done.exit_code == 1
    assert "passphrase" in done.stderr
    assert desk.run("export", "nobody", "--to", f"{parcel}2", "--passphrase-stdin", input=PASS).exit_code == 1


def test_nothing_to_export_is_told(desk: Desk, parcel: str) -> None:
    """An empty file would help nobody."""
    assert "no accounts" in desk.run("export", "--to", parcel, "--passphrase-stdin", input=PASS).stderr
    assert not Path(parcel).exists()
