"""The login that Claude Code keeps on this machine. Only ever read, never written.

Claude Code keeps its tokens in `.credentials.json` under its folder (`~/.claude`, or
`CLAUDE_CONFIG_DIR`), on macOS in a keychain item instead, and who they belong to in `.claude.json`
(in the home directory, or in `CLAUDE_CONFIG_DIR`). It rewrites them while it runs, so a text that is cut
short is read again before it is called broken.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.files import read_private

LIMIT: Final = 64 * 1024 * 1024
"""Bytes; `.claude.json` keeps the history of projects and grows large."""
KEYCHAIN_ITEM: Final = "Claude Code-credentials"
KEYCHAIN_PATIENCE: Final = 5.0
"""Seconds; macOS may ask the user for consent."""
READINGS: Final = 4
PAUSE: Final = 0.1
"""Seconds between readings of a text that is being rewritten."""

_END_OF_TIME: Final = 1e18
"""Milliseconds since the epoch; no login lasts longer."""
_NO_SUCH_ITEM: Final = 44
"""Exit status of `security` for errSecItemNotFound."""
_LOG_IN: Final = "log in with `claude` (its command /login) and try again"


@frozen
class Machine:
    """What reading depends on besides the files; tests replace it."""

    platform: str = sys.platform
    run: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run
    pause: Callable[[float], None] = time.sleep


def read_claude_login(environ: Mapping[str, str], machine: Machine | None = None) -> Credential | None:
    """What Claude Code uses on this machine: a Login with its identity, or the API key it was given.

    Blocks on the disk, and on macOS for up to 5 s on the keychain.

    Returns:
        None when Claude Code has nothing here.

    Raises:
        StoreError: there is something that cannot be used; the message says what to do.
    """
    machine = machine or Machine()
    folder = _folder(environ)
    if folder is None:
        return None
    profile = _profile(environ, folder, machine)
    path = folder / ".credentials.json"
    document, source = _document(path, machine), str(path)
    if document is None and machine.platform == "darwin" and folder == _usual_folder(environ):
        # Claude Code with a folder of its own has a keychain item of its own; this one is another login.
        document, source = _keychain(machine), f"the keychain item {KEYCHAIN_ITEM!r}"
    entry = (document or {}).get("claudeAiOauth")
    if entry is not None:
        return _login(entry, source, profile)
    key = profile.get("primaryApiKey")
    if isinstance(key, str) and key:
        return ApiKey(_secret(key, str(_profile_files(environ, folder)[0]), "primaryApiKey"))
    return None


def login_at(environ: Mapping[str, str], source: str) -> Login | None:
    """Claude Code's login, if it still is where `source` (a login's `imported_from`) says. Raises StoreError."""
    login = read_claude_login(environ)
    return login if isinstance(login, Login) and login.imported_from == source else None


def _folder(environ: Mapping[str, str]) -> Path | None:
    chosen = environ.get("CLAUDE_CONFIG_DIR")
    return Path(chosen).absolute() if chosen else _usual_folder(environ)


def _usual_folder(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home).absolute() / ".claude" if home else None


def _profile_files(environ: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    beside = folder.with_name(".claude.json")
    if not environ.get("CLAUDE_CONFIG_DIR"):
        return (beside,)
    # The file in the home directory belongs to the usual folder's login. For another folder it would put
    # one person's identity on another's tokens.
    usual = folder == _usual_folder(environ)
    return (folder / ".claude.json", beside) if usual else (folder / ".claude.json",)


def _profile(environ: Mapping[str, str], folder: Path, machine: Machine) -> Mapping[str, Any]:
    """Who the login belongs to; empty when Claude Code does not say (a renewal will)."""
    for path in _profile_files(environ, folder):
        with suppress(StoreError):
            if (document := _document(path, machine)) is not None:
                return document
    return {}


def _login(entry: Any, source: str, profile: Mapping[str, Any]) -> Login:
    if not isinstance(entry, dict):
        raise StoreError(f"{source} holds no usable login; {_LOG_IN}")
    access, refresh = entry.get("accessToken"), entry.get("refreshToken")
    expires, scopes = entry.get("expiresAt"), entry.get("scopes")
    if not access:
        raise StoreError(f"{source} holds a login without a token; {_LOG_IN}")
    if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int | float)):
        raise StoreError(f"{source} holds a login whose expiresAt is no number; {_LOG_IN}")
    if expires is not None and not 0 < expires < _END_OF_TIME:
        # Claude Code writes 0 when it has given a login up; its tokens are dead.
        raise StoreError(f"{source} holds a login that Claude Code has given up; {_LOG_IN}")
    return Login(
        access=_secret(access, source, "accessToken"),
        refresh=_secret(refresh, source, "refreshToken") if refresh else Secret(""),
        expires_at=None if expires is None else expires / 1000,
        scopes=tuple(item for item in scopes if isinstance(item, str)) if isinstance(scopes, list) else (),
        identity=_identity(entry, profile),
        imported_from=source,
    )


def _identity(entry: Mapping[str, Any], profile: Mapping[str, Any]) -> Identity:
    account = profile.get("oauthAccount")
    known = account if isinstance(account, dict) else {}
    return Identity(
        account_id=_text(known.get("accountUuid")),
        organization_id=_text(known.get("organizationUuid")),
        email=_text(known.get("emailAddress")),
        plan=_text(entry.get("subscriptionType")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _secret(value: Any, source: str, key: str) -> Secret:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise StoreError(f"{source} holds a login whose {key} is no token; {_LOG_IN}")
    return Secret(value)


def _document(path: Path, machine: Machine) -> dict[str, Any] | None:
    """The JSON table in a file that another program may be writing; None when there is no file."""
    for reading in range(READINGS):
        if reading:
            machine.pause(PAUSE)
        text = read_private(path, limit=LIMIT, follow=True)
        if text is None:
            return None
        document = _parsed(text)
        if document is not None:
            return document
    raise StoreError(f"{path} is not the JSON it should be; {_LOG_IN}")


def _keychain(machine: Machine) -> dict[str, Any] | None:
    command = ["/usr/bin/security", "find-generic-password", "-s", KEYCHAIN_ITEM, "-w"]
    try:
        done = machine.run(command, capture_output=True, check=False, timeout=KEYCHAIN_PATIENCE)
    except subprocess.TimeoutExpired:
        raise StoreError(
            f"the keychain did not answer within {KEYCHAIN_PATIENCE:g} s; unlock it, allow access, and try again"
        ) from None
    except OSError as error:
        raise StoreError(f"cannot ask the keychain: {(error.strerror or '').lower()}") from error
    if done.returncode == _NO_SUCH_ITEM:
        return None
    if done.returncode:
        raise StoreError(
            f"the keychain refused to give {KEYCHAIN_ITEM!r} (status {done.returncode}); allow access"
        )
    document = _parsed(done.stdout)
    if document is None:
        raise StoreError(f"the keychain item {KEYCHAIN_ITEM!r} is not the JSON it should be; {_LOG_IN}")
    return document


def _parsed(text: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
