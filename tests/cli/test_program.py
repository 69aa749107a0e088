"""The command as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shunt import __version__
from shunt.cli import program as cli
from shunt.cli.program import COMMANDS, main
from tests.cli.desk import Desk

ROOT = Path(cli.__file__).parents[2]


def shell(
    *args: str, environ: dict[str, str] | None = None, code: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program, or Python code, in a process of its own."""
    argv = [sys.executable, *(("-c", code) if code else ("-m", "shunt", *args))]
    return subprocess.run(
        argv,
        env={"PYTHONPATH": str(ROOT), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep umask and core limit of the test's own process."""
    monkeypatch.setattr(cli, "_harden", lambda: None)


HEAVY = (
    "trio",
    "quart",
    "hypercorn",
    "httpx2",
    "rich",
    "tomlkit",
    "cattrs",
    "shunt.app",
    "shunt.server",
    "shunt.store.files",
)


@pytest.mark.parametrize("args", [["--version"], ["-V"], ["--help"], [], ["nonsense"]])
def test_light_commands_import_nothing_heavy(args: list[str]) -> None:
    """Version and help answer without server, client, tables or stores."""
    code = (
        "import sys, contextlib, io\n"
        "from shunt.cli.program import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):\n"
        f"    main({args!r})\n"
        f"print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = shell(code=code)
    assert done.stderr == ""
    assert done.stdout.split() == []


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version(flag: str) -> None:
    """`python -m shunt` says which version it is, even without a home directory."""
    done = shell(flag)
    assert (done.returncode, done.stdout) == (0, f"shunt {__version__}\n")


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_is_listed_and_explains_itself(desk: Desk, entry: cli.Entry) -> None:
    """The list, the commands and their help agree; `help X` is `X --help` and the topic of that name, if any."""
    assert entry.load().name == entry.name
    assert f"\n  {entry.name} " in desk.run("--help").stdout
    explained = desk.run(entry.name, "--help").stdout
    assert f"Usage: shunt {entry.name}" in explained
    assert desk.run("help", entry.name).stdout.startswith(explained)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("stauts", "status"), ("start", "run"), ("add", "add-account"), ("remove", "remove-account")],
)
def test_the_nearest_command_is_named(desk: Desk, typed: str, meant: str) -> None:
    """Slips, and the names the first program had."""
    result = desk.run(typed)
    assert result.exit_code == 2
    assert f"Did you mean `shunt {meant}`?" in result.stderr


def test_main_returns_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Usage errors are 2, with the words on stderr."""
    assert main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err
    assert main(["--version"]) == 0


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, EOFError])
def test_ctrl_c_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], interruption: type[BaseException]
) -> None:
    """No traceback, and the exit code a shell expects."""

    def interrupted(*_args: object, **_options: object) -> None:
        raise interruption

    monkeypatch.setattr(cli.Program, "invoke", interrupted)
    assert main(["status"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_is_one_line_and_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What nobody expected is recorded, and its text is not shown."""

    def fail(*_args: object, **_options: object) -> None:
        raise ValueError("canary")

    monkeypatch.setattr(cli.Program, "invoke", fail)
    monkeypatch.setenv("SHUNT_HOME", str(tmp_path))
    assert main(["status"]) == 1
    shown = capsys.readouterr()
    assert "ValueError" in shown.err
    assert "canary" not in shown.out + shown.err
    assert "Traceback" not in shown.err


@pytest.mark.skipif(os.name != "posix", reason="shell syntax")
@pytest.mark.parametrize("redirection", ["| :", ">&-", "<&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_traceback(tmp_path: Path, redirection: str) -> None:
    """A reader that has gone, or a stream closed from the start, is nobody's mistake."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m shunt config show {redirection}', sys.executable],
        env={"PYTHONPATH": str(ROOT), "SHUNT_HOME": str(tmp_path), "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("words", ["config show", "--version", "config show --json", "help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_takes_nothing_is_named(tmp_path: Path, words: str, unbuffered: str) -> None:
    """A full disk is nobody's mistake: one line says so, and nothing is logged as a crash."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m shunt {words} >/dev/full', sys.executable],
        env={
            "PYTHONPATH": str(ROOT),
            "SHUNT_HOME": str(tmp_path),
            "PATH": os.defpath,
            "PYTHONUNBUFFERED": unbuffered,
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == "Cannot write the output: no space left on device.\n"
    assert done.returncode == 1
    assert not (tmp_path / "logs").exists()


def test_names_survive_a_poor_terminal(tmp_path: Path) -> None:
    """Letters the terminal does not have are escaped, not fatal."""
    (tmp_path / "config.toml").write_text(
        '[[accounts]]\nname = "日本"\nprovider = "anthropic"\n', encoding="utf-8"
    )
    done = shell(
        "accounts", environ={"SHUNT_HOME": str(tmp_path), "SHUNT_PORT": "1", "PYTHONIOENCODING": "latin-1"}
    )
    assert done.returncode == 0, done.stderr
    assert "\\u65e5\\u672c" in done.stdout


def test_no_home_directory_is_said(tmp_path: Path) -> None:
    """Without HOME and SHUNT_HOME the cure is named."""
    done = shell("config", "path", environ={"PWD": str(tmp_path)})
    assert done.returncode == 1
    assert "--home DIR" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_files_made_by_commands_are_private(tmp_path: Path) -> None:
    """Whatever the shell's umask is, nobody else can look in."""
    home = tmp_path / "new"
    os.umask(os.umask(0o022))
    done = shell(
        "add-account", "x", "--api-key-env", "X", environ={"SHUNT_HOME": str(home), "SHUNT_PORT": "1"}
    )
    assert done.returncode == 0, done.stderr
    assert home.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in home.iterdir())
