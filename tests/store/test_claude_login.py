from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.claude_login import read_claude_login
from shunt.store.foreign import READINGS, Machine

ENTRY: dict[str, Any] = {
    "accessToken": "sk-ant-oat01-test",
    "refreshToken": "sk-ant-ort01-test",
    "expiresAt": 1_800_000_000_500,
    "scopes": ["user:inference", "user:profile"],
    "subscriptionType": "max",
    "rateLimitTier": "default_claude_max_20x",
}
PROFILE = {
    "oauthAccount": {
        "accountUuid": "account-1",
        "organizationUuid": "org-1",
        "emailAddress": "u@example.test",
        "organizationName": "o",
    },
    "hasCompletedOnboarding": True,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".claude").mkdir()
    return tmp_path


def put(path: Path, document: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document))
    path.chmod(0o600)


def read(home: Path, machine: Machine | None = None, **environ: str) -> Any:
    return read_claude_login(
        {"HOME": str(home), **environ}, machine or Machine("linux", pause=lambda _s: None)
    )


def login(home: Path, identity: Identity, **changes: Any) -> Login:
    fields: dict[str, Any] = {
        "access": Secret("sk-ant-oat01-test"),
        "refresh": Secret("sk-ant-ort01-test"),
        "expires_at": 1_800_000_000.5,
        "scopes": ("user:inference", "user:profile"),
        "identity": identity,
        "imported_from": str(home / ".claude" / ".credentials.json"),
    }
    return Login(**{**fields, **changes})


KNOWN = Identity("account-1", "org-1", "u@example.test", "max")
UNKNOWN = Identity(plan="max")


@pytest.mark.parametrize("named", [False, True])
def test_the_usual_login(home: Path, *, named: bool) -> None:
    """Tokens and identity are put together, also when CLAUDE_CONFIG_DIR names the usual folder."""
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": ENTRY})
    put(home / ".claude.json", PROFILE)
    environ = {"CLAUDE_CONFIG_DIR": str(home / ".claude")} if named else {}
    assert read(home, None, **environ) == login(home, KNOWN)


def test_a_folder_of_its_own_has_an_identity_of_its_own(home: Path) -> None:
    """The profile in the home directory is not put on the tokens of another folder."""
    other = home / "other"
    put(other / ".credentials.json", {"claudeAiOauth": ENTRY})
    put(home / ".claude.json", PROFILE)
    source = str(other / ".credentials.json")
    assert read(home, CLAUDE_CONFIG_DIR=str(other)) == login(home, UNKNOWN, imported_from=source)
    put(other / ".claude.json", {"oauthAccount": {"accountUuid": "account-2"}})
    found = read(home, CLAUDE_CONFIG_DIR=str(other))
    assert found.identity == Identity("account-2", plan="max")


@pytest.mark.parametrize(
    "profile", [None, {}, {"oauthAccount": None}, {"oauthAccount": {"accountUuid": 5}}, []]
)
def test_a_login_without_a_readable_profile(home: Path, profile: Any) -> None:
    """Not knowing whose login it is does not stop its use."""
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": ENTRY})
    if profile is not None:
        put(home / ".claude.json", profile)
    assert read(home) == login(home, UNKNOWN)


def test_a_token_that_cannot_be_renewed(home: Path) -> None:
    """A long-lived token has no refresh token and may have no end."""
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": {"accessToken": "sk-ant-oat01-test"}})
    assert read(home) == login(home, Identity(), refresh=Secret(""), expires_at=None, scopes=())


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}])
def test_nothing_to_be_found(home: Path, environ: dict[str, str]) -> None:
    """A machine without Claude Code, or without a home, has no login; that is no error."""
    assert read(home) is None
    assert read(home / "absent") is None
    assert read_claude_login(environ, Machine("linux")) is None
    put(home / ".claude" / ".credentials.json", {"mcpOAuth": {}})
    assert read(home) is None


