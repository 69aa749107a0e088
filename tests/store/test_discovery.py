"""What a machine already has."""

from __future__ import annotations

from pathlib import Path

import pytest

from shunt.store.discovery import advice, found

CANARY = "sk-ant-api03-canary"


def log_in(folder: Path) -> Path:
    folder.mkdir(parents=True)
    file = folder / ".credentials.json"
    file.write_text("unread")
    return file


def test_a_claude_code_login_is_found(tmp_path: Path) -> None:
    """In the usual folder, with the command that imports it; the file is not read."""
    file = log_in(tmp_path / ".claude")
    file.chmod(0)
    (finding,) = found({}, tmp_path, "linux")
    assert (finding.provider, finding.where) == ("anthropic", str(file))
    assert finding.command == "shunt add-account main --provider anthropic --import"


def test_a_moved_folder_is_looked_into(tmp_path: Path) -> None:
    """CLAUDE_CONFIG_DIR counts, and the usual folder does not beside it."""
    log_in(tmp_path / ".claude")
    file = log_in(tmp_path / "moved")
    assert [each.where for each in found({"CLAUDE_CONFIG_DIR": str(tmp_path / "moved")}, tmp_path)] == [
        str(file)
    ]
    assert found({"CLAUDE_CONFIG_DIR": str(tmp_path / "empty")}, tmp_path) == ()


@pytest.mark.parametrize(("platform", "count"), [("darwin", 1), ("linux", 0)])
def test_on_macos_the_keychain_is_not_opened(tmp_path: Path, platform: str, count: int) -> None:
    """There the tokens are in the keychain; that Claude Code was set up shows without asking for it."""
    (tmp_path / ".claude.json").write_text("{}")
    assert len(found({}, tmp_path, platform)) == count


def test_a_key_in_the_environment_is_found_and_not_shown(tmp_path: Path) -> None:
    """The variable is named, its value appears nowhere."""
    findings = found({"ANTHROPIC_API_KEY": CANARY}, tmp_path)
    assert [each.where for each in findings] == ["$ANTHROPIC_API_KEY"]
    assert "--api-key-env ANTHROPIC_API_KEY" in findings[0].command
    assert CANARY not in repr(findings) + "".join(advice(findings))


@pytest.mark.parametrize("home", [None, Path("/nonexistent")])
def test_nothing_is_nothing(home: Path | None) -> None:
    """An empty variable and a missing home are no findings; the advice still names the next step."""
    findings = found({"ANTHROPIC_API_KEY": ""}, home, "linux")
    assert findings == ()
    assert "shunt run --demo" in "\n".join(advice(findings))


def test_all_commands_can_be_run_one_after_the_other(tmp_path: Path) -> None:
    """Login first; no two findings suggest the same name; the advice lists each command."""
    log_in(tmp_path / ".claude")
    findings = found({"ANTHROPIC_API_KEY": CANARY}, tmp_path, "linux")
    names = [each.command.split()[2] for each in findings]
    assert len(findings) == 2
    assert len(set(names)) == 2
    lines = "\n".join(advice(findings))
    assert all(each.command in lines and each.where in lines for each in findings)
