"""Telling the running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation
from shunt.cli.reloading import told_server
from tests.cli.desk import T0, Desk, never
from tests.cli.scripted_control import scripted_control


@pytest.mark.parametrize(
    ("answer", "present", "word"),
    [
        ((200, {"accounts": ["a"]}), True, "has taken it over"),
        ((200, {"accounts": ["a"]}), False, "other files"),
        ((200, {"accounts": []}), True, "other files"),
        ((200, {"accounts": []}), False, "has taken it over"),
        ((200, {}), True, "has taken it over"),
        ((409, {"error": {"message": "bad\x1b[2J"}}), True, "did not take it: bad\\x1b"),
        ((404, b"nothing"), True, "did not take it"),
    ],
)
def test_every_answer_has_its_line(tmp_path: Path, answer: tuple[int, Any], present: bool, word: str) -> None:
    """Taken over, refused, or a server of other files: a person learns which."""
    with scripted_control({"POST /accounts/reload": answer}) as server:
        call = Invocation({"SHUNT_HOME": str(tmp_path), "SHUNT_PORT": str(server.port)}, lambda: T0, never)
        assert word in told_server(open_files(call), "a", present=present)


def test_no_server_is_no_failure(desk: Desk) -> None:
    """The files are what counts; how to start is said."""
    call = Invocation({"SHUNT_HOME": str(desk.home), "SHUNT_PORT": str(desk.port)}, lambda: T0, never)
    assert "shunt run" in told_server(open_files(call), "a", present=True)
