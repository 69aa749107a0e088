"""`shunt run` hands over to the composition root."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from shunt.errors import ConfigError, StoreLocked
from tests.cli.desk import Desk


class App(ModuleType):
    """Stands in for the composition root."""

    def __init__(self) -> None:
        super().__init__("shunt.app.main")
        self.options: dict[str, Any] = {}
        self.outcome: int | Exception = 0

    def RunOptions(self, **options: Any) -> dict[str, Any]:  # noqa: N802 - a class there
        return options

    def main(self, options: dict[str, Any]) -> int:
        self.options = options
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> App:
    module = App()
    monkeypatch.setitem(sys.modules, "shunt.app.main", module)
    monkeypatch.setitem(sys.modules, "shunt.app.options", module)
    return module


def test_options_are_handed_over(desk: Desk, app: App) -> None:
    """Everything the command line says, and the environment."""
    result = desk.run(
        "run",
        "--demo",
        "--host",
        "::1",
        "--port",
        "9999",
        "--home",
        "/h",
        "--config",
        "/c.toml",
        "--log-level",
        "DEBUG",
    )
    assert result.exit_code == 0, result.output
    environ = app.options.pop("environ")
    assert environ["SHUNT_HOME"] == str(desk.home)
    assert app.options.pop("arguments") == tuple(sys.argv[1:])  # for a version that takes over
    assert app.options == {
        "home": "/h",
        "config": "/c.toml",
        "host": "::1",
        "port": 9999,
        "log_level": "debug",
        "demo": True,
        "leash": None,
    }


def test_a_configuration_that_is_not_there_is_not_taken_for_an_empty_one(desk: Desk, app: App) -> None:
    """Where one is named: nothing is started, and what makes it is named. The usual place may be empty."""
    desk.home.mkdir(exist_ok=True)
    missing = str(desk.home / "typo.toml")
    result = desk.run("run", "--config", missing)
    assert result.exit_code == 1
    assert f"There is no {missing}" in result.stderr
    assert f"shunt add-account NAME --config {missing}" in result.stderr
    assert app.options == {}
    (desk.home / "typo.toml").touch()
    assert desk.run("run", "--config", missing).exit_code == 0
    desk.user.mkdir(exist_ok=True)
    (desk.user / "mine.toml").touch()
    assert desk.run("run", "--config", "~/mine.toml").exit_code == 0, "the home is found as everywhere else"


def test_nothing_said_is_nothing_overridden(desk: Desk, app: App) -> None:
    """Without options the configuration decides."""
    desk.run("run")
    said = {key for key, value in app.options.items() if value}
    assert said <= {"environ", "arguments"}


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_comes_back(desk: Desk, app: App, code: int) -> None:
    """What the program ends with is what the shell sees."""
    app.outcome = code
    assert desk.run("run").exit_code == code


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("config.toml:3: wrong"),
        StoreLocked("another shunt is running"),
        ExceptionGroup("nursery", [StoreLocked("another shunt is running")]),
    ],
)
def test_errors_are_plain_lines(desk: Desk, app: App, error: Exception) -> None:
    """What stands in the way is said on stderr, without a traceback, with exit code 1."""
    app.outcome = error
    result = desk.run("run")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "args", [["--port", "0"], ["--port", "70000"], ["--port", "x"], ["--log-level", "loud"], ["extra"]]
)
def test_impossible_options_are_usage_errors(desk: Desk, app: App, args: list[str]) -> None:
    """Refused before anything is started."""
    assert desk.run("run", *args).exit_code == 2
    assert app.options == {}
