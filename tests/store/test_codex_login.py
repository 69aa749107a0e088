from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.credential import Login
from shunt.errors import StoreError
from shunt.store.codex_login import codex_file, read_codex_login
from shunt.store.foreign import Machine

AUTH = "https://api.openai.com/auth"


def token(**claims: Any) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


ACCESS = token(exp=1_900_000_000, **{AUTH: {"chatgpt_account_id": "acct-1", "chatgpt_plan_type": "plus"}})
TOKENS = {"access_token": ACCESS, "refresh_token": "rt-test-1", "id_token": token(email="a@example.test")}


def written(folder: Path, document: object) -> dict[str, str]:
    """An environment whose Codex folder holds this file."""
    (folder / "auth.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return {"CODEX_HOME": str(folder)}


def test_a_chatgpt_login_is_read_whole(tmp_path: Path) -> None:
    """Tokens, end, account and plan are taken over, and where they came from is noted."""
    login = read_codex_login(written(tmp_path, {"auth_mode": "chatgpt", "tokens": TOKENS}))
    assert isinstance(login, Login)
    assert (login.access.reveal(), login.refresh.reveal()) == (ACCESS, "rt-test-1")
    assert login.id_token is not None
    assert login.expires_at == 1_900_000_000
    assert (login.identity.account_id, login.identity.plan) == ("acct-1", "plus")
    assert login.identity.email == "a@example.test"
    assert login.imported_from == str(tmp_path / "auth.json")


def test_the_account_that_the_file_names_wins(tmp_path: Path) -> None:
    """A login that was switched to another workspace acts for that one."""
    login = read_codex_login(written(tmp_path, {"tokens": {**TOKENS, "account_id": "acct-2"}}))
    assert isinstance(login, Login)
    assert login.identity.account_id == "acct-2"


@pytest.mark.parametrize("document", [{}, {"tokens": None}, {"tokens": {}}, {"OPENAI_API_KEY": None}])
def test_no_login_is_nothing(tmp_path: Path, document: object) -> None:
    """A Codex that is not logged in has nothing to import."""
    assert read_codex_login(written(tmp_path, document)) is None


def test_no_file_is_nothing(tmp_path: Path) -> None:
    """A machine without Codex has nothing to import."""
    assert read_codex_login({"CODEX_HOME": str(tmp_path)}) is None
    assert read_codex_login({}) is None


def test_an_api_key_is_not_taken_for_a_login(tmp_path: Path) -> None:
    """Codex in API-key mode is told apart, with the command for a key; the key is not shown."""
    with pytest.raises(StoreError, match="--provider openai") as caught:
        read_codex_login(written(tmp_path, {"OPENAI_API_KEY": "sk-test-not-shown"}))
    assert "sk-test-not-shown" not in str(caught.value)


@pytest.mark.parametrize(
    "document", ["{", "[]", {"tokens": {"access_token": "a b"}}, {"tokens": {"access_token": 3}}]
)
def test_what_cannot_be_used_is_named(tmp_path: Path, document: object) -> None:
    """A broken file is an error with its path and the cure, never an empty login."""
    with pytest.raises(StoreError, match=r"auth\.json"):
        read_codex_login(written(tmp_path, document), Machine(pause=lambda _: None))


def test_the_usual_folder_is_below_the_home() -> None:
    """Without CODEX_HOME it is ~/.codex."""
    assert codex_file({"HOME": "/home/x"}) == Path("/home/x/.codex/auth.json")
