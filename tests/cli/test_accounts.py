"""`shunt accounts`."""

from __future__ import annotations

import pytest

from shunt.store.sealing import SystemKeychain
from tests.cli.desk import KEY, T0, Desk
from tests.cli.scripted_control import scripted_control

STATUS = {
    "version": "0.1.0",
    "accounts": [
        {
            "name": "main",
            "provider": "anthropic",
            "email": "now@example.test",
            "plan_type": "max",
            "status": "cooling",
            "cooldown_until_ms": int((T0 + 8880) * 1000),
        }
    ],
}


@pytest.fixture
def pool(desk: Desk) -> Desk:
    """One account of each kind of custody."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    desk.run("add-account", "env", "--api-key-env", "MY_KEY")
    desk.config.write_text(
        desk.config.read_text()
        + f'\n[[accounts]]\nname = "inline"\nprovider = "anthropic"\napi_key = "{KEY}"\n'
        + '\n[[accounts]]\nname = "bare"\nprovider = "anthropic"\n'
    )
    return desk


def test_without_a_server_the_files_tell_who_keeps_what(pool: Desk) -> None:
    """Every account's secret is located, with the file's mode and who shares it; nothing secret is shown."""
    document = pool.document("accounts")
    assert document["server"] == {"url": f"http://127.0.0.1:{pool.port}", "running": False}
    rows = {row["name"]: row for row in document["accounts"]}
    places = {name: (row["secret"], row["kept_in"], row["mode"]) for name, row in rows.items()}
    assert places == {
        "main": ("login", str(pool.credentials), "0600"),
        "key": ("API key", str(pool.credentials), "0600"),
        "env": ("API key", "$MY_KEY", None),
        "inline": ("API key", str(pool.config), "0600"),
        "bare": (None, None, None),
    }
    assert rows["main"]["shared_with"] == str(pool.user / ".claude" / ".credentials.json")
    assert (rows["main"]["email"], rows["main"]["plan_type"]) == ("u@example.test", "max")
    assert rows["main"]["expires_ms"] == int((T0 + 3600) * 1000)
    assert {row["status"] for row in rows.values()} == {None}


def test_a_key_of_the_environment_is_not_said_to_be_in_the_file(desk: Desk) -> None:
    """The variable is named, or the one that names a file."""
    desk.user.mkdir(exist_ok=True)
    (desk.user / "key").write_text(KEY)
    environ = {
        "SHUNT_ACCOUNTS_WORK_PROVIDER": "anthropic",
        "SHUNT_ACCOUNTS_WORK_API_KEY": KEY,
        "SHUNT_ACCOUNTS_HOME_PROVIDER": "anthropic",
        "SHUNT_ACCOUNTS_HOME_API_KEY_FILE": str(desk.user / "key"),
    }
    desk.environ.update(environ)
    rows = {row["name"]: row["kept_in"] for row in desk.document("accounts")["accounts"]}
    assert rows == {"work": "$SHUNT_ACCOUNTS_WORK_API_KEY", "home": "$SHUNT_ACCOUNTS_HOME_API_KEY_FILE"}


def test_the_running_server_adds_how_they_stand(pool: Desk) -> None:
    """State comes from the server, custody from the files."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        pool.serve(server)
        main = pool.document("accounts")["accounts"][0]
        text = pool.run("accounts").stdout
    assert (main["status"], main["email"], main["secret"]) == ("cooling", "now@example.test", "login")
    assert "cooling, 2 h 28 m left" in text


def test_a_server_elsewhere_speaks_for_itself(pool: Desk) -> None:
    """With --url the local files say nothing about the accounts there."""
    with scripted_control({"GET /status": (200, STATUS)}) as server:
        (row,) = pool.document("accounts", "--url", server.url)["accounts"]
    assert row["name"] == "main"
    assert "kept_in" not in row


def test_a_server_elsewhere_has_to_answer(pool: Desk) -> None:
    """Asked for by name, its absence is exit code 3."""
    assert pool.run("accounts", "--url", f"http://127.0.0.1:{pool.port}").exit_code == 3


def test_no_accounts_is_said(desk: Desk) -> None:
    """An empty pool names the next step; as JSON it is an empty list."""
    assert "shunt add-account" in desk.run("accounts").stderr
    assert desk.document("accounts")["accounts"] == []


def test_damaged_credentials_are_told(pool: Desk) -> None:
    """A file that cannot be trusted is named, not skipped."""
    pool.credentials.write_text("{")
    result = pool.run("accounts")
    assert result.exit_code == 1
    assert str(pool.credentials) in result.stderr


def test_a_sealed_file_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `store = "keychain"` the secret is said to be sealed, and without a keychain it is not."""
    kept: dict[str, str] = {}
    monkeypatch.setattr(SystemKeychain, "get", lambda _self, name: kept.get(name))
    monkeypatch.setattr(SystemKeychain, "put", lambda _self, name, value: kept.__setitem__(name, value))
    desk.environ["SHUNT_CREDENTIALS_STORE"] = "keychain"
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    assert b"canary" not in desk.credentials.read_bytes()
    assert "sealed by the keychain" in desk.run("accounts").stdout
    assert desk.document("accounts")["accounts"][0]["sealed"] is True
    kept.clear()
    result = desk.run("accounts")
    assert result.exit_code == 1
    assert "keychain" in result.stderr
