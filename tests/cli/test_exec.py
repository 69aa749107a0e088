"""How commands are pointed at shunt."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shunt.accounts.secret import Secret
from shunt.cli.exec import client_of, prepared
from shunt.connect.base import Target
from tests.cli.desk import Desk
from tests.cli.scripted_control import scripted_control

TARGET = Target("http://127.0.0.1:1234", Secret("shk_test-pass"))
ANSWERS = {
    "GET /health": (200, {"status": "ok"}),
    "POST /passes": (200, {"key": "k"}),
    "DELETE /passes": (200, {"ended": True}),
}


@pytest.mark.parametrize(
    ("program", "name"),
    [("claude", "claude"), ("/usr/bin/codex", "codex"), ("OpenCode.exe", "opencode"), ("make", None)],
)
def test_programs_are_known_by_their_name(program: str, name: str | None) -> None:
    """Wherever they are installed."""
    client = client_of(program)
    assert (client.name if client else None) == name


def test_anything_gets_both_vendors_variables(tmp_path: Path) -> None:
    """Most programs are built on the vendors' SDKs; the user's other variables stay."""
    start = prepared(["make", "-j2"], {"HOME": "/h", "OPENAI_API_KEY": "sk-test-own"}, TARGET, tmp_path)
    assert start.words == ("make", "-j2")
    assert start.environ["HOME"] == "/h"
    assert start.environ["OPENAI_API_KEY"] == "shk_test-pass"
    assert start.environ["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:1234"


def test_codex_gets_arguments_in_front_of_its_own(tmp_path: Path) -> None:
    """It reads no variable; the key stays out of what everybody can list."""
    start = prepared(["codex", "exec", "hi"], {}, TARGET, tmp_path)
    assert start.words[0] == "codex"
    assert start.words[-2:] == ("exec", "hi")
    assert not any("shk_test" in word for word in start.words)


def test_claude_s_own_key_is_taken_away(tmp_path: Path) -> None:
    """It would be sent to shunt and to the vendor."""
    environ = {"ANTHROPIC_API_KEY": "sk-test", "HOME": str(tmp_path)}
    start = prepared(["claude", "-p"], environ, TARGET, tmp_path)
    assert "ANTHROPIC_API_KEY" not in start.environ
    assert start.words == ("claude", "-p")


def test_claude_s_own_settings_do_not_win(tmp_path: Path) -> None:
    """Those of one run do, from a file that nobody else reads."""
    settings = tmp_path / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"env": {"ANTHROPIC_BASE_URL": "http://elsewhere"}}')
    start = prepared(["claude", "-p"], {"HOME": str(tmp_path)}, TARGET, tmp_path / "scratch")
    assert start.words[:2] == ("claude", "--settings")
    written = Path(start.words[2]).read_text()
    assert TARGET.url in written
    assert "shk_test-pass" in written
    assert not any("shk_test-pass" in word for word in start.words)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Claude Code is a shell script")
def test_a_switch_to_another_cloud_is_left_out_and_said(desk: Desk, tmp_path: Path) -> None:
    """The run goes to shunt, and its user hears in one line what does not count now."""
    program = tmp_path / "claude"
    program.write_text('#!/bin/sh\ntest -z "$CLAUDE_CODE_USE_BEDROCK$CLAUDE_CODE_USE_VERTEX"\n')
    program.chmod(0o700)
    with scripted_control(ANSWERS) as server:
        desk.serve(server)
        desk.environ.update(CLAUDE_CODE_USE_BEDROCK="1", CLAUDE_CODE_USE_VERTEX="1")
        result = desk.run("exec", "--", str(program))
    assert result.exit_code == 0
    (line,) = [line for line in result.stderr.splitlines() if "CLAUDE_CODE_USE" in line]
    assert line == (
        "Claude Code: CLAUDE_CODE_USE_BEDROCK of this shell is left out for this run; "
        "CLAUDE_CODE_USE_VERTEX of this shell is left out for this run."
    )


def test_an_unknown_account_is_said_before_anything_starts(desk: Desk) -> None:
    """In the server's words."""
    answers = {
        "GET /health": (200, {"status": "ok"}),
        "POST /passes": (404, {"error": {"message": "no account is named b"}}),
    }
    with scripted_control(answers) as server:
        desk.serve(server)
        result = desk.run("exec", "--account", "b", "--", "true")
        assert result.exit_code == 1
        assert "no account is named b" in result.output


def test_a_command_that_is_not_there(desk: Desk) -> None:
    """As a shell reports it; the pass is given back."""
    with scripted_control(ANSWERS) as server:
        desk.serve(server)
        result = desk.run("exec", "--", "no-such-program-here")
        assert result.exit_code == 127
        assert "no-such-program-here" in result.output
        assert "DELETE /passes" in [call for call, _ in server.calls]
