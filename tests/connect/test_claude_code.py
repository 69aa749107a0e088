"""Claude Code's settings and what gets in their way."""

from __future__ import annotations

from pathlib import Path

import pytest

from shunt.connect.claude_code import conflicts, edits, environment
from tests.connect.machines import KEYED, TARGET, machine, write


def test_base_url_and_token_and_nothing_else(tmp_path: Path) -> None:
    """ANTHROPIC_API_KEY would be sent to the vendor as well."""
    (edit,) = edits(machine(tmp_path), KEYED)
    assert edit.file == tmp_path / ".claude" / "settings.json"
    assert {each.path: each.value for each in edit.settings} == {
        ("env", "ANTHROPIC_BASE_URL"): "https://box.test:8082",
        ("env", "ANTHROPIC_AUTH_TOKEN"): "shk_test-key",
    }
    (moved,) = edits(machine(tmp_path, CLAUDE_CONFIG_DIR=str(tmp_path / "c")), TARGET)
    assert moved.file == tmp_path / "c" / "settings.json"


def test_one_run_shows_no_other_key_around() -> None:
    """A key of the shell is taken away for it."""
    assert environment(TARGET)["ANTHROPIC_API_KEY"] is None


def test_a_clean_machine_has_no_conflict(tmp_path: Path) -> None:
    """Nothing is made up."""
    write(tmp_path / ".claude" / "settings.json", {"model": "opus", "env": {"FOO": "1"}})
    assert list(conflicts(machine(tmp_path), TARGET)) == []


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"apiKeyHelper": "/bin/key"}, "apiKeyHelper"),
        ({"env": {"ANTHROPIC_API_KEY": "sk-test"}}, "env.ANTHROPIC_API_KEY"),
        ({"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}}, "CLAUDE_CODE_USE_BEDROCK"),
    ],
)
def test_own_settings_beside_ours(tmp_path: Path, settings: object, word: str) -> None:
    """What stands in the same file is named with its key."""
    write(tmp_path / ".claude" / "settings.json", settings)
    (line,) = conflicts(machine(tmp_path), TARGET)
    assert word in line
    assert "sk-test" not in line


def test_settings_of_the_project_win(tmp_path: Path) -> None:
    """Those of the folder and of those above it, up to the repository."""
    project = tmp_path / "code" / "repo"
    (project / ".git").mkdir(parents=True)
    write(project / ".claude" / "settings.local.json", {"env": {"ANTHROPIC_BASE_URL": "http://other"}})
    write(tmp_path / "code" / ".claude" / "settings.json", {"env": {"ANTHROPIC_BASE_URL": "http://other"}})
    below = project / "src"
    (line,) = conflicts(machine(tmp_path, folder=below), TARGET)
    assert str(project / ".claude" / "settings.local.json") in line
    write(project / ".claude" / "settings.local.json", {"env": {"ANTHROPIC_BASE_URL": TARGET.url}})
    assert list(conflicts(machine(tmp_path, folder=below), TARGET)) == []


def test_the_shell_and_a_saved_login(tmp_path: Path) -> None:
    """A key that is sent along, a cloud that is used instead, a login that is not used."""
    write(tmp_path / ".claude" / ".credentials.json", {})
    lines = list(
        conflicts(machine(tmp_path, ANTHROPIC_API_KEY="sk-test", CLAUDE_CODE_USE_VERTEX="1"), TARGET)
    )
    assert len(lines) == 3
    assert any("api.anthropic.com" in line for line in lines)
    assert any("CLAUDE_CODE_USE_VERTEX" in line for line in lines)
    assert any("login of its own" in line for line in lines)


def test_broken_files_of_others_are_passed_over(tmp_path: Path) -> None:
    """They are not ours to judge."""
    write(tmp_path / "p" / ".claude" / "settings.json", "{ broken")
    assert list(conflicts(machine(tmp_path, folder=tmp_path / "p"), TARGET)) == []
