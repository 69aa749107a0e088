"""Which programs of this machine hold a login: whose files are known, and what they hold now.

Only fingerprints leave this module. Files are read as their programs leave them, and never changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.claude_login import read_claude_login
from shunt.store.codex_login import read_codex_login
from shunt.store.credential_format import Malformed, decode
from shunt.store.files import read_private
from shunt.store.foreign import parsed

LIMIT: Final = 8 * 1024 * 1024
SECRETS: Final = ("refresh", "refresh_token", "refreshToken", "access", "access_token", "accessToken")
"""What programs call the tokens of a login."""
DEEPEST: Final = 6

OTHERS: Final = (
    ("opencode", "XDG_DATA_HOME", ".local/share", "opencode/auth.json"),
    ("Pi", "", "", ".pi/agent/auth.json"),
    ("Crush", "XDG_DATA_HOME", ".local/share", "crush/crush.json"),
    ("Gemini CLI", "", "", ".gemini/oauth_creds.json"),
)
"""Program, the variable that moves its folder, the folder under the home directory, the file in it."""


@frozen
class Holder:
    """A program that holds logins."""

    program: str
    place: str
    """A path, or the keychain's item."""
    fingerprints: frozenset[str] = field(repr=False)
    identities: tuple[Identity, ...] = ()
    trouble: str = ""
    """Why it could not be looked into."""


@frozen
class Finding:
    """One program beside shunt that has to do with an account's login."""

    program: str
    place: str
    same_grant: bool
    """It holds one of the tokens; else only another login of the same account at the vendor."""


def holders(environ: Mapping[str, str], *, own: Path) -> tuple[Holder, ...]:
    """Every known program of this machine that holds logins. Blocks on the disk.

    Args:
        environ: the environment.
        own: credentials.json of this shunt, which is not listed.
    """
    return tuple(_holders(environ, own))


def shared_by(login: Login, found: tuple[Holder, ...]) -> tuple[Finding, ...]:
    """Who else holds this login's grant, or another login of its account."""
    mine = {token.fingerprint() for token in (login.refresh, login.access) if token} | set(login.spent)
    findings = []
    for holder in found:
        same = not mine.isdisjoint(holder.fingerprints)
        known = login.identity
        kin = bool(known.account_id) and any(
            known.account_id == other.account_id and not known.contradicts(other)
            for other in holder.identities
        )
        if same or kin:
            findings.append(Finding(holder.program, holder.place, same))
    return tuple(findings)


def _holders(environ: Mapping[str, str], own: Path) -> Iterator[Holder]:
    for program, read in (("Claude Code", read_claude_login), ("Codex", read_codex_login)):
        try:
            login = read(environ)
        except StoreError as error:
            yield Holder(program, "", frozenset(), trouble=str(error))
            continue
        if isinstance(login, Login):
            tokens = {token.fingerprint() for token in (login.refresh, login.access) if token}
            yield Holder(program, login.imported_from, frozenset(tokens), (login.identity,))
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "/")
    for program, variable, folder, name in OTHERS:
        moved = environ.get(variable, "") if variable else ""
        yield from _other(program, (Path(moved) if moved else home / folder) / name)
    for place in {home / ".config" / "shunt" / "credentials.json", home / ".shunt" / "credentials.json"}:
        if place.absolute() != own.absolute():
            yield from _shunt(place)


def _other(program: str, path: Path) -> Iterator[Holder]:
    try:
        text = read_private(path, limit=LIMIT, follow=True)
    except StoreError as error:
        yield Holder(program, str(path), frozenset(), trouble=str(error))
        return
    document = parsed(text) if text is not None else None
    tokens = frozenset(_tokens(document, DEEPEST)) if document is not None else frozenset()
    if tokens:
        yield Holder(program, str(path), tokens)


def _shunt(path: Path) -> Iterator[Holder]:
    """Another shunt of this user, or the Rust program of the same name."""
    try:
        text = read_private(path, limit=LIMIT, follow=True)
        entries = decode(text).accounts.values() if text is not None else ()
    except (StoreError, Malformed) as error:
        yield Holder("another shunt", str(path), frozenset(), trouble=str(error))
        return
    logins = [entry.credential for entry in entries if isinstance(entry.credential, Login)]
    if logins:
        tokens = {token.fingerprint() for login in logins for token in (login.refresh, login.access) if token}
        yield Holder("another shunt", str(path), frozenset(tokens), tuple(login.identity for login in logins))


def _tokens(value: Any, depth: int) -> Iterator[str]:
    """Fingerprints of everything in a document that is called a token."""
    if isinstance(value, dict) and depth:
        for name, inner in value.items():
            if name in SECRETS and isinstance(inner, str) and inner:
                yield Secret(inner).fingerprint()
            else:
                yield from _tokens(inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _tokens(inner, depth - 1)
