"""`shunt export` and `shunt import`: moving accounts to another machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.accounts.secret import Secret
from shunt.cli.acknowledgement import agree
from shunt.cli.enrolment import Enrolment, same
from shunt.cli.exits import Failed
from shunt.cli.files import Files, known_providers, open_files
from shunt.cli.invocation import Invocation, places
from shunt.cli.passphrase import passphrase
from shunt.cli.reloading import told_server
from shunt.cli.terminal import clean, interactive, note
from shunt.config.misread import Misread
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted
from shunt.config.types import AccountConfig, keys_of
from shunt.store.parcel import Parcel, read_parcel, seal, unseal, write_parcel

SHARED = """\
This machine keeps these logins too. From now on two machines have one token family: whichever renews first
makes the copy of the other one worthless, and the vendor may then end the login for both. Use them on one of
the two only. `--remove` takes them off this machine with the export; better still, give the other machine
logins of its own (shunt add-account NAME --login)."""

_file_option = click.option("--passphrase-file", metavar="FILE", help="Read the passphrase from FILE.")
_stdin_option = click.option("--passphrase-stdin", is_flag=True, help="Read it from the first line of stdin.")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--to", "target", required=True, metavar="FILE", help="Where to; must not exist yet.")
@_file_option
@_stdin_option
@click.option("--remove", is_flag=True, help="Take them off this machine: it shares nothing then.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def export(
    call: Invocation,
    names: tuple[str, ...],
    target: str,
    passphrase_file: str | None,
    *,
    passphrase_stdin: bool,
    remove: bool,
    yes: bool,
) -> None:
    """Write accounts with their logins and keys into a file encrypted with a passphrase (age).

    Without a NAME it is all of them. Keys that are in the environment stay there: only the variable's name
    goes along. `shunt import FILE` on the other machine takes them up.
    """
    files = open_files(call)
    accounts = _chosen(files, names)
    path = Path(target).absolute()
    if path.exists():
        raise Failed(f"{path} is there already; name another file.")
    question = f"Take {len(accounts)} account(s) off this machine?"
    if remove and not yes and interactive() and not click.confirm(question, default=False, err=True):
        raise Failed("Nothing was exported.")
    secret = passphrase(passphrase_file, from_stdin=passphrase_stdin, new=True)
    with ExitStack() as alone:
        # What a running server renews meanwhile would leave a spent token in the file.
        for account in accounts:
            alone.enter_context(files.credentials.refreshing(account.name))
        parcel = _packed(files, accounts, moved=remove)
        write_parcel(path, seal(parcel, secret))
        for account in accounts if remove else ():
            files.config_file.remove_account(account.name)
            files.credentials.remove(account.name)
    click.echo(f"Exported: {', '.join(clean(account.name) for account in accounts)}; to {path}.")
    _note_shared(files, parcel)


@click.command("import")
@click.argument("source", metavar="FILE")
@click.option("--only", multiple=True, metavar="NAME", help="This account only; may be repeated.")
@_file_option
@_stdin_option
@click.option("--yes", is_flag=True, help="Take the vendors' terms as read.")
@places
def import_accounts(
    call: Invocation,
    source: str,
    only: tuple[str, ...],
    passphrase_file: str | None,
    *,
    passphrase_stdin: bool,
    yes: bool,
) -> None:
    """Take accounts out of a file that `shunt export` wrote.

    Names that are taken here are refused before anything is changed.
    """
    files = open_files(call)
    data = read_parcel(Path(source))
    parcel = unseal(data, passphrase(passphrase_file, from_stdin=passphrase_stdin, new=False))
    wanted = {folded(name) for name in only}
    entries = [_checked(entry) for entry in parcel.accounts if not wanted or folded(entry["name"]) in wanted]
    if not entries:
        raise Failed(f"There is no such account in {source}.")
    found = {str(entry["name"]): _credential(entry, parcel) for entry in entries}
    _check_free(files, found)
    for provider in dict.fromkeys(
        entry["provider"] for entry in entries if isinstance(found[entry["name"]], Login)
    ):
        agree(files, provider, yes=yes)
    for entry in entries:
        kept = {key: value for key, value in entry.items() if key != "api_key"}
        Enrolment(files).add(kept, found[entry["name"]])
        click.echo(f"Added: {clean(entry['name'])} ({entry['provider']}).")
    if not parcel.moved and any(isinstance(credential, Login) for credential in found.values()):
        note("The machine these came from has the same logins. Use them on one of the two only.")
    note(told_server(files, entries[-1]["name"], present=True))


def _chosen(files: Files, names: tuple[str, ...]) -> list[AccountConfig]:
    accounts = files.config().accounts
    by_name = {folded(account.name): account for account in accounts}
    for name in names:
        if folded(name) not in by_name:
            raise Failed(f"There is no account {quoted(name)}{hint(name, [each.name for each in accounts])}.")
    chosen = [by_name[key] for key in dict.fromkeys(map(folded, names))] if names else list(accounts)
    if not chosen:
        raise Failed("There are no accounts to export.")
    return chosen


def _packed(files: Files, accounts: list[AccountConfig], *, moved: bool) -> Parcel:
    stored = files.credentials.load()
    credentials = {
        account.name: _own(stored[account.name].credential) for account in accounts if account.name in stored
    }
    return Parcel(tuple(written(account) for account in accounts), credentials, moved=moved)


def _own(credential: Credential) -> Credential:
    """Without what only this machine can know: the file of another program that shares it."""
    if isinstance(credential, Login):
        return Login(
            access=credential.access,
            refresh=credential.refresh,
            expires_at=credential.expires_at,
            scopes=credential.scopes,
            identity=credential.identity,
            id_token=credential.id_token,
        )
    return credential


def written(account: AccountConfig) -> dict[str, Any]:
    """An account as config.toml would have it, defaults left out."""
    plain = AccountConfig(account.name, account.provider)
    entry: dict[str, Any] = {}
    for key in keys_of(AccountConfig):
        value = getattr(account, key)
        if value != getattr(plain, key) or key in ("name", "provider"):
            entry[key] = _toml(value)
    return entry


def _toml(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An account of a file, by the rules of config.toml. Raises Failed."""
    known = keys_of(AccountConfig)
    name = clean(str(entry["name"]))
    for key, value in entry.items():
        if key not in known:
            raise Failed(f"The account {name} has a key that this shunt does not know: {clean(key)}.")
        try:
            known[key].reader.read(value)
        except Misread as complaint:
            raise Failed(f"The account {name}: {key} {complaint}.") from None
    if entry.get("provider") not in known_providers():
        raise Failed(f"The account {name} is of a provider that this shunt does not know.")
    return dict(entry)


