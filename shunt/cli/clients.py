"""`shunt client`: keys for the programs and machines that may call."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import click

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, places
from shunt.cli.reloading import told
from shunt.cli.terminal import clean, emit, interactive, note, word
from shunt.config.client_key import BYTES, digest, made_of
from shunt.config.clients import ClientConfig
from shunt.config.misread import Misread
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted
from shunt.config.types import keys_of


def _read(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Check an option by the same rule as the key of config.toml that it becomes."""

    def check(_ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is None or value == ():
            return None
        try:
            found = keys_of(ClientConfig)[key].reader.read(list(value) if isinstance(value, tuple) else value)
        except Misread as complaint:
            raise click.BadParameter(str(complaint), param=parameter) from None
        return list(found) if isinstance(found, tuple) else found

    return check


_KEY_ONLY = click.option("--key-only", is_flag=True, help="Print the key and nothing else, for a pipe.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def client() -> None:
    """Keys for the programs and machines that may call."""


@client.command()
@click.argument("name", callback=_read("name"))
@click.option(
    "--pool",
    "pools",
    metavar="NAME",
    multiple=True,
    callback=_read("pools"),
    help="A pool it may use; may be repeated. [default: default]",
)
@click.option(
    "--model",
    "models",
    metavar="PATTERN",
    multiple=True,
    callback=_read("models"),
    help="A model it may ask for; may be repeated. [default: all]",
)
@click.option("--daily-requests", type=int, callback=_read("daily_requests"), help="Requests a day.")
@click.option(
    "--daily-tokens", type=int, callback=_read("daily_tokens"), help="Tokens a day, cache reads apart."
)
@click.option("--daily-usd", type=float, callback=_read("daily_usd"), help="Dollars a day at API prices.")
@click.option(
    "--own-device",
    "owner_device",
    is_flag=True,
    help="It is a device of yours: it may use your subscription logins.",
)
@click.option("--admin", is_flag=True, help="Its key opens the control routes from other machines, too.")
@_KEY_ONLY
@as_json
@places
def add(
    call: Invocation,
    name: str,
    *,
    owner_device: bool,
    admin: bool,
    key_only: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a key for the client NAME. It is shown once; only its hash is kept.

    Without --own-device the key reaches API-key accounts only: subscription logins are for the person who
    owns them.
    """
    files = open_files(call)
    before = files.config().clients
    taken = next((each.name for each in before if folded(each.name) == folded(name)), None)
    if taken is not None:
        raise Failed(
            f"There is a client {clean(taken)} already. `shunt client rotate {word(taken)}` gives it a new key."
        )
    key = _new_key()
    flags = {"owner_device": owner_device, "admin": admin}
    entry = {"name": name, "key_sha256": digest(key)}
    entry |= {key: value for key, value in settings.items() if value is not None}
    files.config_file.add_client(entry | {key: value for key, value in flags.items() if value})
    _show(files, name, key, key_only=key_only, as_json=as_json)
    if not before and not files.config().server.remote_key:
        note(
            "From now on every caller needs a key, programs on this machine too: "
            f"shunt client add {word('this-machine')} --own-device --key-only | "
            "shunt connect claude --yes --key-stdin"
        )


@client.command(name="list")
@as_json
@places
def list_(call: Invocation, *, as_json: bool) -> None:
    """Which clients there are, what they may use and what they have used today."""
    files = open_files(call)
    used = _used(files)
    found = [_document(each, used) for each in files.config().clients]
    if as_json:
        emit({"clients": found})
        return
    if not found:
        click.echo("No clients. `shunt client add NAME` makes a key for one.")
    for each in found:
        click.echo(_line(each))


@client.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def remove(call: Invocation, name: str, *, yes: bool) -> None:
    """Withdraw the key of the client NAME; its running requests end."""
    files = open_files(call)
    found = _known(files, name)
    question = f"Withdraw the key of {clean(found)}?"
    if not yes and interactive() and not click.confirm(question, default=False, err=True):
        raise Failed("Nothing was changed.")
    files.config_file.remove_client(found)
    click.echo(f"Removed: {clean(found)}; its key opens nothing any more.")
    note(told(files))


@client.command()
@click.argument("name")
@_KEY_ONLY
@as_json
@places
def rotate(call: Invocation, name: str, *, key_only: bool, as_json: bool) -> None:
    """Give the client NAME a new key. The old one ends at once, and so do requests that run with it."""
    files = open_files(call)
    found = _known(files, name)
    key = _new_key()
    files.config_file.set_client(found, "key_sha256", digest(key))
    _show(files, found, key, key_only=key_only, as_json=as_json)


def _new_key() -> Secret:
    return made_of(secrets.token_bytes(BYTES))


def _known(files: Files, name: str) -> str:
    names = [each.name for each in files.config().clients]
    found = next((each for each in names if folded(each) == folded(name)), None)
    if found is None:
        raise Failed(f"There is no client {quoted(name)}{hint(name, names)}.")
    return found


def _show(files: Files, name: str, key: Secret, *, key_only: bool, as_json: bool) -> None:
    """Show a key this one time."""
    if as_json:
        emit({"name": name, "key": key.reveal()})
    elif key_only:
        click.echo(key.reveal())
    else:
        click.echo(f"The key of {clean(name)}, shown this once:\n\n  {key.reveal()}\n")
        note("Clients send it as their API key or token (x-api-key, or Authorization: Bearer).")
    note(told(files))


def _used(files: Files) -> Mapping[str, Any]:
    """Today's use by client, from the running server; empty when none tells."""
    try:
        found = files.control().status().get("clients")
    except (NotRunning, Failed):
        return {}
    return {str(each.get("name")): each for each in found} if isinstance(found, list) else {}


def _document(config: ClientConfig, used: Mapping[str, Any]) -> dict[str, Any]:
    told = attrs.asdict(config, filter=lambda field, _: field.name != "key_sha256")
    today = used.get(config.name, {})
    return {**told, "today": {key: today.get(key) for key in ("requests", "tokens", "usd")}}


def _line(each: Mapping[str, Any]) -> str:
    parts = ["your own device" if each["owner_device"] else "API-key accounts only"]
    parts.append(f"pools {', '.join(each['pools'])}")
    if each["models"]:
        parts.append(f"models {', '.join(each['models'])}")
    if each["admin"]:
        parts.append("admin")
    today = each["today"]
    for key, form in (("requests", "{}"), ("tokens", "{}"), ("usd", "${:g}")):
        limit, now = each[f"daily_{key}"], today[key]
        unit = "" if key == "usd" else f" {key}"
        if limit:
            parts.append(f"{form.format(now or 0)} of {form.format(limit)}{unit} today")
        elif now:
            parts.append(f"{form.format(now)}{unit} today")
    return f"{clean(str(each['name']))}: {clean('; '.join(parts))}"
