"""`shunt dashboard`."""

from __future__ import annotations

import webbrowser

import pytest

from shunt.cli import dashboard
from tests.cli.desk import Desk
from tests.cli.scripted_control import HEALTH, scripted_control


def opened(monkeypatch: pytest.MonkeyPatch, *, works: bool = True) -> list[str]:
    """What a browser was asked to show, at a terminal."""
    addresses: list[str] = []
    monkeypatch.setattr(dashboard, "interactive", lambda: True)

    def show(url: str) -> bool:
        addresses.append(url)
        return works

    monkeypatch.setattr(webbrowser, "open", show)
    return addresses


def test_the_local_page_is_printed_and_opened(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No code is needed on this machine."""
    addresses = opened(monkeypatch)
    with scripted_control({"GET /health": (200, HEALTH)}) as server:
        desk.serve(server)
        result = desk.run("dashboard")
        address = f"http://127.0.0.1:{server.port}/"
        assert (result.exit_code, result.stdout) == (0, f"{address}\n")
        assert addresses == [address]
        assert desk.document("dashboard")["url"] == address
        assert desk.run("dashboard", "--no-open").stdout == f"{address}\n"
    assert addresses == [address]


def test_where_there_is_no_browser_the_address_suffices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is printed, and stderr says what to do with it."""
    opened(monkeypatch, works=False)
    with scripted_control({"GET /health": (200, HEALTH)}) as server:
        desk.serve(server)
        result = desk.run("dashboard")
    assert result.exit_code == 0
    assert "yourself" in result.stderr


def test_another_machines_page_comes_with_a_code_and_is_not_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is a secret for five minutes: it stays out of every process's arguments."""
    addresses = opened(monkeypatch)
    monkeypatch.setattr(dashboard, "is_loopback", lambda _: False)
    with scripted_control({"POST /dashboard/codes": (200, {"code": "once", "expires_in": 300})}) as server:
        url = f"http://127.0.0.1:{server.port}"
        assert desk.run("dashboard", "--url", url).stdout == f"{url}/#code=once\n"
        assert desk.document("dashboard", "--url", url)["expires_in"] == 300
    assert addresses == []


def test_without_a_server_there_is_no_page(desk: Desk) -> None:
    """Exit code 3, as everywhere."""
    assert desk.run("dashboard").exit_code == 3