def test_an_api_key_instead_of_a_login(home: Path) -> None:
    """When Claude Code was given a key of the developer platform, that key is what it uses."""
    put(home / ".claude.json", {"primaryApiKey": "sk-ant-api03-test"})
    assert read(home) == ApiKey(Secret("sk-ant-api03-test"))
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": ENTRY})
    assert isinstance(read(home), Login)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expiresAt": 0}, "given up"),
        ({"expiresAt": -5}, "given up"),
        ({"expiresAt": 10**400}, "given up"),
        ({"expiresAt": "soon"}, "no number"),
        ({"expiresAt": True}, "no number"),
        ({"accessToken": ""}, "without a token"),
        ({"accessToken": None}, "without a token"),
        ({"accessToken": "hunter2\r\n"}, "no token"),
        ({"accessToken": ["hunter2"]}, "no token"),
        ({"refreshToken": "hunter2 é"}, "no token"),
    ],
)
def test_what_is_not_adopted(home: Path, changes: dict[str, Any], said: str) -> None:
    """Dead and damaged logins are refused with what to do, and without showing them."""
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": {**ENTRY, **changes}})
    with pytest.raises(StoreError, match=said) as caught:
        read(home)
    assert "/login" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_being_written(home: Path) -> None:
    """A text that is cut short is read again; one that stays broken is named."""
    path = home / ".claude" / ".credentials.json"
    path.write_text('{"claudeAiOauth": {"acc')
    path.chmod(0o600)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            put(path, {"claudeAiOauth": ENTRY})

    assert read(home, Machine("linux", pause=pause)) == login(home, UNKNOWN)
    path.write_text("[]")
    pauses.clear()
    with pytest.raises(StoreError, match=r"not the JSON"):
        read(home, Machine("linux", pause=pauses.append))
    assert len(pauses) == READINGS - 1


def test_what_is_no_file_is_refused(home: Path) -> None:
    """A FIFO in the place of the file does not hang the import."""
    os.mkfifo(home / ".claude" / ".credentials.json")
    with pytest.raises(StoreError, match="FIFO"):
        read(home)


def test_a_linked_file_is_read(home: Path) -> None:
    """People keep such files elsewhere and link them."""
    put(home / "elsewhere" / "c.json", {"claudeAiOauth": ENTRY})
    (home / ".claude" / ".credentials.json").symlink_to(home / "elsewhere" / "c.json")
    assert read(home) == login(home, UNKNOWN)


# ── macOS ─────────────────────────────────────────────────────────────────────────────────────────


def keychain(status: int = 0, output: bytes = b"", error: Exception | None = None) -> Callable[..., Any]:
    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        assert command == [
            "/usr/bin/security",
            "find-generic-password",
            "-s",
            "Claude Code-credentials",
            "-w",
        ]
        assert options["timeout"] == 5.0
        if error is not None:
            raise error
        return subprocess.CompletedProcess(command, status, output, b"")

    return run


def mac(run: Callable[..., Any]) -> Machine:
    return Machine("darwin", run=run, pause=lambda _s: None)


def test_the_keychain_is_asked_where_there_is_no_file(home: Path) -> None:
    """On macOS the login lies in the keychain; a file, where there is one, goes first."""
    put(home / ".claude.json", PROFILE)
    found = read(home, mac(keychain(output=json.dumps({"claudeAiOauth": ENTRY}).encode() + b"\n")))
    assert (found.access, found.identity) == (Secret("sk-ant-oat01-test"), KNOWN)
    assert "keychain" in found.imported_from
    put(home / ".claude" / ".credentials.json", {"claudeAiOauth": ENTRY})
    assert read(home, mac(keychain(error=AssertionError("not asked")))) == login(home, KNOWN)


def test_the_keychain_item_of_another_folder_is_left_alone(home: Path) -> None:
    """A folder of its own is not given the usual folder's login."""
    assert (
        read(home, mac(keychain(error=AssertionError("asked"))), CLAUDE_CONFIG_DIR=str(home / "other"))
        is None
    )


def test_no_keychain_item(home: Path) -> None:
    """An absent item is no login, and no error."""
    assert read(home, mac(keychain(44))) is None


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (keychain(36), "refused"),
        (keychain(0, b"hunter2"), "not the JSON"),
        (keychain(error=subprocess.TimeoutExpired("security", 5)), "did not answer within 5 s"),
        (keychain(error=FileNotFoundError(2, "No such file")), "cannot ask"),
    ],
)
def test_a_keychain_that_does_not_answer(home: Path, run: Callable[..., Any], said: str) -> None:
    """A locked, silent or absent keychain is a clear line."""
    with pytest.raises(StoreError, match=said) as caught:
        read(home, mac(run))
    assert "hunter2" not in str(caught.value)
