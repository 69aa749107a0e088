from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.codex_login import codex_file, read_codex_login, with_successor
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


SPENT = """{
  "OPENAI_API_KEY": null,
  "auth_mode": "chatgpt",
  "tokens": {
    "id_token": "<id>",
    "access_token": "<access>",
    "refresh_token": "rt-test-1",
    "account_id": "acct-1",
    "future": [1.50]
  },
  "last_refresh": "2026-01-01T00:00:00.000000Z",
  "agent_identity": {"x": 1}
}
""".replace("<id>", TOKENS["id_token"]).replace("<access>", ACCESS)
NEWER = token(exp=1_950_000_000, **{AUTH: {"chatgpt_account_id": "acct-1"}})
HELD = Login(
    Secret(NEWER),
    Secret("rt-test-3"),
    1_950_000_000,
    identity=Identity("acct-1"),
    id_token=Secret("id-3"),
    imported_from="/auth.json",
    spent=(Secret("rt-test-1").fingerprint(), Secret("rt-test-2").fingerprint()),
)


def test_a_spent_login_is_given_its_successor() -> None:
    """Tokens and the time of renewal are exchanged; every other byte stays as Codex wrote it."""
    assert with_successor(SPENT.encode(), HELD, 1_800_000_000.0) == (
        SPENT.replace(ACCESS, NEWER)
        .replace("rt-test-1", "rt-test-3")
        .replace(TOKENS["id_token"], "id-3")
        .replace("2026-01-01T00:00:00.000000Z", "2027-01-15T08:00:00Z")
        .encode()
    )


def test_a_file_laid_out_otherwise_keeps_its_fields() -> None:
    """What cannot be exchanged in place is written anew, in the same order."""
    document = json.loads(SPENT)
    del document["last_refresh"], document["tokens"]["id_token"]
    changed = with_successor(json.dumps(document).encode("utf-16"), HELD, 1_800_000_000.0)
    assert changed is not None
    expected = {**document, "last_refresh": "2027-01-15T08:00:00Z"}
    expected["tokens"] = {**document["tokens"], "access_token": NEWER, "refresh_token": "rt-test-3"}
    expected["tokens"]["id_token"] = "id-3"
    assert json.loads(changed) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        SPENT[:100],
        "[]",
        SPENT.replace("rt-test-1", "rt-test-9"),
        SPENT.replace("rt-test-1", "rt-test-3"),
        SPENT.replace('"acct-1"', '"acct-2"'),
        SPENT.replace('"chatgpt"', '"apikey"'),
        '{"auth_mode": "apikey", "OPENAI_API_KEY": "sk-test-1", "tokens": null}',
        '{"OPENAI_API_KEY": "sk-test-1"}',
    ],
    ids=["empty", "half", "a list", "newer", "done", "another account", "old tokens", "key", "bare key"],
)
def test_anything_else_is_never_touched(text: str) -> None:
    """A newer login, another account's, an API key, half a file."""
    assert with_successor(text.encode(), HELD, 1_800_000_000.0) is None


def test_tokens_beside_an_api_key_in_force_are_no_login(tmp_path: Path) -> None:
    """Codex has been switched to a key; what it was logged in with before is not imported or followed."""
    with pytest.raises(StoreError, match="an API key, not a ChatGPT login"):
        read_codex_login(
            written(tmp_path, {"auth_mode": "apikey", "OPENAI_API_KEY": "sk-test-1", "tokens": TOKENS})
        )