def _credential(entry: Mapping[str, Any], parcel: Parcel) -> Credential | None:
    """What goes to credentials.json: a key that stood in config.toml is kept there from now on."""
    stored = parcel.credentials.get(entry["name"])
    if stored is None and entry.get("api_key"):
        return ApiKey(Secret(entry["api_key"]))
    return stored


def _check_free(files: Files, found: Mapping[str, Credential | None]) -> None:
    """Refuse names that are taken and logins that are here under another name. Raises Failed."""
    taken = {folded(account.name): account.name for account in files.config().accounts}
    stored = files.credentials.load()
    for name, credential in found.items():
        if folded(name) in taken:
            raise Failed(
                f"There is an account {clean(taken[folded(name)])} already. Nothing was imported; choose others "
                "with --only, or remove it first."
            )
        for other, entry in stored.items():
            if (
                isinstance(credential, Login)
                and same(entry.credential, credential)
                and folded(other) in taken
            ):
                raise Failed(
                    f"The login of {clean(name)} is here already, as {clean(other)}. Nothing was imported."
                )


def _note_shared(files: Files, parcel: Parcel) -> None:
    if parcel.moved:
        note(told_server(files, str(parcel.accounts[-1]["name"]), present=False))
    elif any(isinstance(credential, Login) for credential in parcel.credentials.values()):
        note(SHARED)
