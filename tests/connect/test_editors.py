"""Agents inside editors."""

from __future__ import annotations

import json
from pathlib import Path

from shunt.connect.editors import vscode_conflicts, vscode_edits, zed_conflicts, zed_edits
from shunt.connect.plan import planned
from tests.connect.machines import TARGET, machine


def test_variables_of_the_claude_extension(tmp_path: Path) -> None:
    """Added to the user's own ones, in VS Code's settings."""
    (edit,) = vscode_edits(machine(tmp_path), TARGET)
    assert edit.file == tmp_path / ".config" / "Code" / "User" / "settings.json"
    text = '{"claudeCode.environmentVariables": [{"name": "FOO", "value": "1"}]}'
    found = json.loads(planned(text, edit).after)["claudeCode.environmentVariables"]
    assert [each["name"] for each in found] == ["FOO", "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"]
    assert list(vscode_conflicts(machine(tmp_path), TARGET)) == []


def test_addresses_of_zed(tmp_path: Path) -> None:
    """Its keys are in the keychain; a variable that it prefers is named."""
    (edit,) = zed_edits(machine(tmp_path), TARGET)
    assert edit.file == tmp_path / ".config" / "zed" / "settings.json"
    found = json.loads(planned("", edit).after)["language_models"]
    assert found["anthropic"]["api_url"] == "http://127.0.0.1:8082"
    assert found["openai"]["api_url"] == "http://127.0.0.1:8082/v1"
    assert len(list(zed_conflicts(machine(tmp_path, OPENAI_API_KEY="sk-test"), TARGET))) == 1
