"""Claude Code's settings and what gets in their way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.connect.claude_code import ELSEWHERE, MANAGED, arguments, conflicts, detours, edits, environment
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


def test_one_run_goes_to_no_cloud_of_the_shell(tmp_path: Path) -> None:
    """Each switch that sends it elsewhere is taken away, and named where it was set."""
    assert all(environment(TARGET)[name] is None for name in ELSEWHERE)
    one = machine(tmp_path, CLAUDE_CODE_USE_BEDROCK="1", CLAUDE_CODE_USE_VERTEX="0")
    assert list(detours(one)) == ["CLAUDE_CODE_USE_BEDROCK of this shell is left out for this run"]
    assert arguments(one, TARGET, tmp_path) == ()


def test_one_run_goes_to_no_cloud_of_its_settings(tmp_path: Path) -> None:
    """They are overridden for the run, and nothing else of them is."""
    own = write(
        tmp_path / ".claude" / "settings.json", {"env": {"CLAUDE_CODE_USE_VERTEX": "true", "FOO": "1"}}
    )
    one = machine(tmp_path, folder=tmp_path / "repo")
    (line,) = detours(one)
    assert line == f"CLAUDE_CODE_USE_VERTEX of {own} is switched off for this run"
    word, file = arguments(one, KEYED, tmp_path / "scratch")
    assert word == "--settings"
    env = json.loads(Path(file).read_text())["env"]
    assert env == {
        "ANTHROPIC_BASE_URL": KEYED.url,
        "ANTHROPIC_AUTH_TOKEN": "shk_test-key",
        "CLAUDE_CODE_USE_VERTEX": "",
    }


def test_a_switch_of_the_administrator_is_named_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No settings of one run win over it."""
    managed = write(tmp_path / "managed.json", {"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}})
    monkeypatch.setitem(MANAGED, "linux", str(managed))
    (line,) = detours(machine(tmp_path))
    assert line == f"CLAUDE_CODE_USE_BEDROCK of {managed} wins over shunt: Claude Code goes to that cloud"


def test_a_clean_machine_has_no_conflict(tmp_path: Path) -> None:
    """Nothing is made up."""
    write(tmp_path / ".claude" / "settings.json", {"model": "opus", "env": {"FOO": "1"}})
    assert list(conflicts(machine(tmp_path), TARGET)) == []
    assert list(detours(machine(tmp_path))) == []


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
