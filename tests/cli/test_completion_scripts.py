from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shunt.cli.completion_scripts import SHELLS, bash, fish, powershell, zsh
from shunt.cli.outline import Choice, Outline

LEVEL = Choice(("--level",), "[low|high]", 'How much; it\'s "told".', ("low", "high"))
FILE = Choice(("-c", "--config"), "FILE", "Read this.")
HELP = Choice(("-h", "--help"), "", "Show this.")
ROOT = Outline(
    (),
    "The whole",
    "",
    (FILE, HELP),
    (
        Outline(("run",), "Serve", "", (LEVEL, HELP)),
        Outline(
            ("config",),
            "Where: the file",
            "",
            (HELP,),
            (
                Outline(
                    ("config", "show"),
                    "Print",
                    "",
                    (Choice(("WHAT",), "WHAT", "", ("all", "one"), is_option=False),),
                ),
            ),
        ),
    ),
)
CASES = [
    ("", {"run", "config", "--config", "--help"}),
    ("r", {"run"}),
    ("config ", {"show", "--help"}),
    ("--config x config ", {"show", "--help"}),
    ("config show ", {"all", "one"}),
    ("run --level ", {"low", "high"}),
    ("run --level h", {"high"}),
]


def shell(program: str, *arguments: str, cwd: Path) -> str:
    """What a shell prints; skipped where there is none."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"this machine has no {program}")
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "dumb"}
    done = subprocess.run(
        [path, *arguments], cwd=cwd, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_bash_offers_what_fits(tmp_path: Path, typed: str, offered: set[str]) -> None:
    """Commands, subcommands behind options, options and values, from the text alone."""
    (tmp_path / "shunt.bash").write_text(bash(ROOT))
    words = ["shunt", *typed.split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    told = shell(
        "bash",
        "--norc",
        "-c",
        f"source ./shunt.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _shunt; echo ${{COMPREPLY[@]}}",
        cwd=tmp_path,
    )
    assert set(told.split()) == offered


def test_bash_offers_files(tmp_path: Path) -> None:
    """Where a file is wanted the disk is asked."""
    (tmp_path / "shunt.bash").write_text(bash(ROOT))
    code = "source ./shunt.bash; COMP_WORDS=(shunt --config sh); COMP_CWORD=2; _shunt; echo ${COMPREPLY[@]}"
    assert shell("bash", "--norc", "-c", code, cwd=tmp_path).split() == ["shunt.bash"]


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_fish_offers_what_fits(tmp_path: Path, typed: str, offered: set[str]) -> None:
    """The same in fish, which shows options once a dash is typed."""
    (tmp_path / "shunt.fish").write_text(fish(ROOT))
    told = shell(
        "fish", "--no-config", "-c", f"source ./shunt.fish; complete -C 'shunt {typed}'", cwd=tmp_path
    )
    assert {line.partition("\t")[0] for line in told.splitlines()} == {
        word for word in offered if not word.startswith("-")
    }


@pytest.mark.parametrize(("typed", "offered"), CASES)
def test_zsh_offers_what_fits(tmp_path: Path, typed: str, offered: set[str]) -> None:
    """The same in zsh: what it hands to the shell is looked at."""
    (tmp_path / "_shunt").write_text(zsh(ROOT))
    words = ["shunt", *typed.split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    code = (
        "compdef() { : }; _files() { : }; _describe() { print -rl -- ${found%%:*} }; source ./_shunt; "
        f"words=({quoted}); CURRENT={len(words)}; _shunt"
    )
    told = shell("zsh", "-f", "-c", code, cwd=tmp_path).split()
    assert {word for word in told if word.startswith(typed.rpartition(" ")[2])} == offered


def test_powershell_knows_the_words() -> None:
    """No PowerShell here to run it: the tables it looks into are right."""
    text = powershell(ROOT)
    assert "'' = @('run', 'config', '--config', '--help')" in text
    assert "' config' = @('show', '--help')" in text
    assert "' run --level' = @('low', 'high')" in text


def test_every_shell_has_its_name() -> None:
    """The table's keys are what the command takes."""
    assert set(SHELLS) == {"bash", "zsh", "fish", "powershell"}
    for write in SHELLS.values():
        assert write(ROOT) == write(ROOT)
