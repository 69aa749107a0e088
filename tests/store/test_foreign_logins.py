from __future__ import annotations

import json
from pathlib import Path

from shunt.store.foreign_logins import login_at

CLAUDE = {
    "claudeAiOauth": {
        "accessToken": "sk-ant-oat01-test",
        "refreshToken": "sk-ant-ort01-test",
        "expiresAt": 2e12,
    }
}
CODEX = {"tokens": {"access_token": "codex-test-token", "refresh_token": "rt-test"}}


def test_each_program_is_asked_for_its_own(tmp_path: Path) -> None:
    """A login is looked for where it was imported from, and nowhere else."""
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path), "CODEX_HOME": str(tmp_path)}
    (tmp_path / ".credentials.json").write_text(json.dumps(CLAUDE))
    (tmp_path / "auth.json").write_text(json.dumps(CODEX))
    claude = login_at(environ, str(tmp_path / ".credentials.json"))
    codex = login_at(environ, str(tmp_path / "auth.json"))
    assert claude is not None
    assert codex is not None
    assert claude.access.reveal() == "sk-ant-oat01-test"
    assert codex.access.reveal() == "codex-test-token"
    assert login_at(environ, str(tmp_path / "elsewhere.json")) is None
