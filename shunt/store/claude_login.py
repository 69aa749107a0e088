"""The login that Claude Code keeps on this machine. Only ever read, never written.

Claude Code keeps its tokens in `.credentials.json` under its folder (`~/.claude`, or
`CLAUDE_CONFIG_DIR`), on macOS in a keychain item instead, and who they belong to in `.claude.json`
(in the home directory, or in `CLAUDE_CONFIG_DIR`). It rewrites them while it runs, so a text that is cut
short is read again before it is called broken.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.foreign import Machine, parsed, read_document, secret_of, text_of

KEYCHAIN_ITEM: Final = "Claude Code-credentials"
KEYCHAIN_PATIENCE: Final = 5.0
"""Seconds; macOS may ask the user for consent."""

_END_OF_TIME: Final = 1e18
"""Milliseconds since the epoch; no login lasts longer."""
_NO_SUCH_ITEM: Final = 44
"""Exit status of `security` for errSecItemNotFound."""
_LOG_IN: Final = "log in with `claude` (its command /login) and try again"


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
    document, source = read_document(path, machine, _LOG_IN), str(path)
    if document is None and machine.platform == "darwin" and folder == _usual_folder(environ):
        # Claude Code with a folder of its own has a keychain item of its own; this one is another login.
        document, source = _keychain(machine), f"the keychain item {KEYCHAIN_ITEM!r}"
    entry = (document or {}).get("claudeAiOauth")
    if entry is not None:
        return _login(entry, source, profile)
    key = profile.get("primaryApiKey")
    if isinstance(key, str) and key:
        return ApiKey(secret_of(key, str(_profile_files(environ, folder)[0]), "primaryApiKey", _LOG_IN))
    return None


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
            if (document := read_document(path, machine, _LOG_IN)) is not None:
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
        access=secret_of(access, source, "accessToken", _LOG_IN),
        refresh=secret_of(refresh, source, "refreshToken", _LOG_IN) if refresh else Secret(""),
        expires_at=None if expires is None else expires / 1000,
        scopes=tuple(item for item in scopes if isinstance(item, str)) if isinstance(scopes, list) else (),
        identity=_identity(entry, profile),
        imported_from=source,
    )


def _identity(entry: Mapping[str, Any], profile: Mapping[str, Any]) -> Identity:
    account = profile.get("oauthAccount")
    known = account if isinstance(account, dict) else {}
    return Identity(
        account_id=text_of(known.get("accountUuid")),
        organization_id=text_of(known.get("organizationUuid")),
        email=text_of(known.get("emailAddress")),
        plan=text_of(entry.get("subscriptionType")),
    )


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
    document = parsed(done.stdout)
    if document is None:
        raise StoreError(f"the keychain item {KEYCHAIN_ITEM!r} is not the JSON it should be; {_LOG_IN}")
    return document
