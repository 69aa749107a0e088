from __future__ import annotations

import pytest

from shunt.cli.completion_scripts import SHELLS
from shunt.cli.program import COMMANDS
from tests.cli.desk import Desk


@pytest.mark.parametrize("shell", list(SHELLS))
def test_every_shell_learns_every_command(desk: Desk, shell: str) -> None:
    """The script is printed and names all commands, those below others too."""
    script = desk.run("completions", shell).stdout
    for entry in COMMANDS:
        assert entry.name in script
    assert "config show" in script or "-a show" in script


def test_an_unknown_shell_is_refused(desk: Desk) -> None:
    """Usage error, with the shells there are."""
    result = desk.run("completions", "tcsh")
    assert result.exit_code == 2
    assert "fish" in result.stderr
