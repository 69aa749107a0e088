"""`shunt logout`: end an account's login at its vendor and forget it here."""

from __future__ import annotations

import click

from shunt.accounts.credential import Login
from shunt.cli.exits import Failed
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, places
from shunt.cli.reloading import told_server
from shunt.cli.signing_in import revoke
from shunt.cli.terminal import clean, interactive, note, word
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted
from shunt.config.types import AccountConfig
from shunt.errors import LoginFailed


@click.command()
@click.argument("name")
@click.option("--local", is_flag=True, help="Forget it here only; at the vendor it stays good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def logout(call: Invocation, name: str, *, local: bool, yes: bool) -> None:
    """End the login of the account NAME: the vendor revokes it, and shunt forgets it.

    The account stays in config.toml; `shunt add-account NAME --login` gives it a login again. When the
    vendor cannot be reached nothing is forgotten, so that it can be tried again.
    """
    files = open_files(call)
    account = _account(files, name)
    login = _login(files, account)
    if login.imported_from and not local:
        note(
            f"{login.imported_from} holds the same login: ending it logs that program out too. "
            "--local forgets it here only."
        )
    question = f"{'Forget' if local else 'End'} the login of {clean(account.name)}?"
    if not yes and interactive() and not click.confirm(question, default=False, err=True):
        raise Failed("Nothing was changed.")
    store = files.credentials
    # Whoever renews it now would bring it back: they are waited for, and what they made is ended.
    with store.refreshing(account.name):
        login = _login(files, account)
        if not local:
            _revoked(files, account, login)
        store.remove(account.name)
    ended = "forgotten here; at the vendor it is still good" if local else "ended at the vendor and forgotten"
    click.echo(f"Logged out: {clean(account.name)}, {ended}.")
    note(told_server(files, account.name, present=True))


def _account(files: Files, name: str) -> AccountConfig:
    accounts = files.config().accounts
    found = next((each for each in accounts if folded(each.name) == folded(name)), None)
    if found is None:
        raise Failed(f"There is no account {quoted(name)}{hint(name, [each.name for each in accounts])}.")
    return found


def _login(files: Files, account: AccountConfig) -> Login:
    """The login as it is on disk now. Raises Failed where there is none."""
    entry = files.credentials.load().get(account.name)
    if entry is not None and isinstance(entry.credential, Login):
        return entry.credential
    has_key = entry is not None or account.api_key or account.api_key_env
    raise Failed(
        f"The account {clean(account.name)} uses an API key, which is deleted at the vendor; "
        f"`shunt remove-account {word(account.name)}` forgets it here."
        if has_key
        else f"The account {clean(account.name)} has no login."
    )


def _revoked(files: Files, account: AccountConfig, login: Login) -> None:
    try:
        revoke(files, account.provider, login, account.proxy)
    except LoginFailed as error:
        raise Failed(
            f"{error} The login was kept, so that you can try again; --local forgets it here only."
        ) from error
