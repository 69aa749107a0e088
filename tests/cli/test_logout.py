"""`shunt logout`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from shunt.cli import logout as module
from tests.cli.desk import KEY, REFRESH, Desk
from tests.cli.scripted_control import scripted_control
from tests.cli.scripted_vendor import scripted_vendor
from tests.fakes.upstream import closed_port


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A machine with one imported login, whose vendor is not there."""
    desk.environ["SHUNT_ANTHROPIC_TOKEN_URL"] = f"http://127.0.0.1:{closed_port()}/v1/oauth/token"
    desk.log_in()
    assert desk.run("add-account", "main", "--import").exit_code == 0
    return desk


def test_the_vendor_ends_it_and_shunt_forgets_it(desk: Desk) -> None:
    """The refresh token is revoked beside the token endpoint; the account stays; the server is told."""
    answers: dict[str, tuple[int, Any]] = {"POST /accounts/reload": (200, {"accounts": ["main"]})}
    with scripted_control(answers) as server, scripted_vendor(200) as vendor:
        desk.serve(server)
        desk.environ["SHUNT_ANTHROPIC_TOKEN_URL"] = f"{vendor.url}/v1/oauth/token"
        result = desk.run("logout", "Main")
    assert result.exit_code == 0, result.output
    assert "ended at the vendor" in result.stdout
    assert "has taken it over" in result.stderr
    assert "logs that program out too" in result.stderr
    assert desk.stored() == {}
    assert REFRESH not in (desk.home / "credentials.json.1").read_text()
    assert 'name = "main"' in desk.config.read_text()
    assert dict(parse_qsl(vendor.bodies[0].decode()))["token"] == REFRESH


@pytest.mark.parametrize("status", [0, 500])
def test_what_the_vendor_did_not_end_is_kept(desk: Desk, status: int) -> None:
    """It can be tried again; --local is the way out, and says what it leaves."""
    with scripted_vendor(status) as vendor:
        if status:
            desk.environ["SHUNT_ANTHROPIC_REVOKE_URL"] = f"{vendor.url}/r"
        result = desk.run("logout", "main")
    assert result.exit_code == 1
    assert "--local" in result.stderr
    assert desk.stored()["main"]["refresh_token"] == REFRESH
    result = desk.run("logout", "main", "--local")
    assert result.exit_code == 0
    assert "still good" in result.stdout
    assert desk.stored() == {}


def test_nothing_happens_to_a_person_who_says_no(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal one is asked."""
    monkeypatch.setattr(module, "interactive", lambda: True)
    assert desk.run("logout", "main", input="n\n").exit_code == 1
    assert "main" in desk.stored()


def test_keys_and_strangers_are_told_apart(desk: Desk) -> None:
    """A key is deleted at its vendor, not here; a misspelt name gets the nearest one."""
    desk.run("add-account", "key", "--api-key-stdin", input=KEY)
    desk.run("add-account", "env", "--api-key-env", "X")
    for name in ("key", "env"):
        result = desk.run("logout", name)
        assert result.exit_code == 1
        assert f"shunt remove-account {name}" in result.stderr
    result = desk.run("logout", "mian")
    assert result.exit_code == 1
    assert '"main"' in result.stderr
    desk.run("logout", "main", "--local")
    assert "has no login" in desk.run("logout", "main").stderr
