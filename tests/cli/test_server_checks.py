"""What the doctor learns from the server, or from its port."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from shunt import __version__
from shunt.cli.control import Control
from shunt.cli.remarks import Level, Remark
from shunt.cli.server_checks import account_remark, server_remarks
from shunt.config.types import ServerConfig
from tests.cli.desk import T0
from tests.cli.scripted_control import scripted_control

STATUS: dict[str, Any] = {"version": __version__, "accounts": [], "watchers": []}
READY = {"ready": True, "reasons": []}


def looked(status: tuple[int, Any], ready: tuple[int, Any] = (200, READY)) -> dict[str, Remark]:
    """Remarks by what they are about."""
    with scripted_control({"GET /status": status, "GET /ready": ready}) as server:
        return {each.about: each for each in server_remarks(Control(server.url), ServerConfig(), T0)}


def test_a_server_that_is_well_has_nothing_but_fine_remarks() -> None:
    """Running, same version, ready."""
    assert {each.level for each in looked((200, STATUS)).values()} == {Level.FINE}


def test_another_version_is_a_warning() -> None:
    """After an upgrade the old server may still be running."""
    remark = looked((200, {**STATUS, "version": "0.0.1"}))["server"]
    assert remark.level is Level.WARNING
    assert "0.0.1" in remark.says


def test_a_pool_that_cannot_serve_says_why() -> None:
    """The reasons of `/ready` come through."""
    remark = looked((200, STATUS), (503, {"ready": False, "reasons": ["no anthropic account can serve"]}))[
        "readiness"
    ]
    assert remark.level is Level.WARNING
    assert "no anthropic account" in remark.says


def test_a_degraded_watcher_is_named() -> None:
    """Only those that are not well."""
    watchers = [
        {"name": "cooldown", "degraded": False, "last_error": None},
        {"name": "prefetch", "degraded": True, "last_error": "boom"},
    ]
    remarks = looked((200, {**STATUS, "watchers": watchers}))
    assert "boom" in remarks["watcher prefetch"].says
    assert "watcher cooldown" not in remarks


def test_another_program_is_a_fault() -> None:
    """Requests of agents would go to it."""
    assert looked((200, b"<html>"))["server"].level is Level.FAULT


def test_a_wrong_key_is_a_fault() -> None:
    """The server's words and the places of the key are told."""
    remark = looked((401, {"error": {"message": "Wrong key."}}))["server"]
    assert remark.level is Level.FAULT
    assert "SHUNT_KEY" in remark.says


def test_without_a_server_its_port_is_tried() -> None:
    """A free port is fine, a taken one is a fault with its cure."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        control = Control(f"http://127.0.0.1:{port}")
        remarks = {each.about: each for each in server_remarks(control, ServerConfig(port=port), T0)}
        assert remarks["server"].level is Level.NOTE
        assert remarks["port"].level is Level.FAULT
    remarks = {each.about: each for each in server_remarks(control, ServerConfig(port=port), T0)}
    assert remarks["port"].level is Level.FINE


@pytest.mark.parametrize(
    ("account", "level", "login"),
    [
        ({"status": "available"}, Level.FINE, False),
        ({"status": "cooling", "cooldown_until_ms": (T0 + 60) * 1000}, Level.NOTE, False),
        ({"status": "cooling", "cooldown_until_ms": None}, Level.NOTE, False),
        ({"status": "disabled"}, Level.NOTE, False),
        ({"status": "reauth_required"}, Level.FAULT, True),
        ({"status": "reauth_required", "subscription": True}, Level.FAULT, True),
        ({"status": "reauth_required", "subscription": False}, Level.FAULT, False),
        ({}, Level.NOTE, False),
    ],
)
def test_accounts_are_judged_by_what_a_person_must_do(
    account: dict[str, Any], level: Level, login: bool
) -> None:
    """Only a login that is gone is a fault; cooling and pauses end by themselves or on purpose."""
    remark = account_remark({"name": "main", **account}, T0)
    assert (remark.level, remark.login) == (level, login)


def test_suggested_commands_can_be_typed() -> None:
    """A name with spaces or shell characters is quoted."""
    remark = account_remark({"name": "my $(x) one", "status": "reauth_required"}, T0)
    assert remark.cure.endswith("shunt add-account 'my $(x) one' --login")
