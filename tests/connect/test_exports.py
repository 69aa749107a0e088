"""Lines for shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from shunt.connect.exports import SHELLS, exports, shell_of

ODD = 'a\'b "c" $d `e` \\f'


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "fish"])
def test_a_shell_takes_the_value_as_it_is(shell: str) -> None:
    """Whatever characters stand in it; a variable without value goes."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = "\n".join([*exports(shell, {"ODD": ODD, "GONE": None}), 'printf "%s" "$ODD$GONE"'])
    done = subprocess.run(
        [program, "-c", script], capture_output=True, text=True, check=True, env={"GONE": "x"}
    )
    assert done.stdout == ODD


def test_powershell_quotes() -> None:
    """Single quotes are doubled, nothing else is special."""
    assert exports("powershell", {"A": "it's"}) == ["$Env:A = 'it''s'"]
    assert exports("powershell", {"A": None}) == ["Remove-Item Env:A -ErrorAction SilentlyContinue"]


def test_the_shell_is_told_by_the_environment() -> None:
    """An unknown one gets the words that most understand."""
    assert shell_of({"SHELL": "/usr/bin/fish"}, "linux") == "fish"
    assert shell_of({"SHELL": "/bin/tcsh"}, "linux") == "sh"
    assert shell_of({}, "win32") == "powershell"
    assert set(SHELLS) == {"sh", "bash", "zsh", "fish", "powershell"}
