"""`shunt accounts`: which accounts there are, how they stand, and where their secrets are kept."""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from shunt.accounts.credential import Credential, Login
from shunt.cli.control import Control
from shunt.cli.custody import show_custody
from shunt.cli.exits import Failed
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.render import accounts_view
from shunt.cli.terminal import console, emit, interactive, note
from shunt.config.overrides import FILE, item_variable
from shunt.config.types import AccountConfig
from shunt.store.credential_format import StoredCredential


@click.command()
@click.option("--custody", is_flag=True, help="Which programs of this machine hold the same logins.")
@as_json
@elsewhere
@places
def accounts(call: Invocation, url: str | None, *, custody: bool, as_json: bool) -> None:
    """List the accounts: how they stand, where each secret is kept, and who shares it.

    How they stand comes from the running server; without one, only the files are read.
    """
    files = open_files(call)
    if custody:
        if url is not None:
            raise click.UsageError("--custody looks at the files of this machine; --url names another one.")
        show_custody(files, as_json=as_json)
        return
    control = files.control(url)
    standing, reason = _standing(control)
    if url is None:
        store = files.credentials
        stored = store.load()
        sealed = store.sealing.sealed
        rows = [
            row(account, files, stored.get(account.name), standing.get(account.name, {}), sealed=sealed)
            for account in files.config().accounts
        ]
    elif reason:
        raise reason
    else:
        rows = [_told(account) for account in standing.values()]
    if as_json:
        emit({"server": {"url": control.url, "running": reason is None}, "accounts": rows})
        return
    if not rows:
        note("No accounts yet. `shunt add-account NAME` adds one.")
        return
    screen = console(sys.stdout, call.environ)
    screen.print(accounts_view(rows, call.now(), screen.width))
    if reason is not None and interactive():
        note(f"How they stand is unknown: {reason.message}")


def _standing(control: Control) -> tuple[dict[str, Mapping[str, Any]], Failed | None]:
    """What the server says by account name, or why it says nothing."""
    try:
        status = control.status()
    except Failed as error:
        return {}, error
    return {str(account.get("name")): account for account in status["accounts"]}, None


@frozen
class Holding:
    """Where an account's secret is."""

    secret: str
    """`login`, `API key`, or empty."""
    kept_in: str
    """A path, or `$VARIABLE`; empty when there is none."""
    shared_with: str = ""
    """The file of the other program that has the same login."""
    expires_at: float | None = None
    """Epoch seconds at which the present access token ends; it is renewed before."""
    sealed: bool = False
    """The file is sealed with a key that the system's keychain has."""


def holding_of(
    account: AccountConfig, stored: Credential | None, files: Files, *, sealed: bool = False
) -> Holding:
    """Find an account's secret without showing it."""
    path = str(files.places.credentials_file)
    if isinstance(stored, Login):
        return Holding("login", path, stored.imported_from, stored.expires_at, sealed)
    if stored is not None:
        return Holding("API key", path, sealed=sealed)
    if account.api_key:
        variable = item_variable("accounts", account.name, "api_key")
        named = next((name for name in (variable, variable + FILE) if files.call.environ.get(name)), "")
        return Holding("API key", f"${named}" if named else str(files.places.config_file))
    if account.api_key_env:
        return Holding("API key", f"${account.api_key_env}")
    return Holding("", "")


def row(
    account: AccountConfig,
    files: Files,
    entry: StoredCredential | None,
    standing: Mapping[str, Any],
    *,
    sealed: bool = False,
) -> dict[str, Any]:
    """One account as `--json` prints it."""
    stored = entry.credential if entry else None
    holding = holding_of(account, stored, files, sealed=sealed)
    who = stored.identity if isinstance(stored, Login) else None
    return {
        "name": account.name,
        "provider": account.provider,
        "pool": account.pool,
        "priority": account.priority,
        "email": standing.get("email") or (who.email if who else "") or None,
        "plan_type": standing.get("plan_type") or (who.plan if who else "") or None,
        "status": standing.get("status"),
        "cooldown_until_ms": standing.get("cooldown_until_ms"),
        "secret": holding.secret or None,
        "kept_in": holding.kept_in or None,
        "sealed": holding.sealed,
        "mode": _mode(holding.kept_in),
        "shared_with": holding.shared_with or None,
        "expires_ms": None if holding.expires_at is None else int(holding.expires_at * 1000),
    }


def _told(standing: Mapping[str, Any]) -> dict[str, Any]:
    """One account of a server whose files are not here."""
    keys = ("name", "provider", "email", "plan_type", "status", "cooldown_until_ms")
    return {key: standing.get(key) for key in keys}


def _mode(kept_in: str) -> str | None:
    """Permission bits of the file, as `ls` and `chmod` write them."""
    try:
        return f"{stat.S_IMODE(Path(kept_in).stat().st_mode):04o}" if kept_in else None
    except OSError:
        return None
