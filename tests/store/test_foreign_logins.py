from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.foreign_logins import ForeignLogins, login_at

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


def held(source: Path) -> Login:
    """What shunt exchanged the login in CODEX for."""
    return Login(
        Secret("codex-test-token-2"),
        Secret("rt-test-2"),
        None,
        imported_from=str(source),
        spent=(Secret("rt-test").fingerprint(),),
    )


def test_codex_is_given_what_its_login_was_exchanged_for(tmp_path: Path) -> None:
    """Once; and not where that is switched off."""
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(CODEX))
    environ = {"CODEX_HOME": str(tmp_path)}
    assert not ForeignLogins(environ, lambda: 0.0, lambda: False).give_back(held(path))
    logins = ForeignLogins(environ, lambda: 0.0)
    assert logins.give_back(held(path))
    assert not logins.give_back(held(path))
    found = logins.read(str(path))
    assert found is not None
    assert found.refresh == Secret("rt-test-2")


def test_claude_code_is_never_written_to(tmp_path: Path) -> None:
    """Its file is only read, and no lock of ours appears beside it."""
    path = tmp_path / ".credentials.json"
    path.write_text(json.dumps(CLAUDE))
    before = path.stat()
    logins = ForeignLogins({"CLAUDE_CONFIG_DIR": str(tmp_path)}, lambda: 0.0)
    with logins.together(str(path)):
        assert not logins.give_back(held(path))
    assert path.stat() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [".credentials.json"]


def test_shunts_that_share_a_file_take_turns(tmp_path: Path) -> None:
    """Whichever folders they have themselves."""
    path = tmp_path / "auth.json"
    path.write_text(json.dumps(CODEX))
    one, other = (ForeignLogins({"CODEX_HOME": str(tmp_path)}, lambda: 0.0, patience=0.05) for _ in range(2))
    with one.together(str(path)):
        with pytest.raises(StoreError, match="another shunt has been renewing"), other.together(str(path)):
            pass
        with other.together(str(tmp_path / "elsewhere.json")):
            pass
    with other.together(str(path)):
        pass
