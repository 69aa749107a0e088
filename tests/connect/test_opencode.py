"""opencode's settings and what gets in their way."""

from __future__ import annotations

import json
from pathlib import Path

from shunt.connect.opencode import conflicts, edits, environment
from tests.connect.machines import KEYED, TARGET, machine, write


def test_both_built_in_providers_move(tmp_path: Path) -> None:
    """With /v1, and in the file that opencode reads last."""
    (edit,) = edits(machine(tmp_path), TARGET)
    assert edit.file == tmp_path / ".config" / "opencode" / "opencode.json"
    values = {".".join(map(str, each.path)): each.value for each in edit.settings}
    assert values["provider.anthropic.options.baseURL"] == "http://127.0.0.1:8082/v1"
    assert values["provider.openai.options.baseURL"] == "http://127.0.0.1:8082/v1"
    commented = write(tmp_path / ".config" / "opencode" / "opencode.jsonc", "{}")
    assert edits(machine(tmp_path), TARGET)[0].file == commented


def test_a_single_run_wins_over_every_file() -> None:
    """Through the variable that holds whole settings."""
    content = json.loads(environment(KEYED)["OPENCODE_CONFIG_CONTENT"] or "")
    assert content["provider"]["openai"]["options"]["apiKey"] == "shk_test-key"


def test_what_wins_or_is_switched_off_is_named(tmp_path: Path) -> None:
    """Variables, projects, lists of providers and logins."""
    own = {"disabled_providers": ["openai"], "enabled_providers": ["openai"]}
    write(tmp_path / ".config" / "opencode" / "opencode.json", own)
    project = {"provider": {"anthropic": {"options": {"baseURL": "http://other"}}}}
    write(tmp_path / "repo" / "opencode.json", project)
    logins = {"anthropic": {"type": "oauth"}, "openai": {"type": "api"}}
    write(tmp_path / ".local" / "share" / "opencode" / "auth.json", logins)
    lines = list(conflicts(machine(tmp_path, folder=tmp_path / "repo", OPENCODE_CONFIG="/x"), TARGET))
    words = (
        "OPENCODE_CONFIG ",
        "baseURL",
        "disabled_providers",
        "enabled_providers",
        "logged in at anthropic",
    )
    assert [any(word in line for line in lines) for word in words] == [True] * 5
    assert len(lines) == 5


def test_a_clean_machine_has_no_conflict(tmp_path: Path) -> None:
    """Broken files of others are not ours to judge."""
    write(tmp_path / "opencode.json", "{ broken")
    write(tmp_path / ".local" / "share" / "opencode" / "auth.json", "{ broken")
    assert list(conflicts(machine(tmp_path), TARGET)) == []
