"""What nobody expected."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shunt.cli.crash import recorded


@contextmanager
def handlers(*present: logging.Handler) -> Iterator[None]:
    """Have only these handlers on the root logger: none, as in a fresh process, or a server's own.

    Not a fixture: pytest adds its handlers after fixtures ran.
    """
    root = logging.getLogger()
    before, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    root.handlers[:] = present
    try:
        yield
        assert root.handlers == list(present)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        logging.raiseExceptions = raising


def crash() -> Exception:
    token = "sk-ant-api03-canary-0000"
    try:
        raise ValueError(f"bad {token}")
    except ValueError as error:
        return error


@pytest.mark.parametrize("argv", [["run"], ["run", "--home", "{}"], ["--home={}", "status"]])
def test_the_traceback_goes_to_the_log_and_one_line_to_the_terminal(tmp_path: Path, argv: list[str]) -> None:
    """The line names the kind of error and the log; the log has the traceback, without secrets."""
    home = str(tmp_path / "home")
    environ = {"SHUNT_HOME": str(tmp_path / "env")}
    given = [word.format(home) for word in argv]
    with handlers():
        line = recorded(crash(), given, environ)
    log = Path(home if given != argv else environ["SHUNT_HOME"]) / "logs" / "shunt.log"
    assert "\n" not in line
    assert "ValueError" in line
    assert str(log) in line
    (entry,) = [json.loads(each) for each in log.read_text().splitlines()]
    assert "Traceback" in entry["traceback"]
    assert "canary" not in log.read_text() + line
    assert log.stat().st_mode & 0o777 == 0o600


def test_without_a_place_for_logs_the_line_is_still_said() -> None:
    """No home directory, no log: the terminal hears of it all the same."""
    with handlers():
        assert recorded(crash(), [], {}) == "shunt made a mistake and had to stop (ValueError)"


def test_an_open_log_is_used_as_it_is(tmp_path: Path) -> None:
    """A running server's own log, with the secrets it knows, gets the record."""
    seen: list[logging.LogRecord] = []

    class Recording(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record)

    handler = Recording()
    with handlers(handler):
        recorded(crash(), [], {"SHUNT_HOME": str(tmp_path)})
    assert [record.levelname for record in seen] == ["CRITICAL"]
