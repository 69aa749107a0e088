"""`shunt doctor`."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from shunt import __version__
from shunt.store.credentials import CredentialStore
from tests.cli.desk import KEY, Desk
from tests.cli.scripted_control import scripted_control

COMPATIBLE = '[[accounts]]\nname = "a"\nprovider = "anthropic-compatible"\napi_key = "sk-test-1"\n'


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty machine whose port nobody has, not even the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Desk(tmp_path, free.getsockname()[1])


def remarks(desk: Desk, **options: Any) -> list[dict[str, Any]]:
    found = desk.document("doctor", "--offline", **options)["remarks"]
    assert isinstance(found, list)
    return found


def says(found: list[dict[str, Any]], word: str) -> dict[str, Any]:
    return next(each for each in found if word in each["says"])


def test_an_empty_machine_is_fine(desk: Desk) -> None:
    """Nothing is wrong where nothing was set up; what to do next is said."""
    result = desk.run("doctor", "--offline")
    assert result.exit_code == 0, result.output
    assert "shunt add-account" in result.stdout
    assert "shunt run" in result.stdout


def test_nothing_is_changed(desk: Desk) -> None:
    """Looking creates and repairs nothing."""
    desk.run("doctor", "--offline")
    assert not desk.home.exists()


def test_a_sound_pool_is_fine(desk: Desk) -> None:
    """Files, configuration and credentials pass; a shared login is noted."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    found = remarks(desk)
    assert {each["level"] for each in found} <= {"fine", "note"}
    assert says(found, "shares its login")["level"] == "note"


@pytest.mark.parametrize(
    ("config", "word", "code"),
    [
        ("[server]\nprot = 1\n", "config.toml:2", 1),
        ('[server]\nhost = "0.0.0.0"\n', "without a key", 1),
        ('[[accounts]]\nname = "a"\nprovider = "anthropic"\n', "has no key and no login", 4),
        (
            f'{COMPATIBLE}upstream_url = "http://127.0.0.1:{{port}}"\n',
            "shunt's own address",
            1,
        ),
        (
            '[[accounts]]\nname = "a"\nprovider = "anthropic-compatible"\napi_key = "sk-test-1"\n',
            "upstream_url",
            1,
        ),
    ],
)
def test_what_cannot_work_is_a_fault(desk: Desk, config: str, word: str, code: int) -> None:
    """Each fault is found from the files alone, and sets the exit code; only logins missing is 4."""
    desk.write_config(config.format(port=desk.port) if "{port}" in config else config)
    result = desk.run("doctor", "--offline")
    assert result.exit_code == code, result.output
    assert word in result.stdout
    assert "FAIL" in result.stdout


def test_damaged_credentials_are_a_fault(desk: Desk) -> None:
    """The file is named, and left as it is."""
    desk.home.mkdir(mode=0o700)
    desk.credentials.write_text("{")
    desk.credentials.chmod(0o600)
    result = desk.run("doctor", "--offline")
    assert result.exit_code == 1
    assert str(desk.credentials) in result.stdout
    assert desk.credentials.read_text() == "{"


def test_open_secrets_are_a_fault(desk: Desk) -> None:
    """Logins that other users can read fail the examination, with the cure."""
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    desk.credentials.chmod(0o644)
    found = remarks(desk)
    remark = says(found, "open to other users")
    assert remark["level"] == "fault"
    assert "chmod 600" in remark["cure"]


def test_left_overs_and_cut_renewals_are_told(desk: Desk) -> None:
    """A secret without an account, a variable that is not set, a renewal whose end is unknown."""
    desk.log_in()
    desk.run("add-account", "main", "--import")
    desk.run("add-account", "env", "--api-key-env", "MY_KEY")
    store = CredentialStore(desk.credentials)
    store.mark_pending("main", "abc", 1.0)
    store.put("gone", store.load()["main"].credential)
    found = remarks(desk)
    assert says(found, "a secret of gone")["cure"] == "shunt remove-account gone"
    assert says(found, "$MY_KEY is not set here")["level"] == "warning"
    assert says(found, "renewal of its login was cut off")["level"] == "warning"


def test_the_server_and_its_accounts_are_asked(desk: Desk) -> None:
    """An account that needs a login makes the exit code 4."""
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    status = {
        "version": __version__,
        "watchers": [],
        "accounts": [{"name": "key", "status": "reauth_required"}],
    }
    with scripted_control(
        {"GET /status": (200, status), "GET /ready": (503, {"reasons": ["none can serve"]})}
    ) as server:
        desk.serve(server)
        result = desk.run("doctor", "--offline")
    assert result.exit_code == 4, result.output
    assert "account key: needs a login or key" in result.stdout
    assert "none can serve" in result.stdout


def test_each_upstream_is_asked_once_and_without_a_key(desk: Desk) -> None:
    """Two accounts of one address are one question, and it carries no credential."""
    with scripted_control() as vendor:
        for name in ("a", "b"):
            desk.run(
                "add-account", name, "--provider", "anthropic-compatible", "--upstream-url", vendor.url, "--api-key-stdin",
                input=f"{KEY}-{name}",
            )  # fmt: skip
        result = desk.run("doctor")
        assert [call for call, _ in vendor.calls] == ["HEAD /"]
        assert vendor.keys == [""]
    assert f"upstream 127.0.0.1:{vendor.port}: answers" in result.stdout
