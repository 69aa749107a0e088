"""Which programs of this machine hold a login."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.store.grants import holders, shared_by

LOGIN = Login(Secret("canary-access"), Secret("canary-refresh"), 5.0, identity=Identity("acc", "org"))


def put(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("place", "document", "program"),
    [
        (
            ".claude/.credentials.json",
            {"claudeAiOauth": {"accessToken": "x", "refreshToken": "canary-refresh"}},
            "Claude Code",
        ),
        (".codex/auth.json", {"tokens": {"access_token": "canary-access", "refresh_token": "y"}}, "Codex"),
        (
            ".local/share/opencode/auth.json",
            {"anthropic": {"type": "oauth", "refresh": "canary-refresh"}},
            "opencode",
        ),
        (".pi/agent/auth.json", {"anthropic": {"access": "canary-access"}}, "Pi"),
        (
            ".config/shunt/credentials.json",
            {"accounts": {"m": {"access_token": "x", "refresh_token": "canary-refresh", "expires_at": 5}}},
            "another shunt",
        ),
    ],
)
def test_a_program_with_the_same_tokens_is_found(
    tmp_path: Path, place: str, document: Any, program: str
) -> None:
    """Wherever it keeps them; nothing but fingerprints is in what is returned."""
    put(tmp_path / place, document)
    found = holders({"HOME": str(tmp_path)}, own=tmp_path / "mine")
    assert "canary" not in repr(found)
    (finding,) = shared_by(LOGIN, found)
    assert (finding.program, finding.place, finding.same_grant) == (program, str(tmp_path / place), True)


def test_a_token_that_shunt_has_spent_is_the_same_grant(tmp_path: Path) -> None:
    """The other program's copy is dead, and that is worth knowing."""
    put(tmp_path / ".pi/agent/auth.json", {"a": {"refresh": "canary-old"}})
    login = Login(Secret("n"), Secret("n2"), 5.0, spent=(Secret("canary-old").fingerprint(),))
    assert shared_by(login, holders({"HOME": str(tmp_path)}, own=tmp_path / "mine"))[0].same_grant


def test_another_login_of_the_same_account_is_kin(tmp_path: Path) -> None:
    """It is told apart from a shared one; another account's is not mentioned."""
    document = {"accessToken": "x", "refreshToken": "y", "expiresAt": 5}
    put(tmp_path / ".claude/.credentials.json", {"claudeAiOauth": document})
    put(tmp_path / ".claude.json", {"oauthAccount": {"accountUuid": "acc", "organizationUuid": "org"}})
    found = holders({"HOME": str(tmp_path)}, own=tmp_path / "mine")
    (finding,) = shared_by(LOGIN, found)
    assert not finding.same_grant
    put(tmp_path / ".claude.json", {"oauthAccount": {"accountUuid": "other", "organizationUuid": "org"}})
    assert shared_by(LOGIN, holders({"HOME": str(tmp_path)}, own=tmp_path / "mine")) == ()


def test_what_cannot_be_read_is_named_and_nothing_else_is_lost(tmp_path: Path) -> None:
    """A broken file of one program does not hide the others; our own file is not listed."""
    put(tmp_path / ".claude/.credentials.json", "{ broken")
    put(tmp_path / ".config/shunt/credentials.json", "{ broken")
    (tmp_path / ".pi/agent/auth.json").mkdir(parents=True)
    put(tmp_path / ".local/share/opencode/auth.json", {"anthropic": {"refresh": "canary-refresh"}})
    found = holders({"HOME": str(tmp_path)}, own=tmp_path / ".config/shunt/credentials.json")
    assert {holder.program for holder in found if holder.trouble} == {"Claude Code", "Pi"}
    assert [finding.program for finding in shared_by(LOGIN, found)] == ["opencode"]


def test_a_bare_machine_has_nobody(tmp_path: Path) -> None:
    """Nothing is created by looking."""
    assert holders({"HOME": str(tmp_path)}, own=tmp_path / "mine") == ()
    assert list(tmp_path.iterdir()) == []
