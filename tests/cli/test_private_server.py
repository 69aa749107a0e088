"""A server for one command."""

from __future__ import annotations

import os
import sys

import pytest

from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation
from shunt.cli.private_server import private_server, server_command, server_environment
from tests.cli.desk import T0, Desk, never


def files(desk: Desk) -> Files:
    environ = {**os.environ, "HOME": str(desk.user), "SHUNT_HOME": str(desk.home)}
    return open_files(Invocation(environ, lambda: T0, never))


def test_it_serves_for_the_time_of_the_block(desk: Desk) -> None:
    """On a port of its own, and it is gone afterwards."""
    with private_server(files(desk)) as control:
        assert control.health()["status"] == "ok"
        assert str(desk.port) not in control.url
    with pytest.raises(NotRunning):
        control.health()


def test_what_keeps_it_from_starting_is_told(desk: Desk) -> None:
    """In its own words."""
    desk.write_config("[server]\nprot = 1\n")
    with pytest.raises(Failed, match="prot"), private_server(files(desk)):
        pass


def test_how_another_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """From source through Python, packaged through itself, unpacked anew."""
    assert server_command(["run"]) == [sys.executable, "-m", "shunt", "run"]
    assert server_environment({"A": "1"}) == {"A": "1"}
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert server_command(["run"]) == [sys.executable, "run"]
    assert server_environment({"LD_LIBRARY_PATH": "/bundle"}) == {"PYINSTALLER_RESET_ENVIRONMENT": "1"}
