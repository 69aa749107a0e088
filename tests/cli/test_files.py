"""The files of a command, and the way to their server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.cli.files import known_providers, open_files
from shunt.cli.invocation import Invocation
from shunt.providers import PROVIDERS
from tests.cli.desk import T0, never


def call(home: Path, **environ: str) -> Invocation:
    return Invocation({"SHUNT_HOME": str(home), **environ}, lambda: T0, never)


def test_the_server_is_where_the_configuration_puts_it(tmp_path: Path) -> None:
    """File and environment, as the server itself reads them."""
    (tmp_path / "config.toml").write_text("[server]\nport = 9001\n")
    assert open_files(call(tmp_path)).control().url == "http://127.0.0.1:9001"
    assert open_files(call(tmp_path, SHUNT_PORT="9002")).control().url == "http://127.0.0.1:9002"


def test_a_running_server_is_found_on_the_port_it_took(tmp_path: Path) -> None:
    """`shunt run --port N` is found by commands that know nothing of N."""
    (tmp_path / "shunt.lock.json").write_text(json.dumps({"pid": 1, "port": 9003}))
    (tmp_path / "shunt.lock.json").chmod(0o600)
    assert open_files(call(tmp_path)).control().url == "http://127.0.0.1:9003"
    assert open_files(call(tmp_path)).control("http://127.0.0.1:9004").url == "http://127.0.0.1:9004"


def test_a_bad_config_falls_back_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The running server kept its old configuration; the way to it stays open."""
    (tmp_path / "config.toml").write_text("[server]\nprot = 1\nhots = 2\n")
    assert open_files(call(tmp_path)).control().url == "http://127.0.0.1:8082"
    assert "2 problem(s)" in capsys.readouterr().err


def test_every_provider_may_be_configured() -> None:
    """The registry is the list."""
    assert known_providers() == tuple(provider.name for provider in PROVIDERS)
