"""`shunt doctor`: examine files, packages, configuration, server, accounts and clock."""

from __future__ import annotations

import os
from collections.abc import Iterator

import attrs
import click

from shunt.accounts.credential import Login
from shunt.cli.accounts import holding_of
from shunt.cli.client_checks import client_remarks
from shunt.cli.control import Control, address
from shunt.cli.file_checks import path_remarks
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, borrowed_root, elsewhere, places
from shunt.cli.package_checks import package_remarks
from shunt.cli.remarks import Level, Remark, exit_code
from shunt.cli.render import remarks_view
from shunt.cli.server_checks import server_remarks
from shunt.cli.terminal import draw, emit, login_cure, word
from shunt.cli.vendor_checks import vendor_remarks
from shunt.config.exposure import bind_problem, bind_warning
from shunt.config.types import AccountConfig, Config
from shunt.errors import ConfigError, ShuntError
from shunt.providers import provider_named
from shunt.providers.accounts import account_from
from shunt.store.config import holds_secret
from shunt.store.credential_format import StoredCredential


@click.command()
@click.option("--offline", is_flag=True, help="Do not look whether the vendors can be reached.")
@as_json
@elsewhere
@places
@click.pass_context
def doctor(ctx: click.Context, call: Invocation, url: str | None, *, offline: bool, as_json: bool) -> None:
    """Examine files, configuration, server, accounts, network and clock, and say what to do.

    Nothing is changed. Exit code 1 when something is wrong, 4 when only logins are missing.
    """
    remarks = list(examined(open_files(call), url, offline=offline))
    if as_json:
        emit({"ok": exit_code(remarks) == 0, "remarks": [attrs.asdict(remark) for remark in remarks]})
    else:
        draw(remarks_view(remarks), call.environ)
    ctx.exit(exit_code(remarks))


def examined(files: Files, url: str | None, *, offline: bool) -> Iterator[Remark]:
    """Everything there is to say, from the disk outwards."""
    if os.name == "posix" and os.geteuid() == 0:
        yield Remark(
            Level.WARNING if borrowed_root(files.call.environ) else Level.NOTE,
            "user",
            "you are root; files that are made now belong to root",
        )
    config: Config | None = None
    try:
        config = files.config()
    except ConfigError as error:
        for problem in error.problems:
            yield Remark(Level.FAULT, "config", problem, "Edit it; `shunt config check` looks again.")
    except ShuntError as error:
        yield Remark(Level.FAULT, "config", str(error))
    yield from _on_disk(files, config)
    yield from package_remarks()
    stored: dict[str, StoredCredential] | None = None
    try:
        stored = files.credentials.load()
    except ShuntError as error:
        yield Remark(Level.FAULT, "credentials", str(error))
    if config is not None:
        yield from _configuration(files, config)
        if stored is not None:
            yield from _secrets(files, config, stored)
    control = files.control(url)
    yield from client_remarks(files, control.url)
    yield from server_remarks(control, config.server if config else None, files.call.now())
    if config is not None and not offline:
        yield from _upstreams(files, config, control)


def _on_disk(files: Files, config: Config | None) -> Iterator[Remark]:
    places = files.places
    secret = config is None or holds_secret(config)
    folders = dict.fromkeys((places.credentials_file.parent, places.state_dir, places.history_file.parent))
    for folder in folders:
        yield from path_remarks(folder, secret=True)
    yield from path_remarks(places.config_file, secret=secret)
    store = files.credentials
    for path in (store.path, store.backup, places.state_file, places.history_file, places.log_file):
        yield from path_remarks(path, secret=True)


def _configuration(files: Files, config: Config) -> Iterator[Remark]:
    there = files.places.config_file.exists()
    count = len(config.accounts)
    yield Remark(
        Level.FINE if there else Level.NOTE,
        "config",
        f"{files.places.config_file!s}: "
        + (f"{count} account{'s' * (count != 1)}" if there else "not there"),
        "" if count else "shunt add-account NAME",
    )
    if problem := bind_problem(config):
        yield Remark(Level.FAULT, "config", problem)
    if warning := bind_warning(config):
        yield Remark(Level.WARNING, "config", warning)
    for key in config.ignored:
        yield Remark(Level.NOTE, "config", f"{key} has no meaning here and is ignored")
    own = address(config.server)
    for account in config.accounts:
        if account.upstream_url.startswith(own):
            yield Remark(
                Level.FAULT,
                f"account {account.name}",
                "its upstream_url is shunt's own address: requests would go round in circles",
                "Name the vendor's address, or leave it out.",
            )


def _secrets(files: Files, config: Config, stored: dict[str, StoredCredential]) -> Iterator[Remark]:
    """Does every account have a credential, and is it shared with anybody?"""
    for account in config.accounts:
        yield from _secret(files, account, stored.get(account.name))
    known = {account.name for account in config.accounts}
    for name in stored.keys() - known:
        yield Remark(
            Level.NOTE,
            "credentials",
            f"there is a secret of {name}, which is no account any more",
            f"shunt remove-account {word(name)}",
        )


def _secret(files: Files, account: AccountConfig, entry: StoredCredential | None) -> Iterator[Remark]:
    about = f"account {account.name}"
    credential = entry.credential if entry else None
    holding = holding_of(account, credential, files)
    provider = provider_named(account.provider)
    if not holding.secret and not provider.key_optional:
        login = provider.login is not None
        cure = login_cure(account.name, login=login)
        yield Remark(Level.FAULT, about, "has no key and no login", cure, login=login)
    elif holding.kept_in.startswith("$") and not files.call.environ.get(account.api_key_env):
        yield Remark(
            Level.WARNING, about, f"{holding.kept_in} is not set here", "Set it where `shunt run` is started."
        )
    if isinstance(credential, Login) and credential.imported_from and credential.refresh:
        yield Remark(
            Level.NOTE,
            about,
            f"shares its login with another program ({credential.imported_from})",
            "Use that program through shunt only, so that one of the two renews the login.",
        )
    if entry is not None and entry.pending is not None:
        yield Remark(
            Level.WARNING, about, "a renewal of its login was cut off; it may have to be imported anew"
        )


def _upstreams(files: Files, config: Config, control: Control) -> Iterator[Remark]:
    """Each address once. Our own is left out: that loop was told already."""
    asked: set[tuple[str, str]] = set()
    for account in config.accounts:
        try:
            base = account_from(account, config.endpoints, subscription=False).base_url
        except ShuntError as error:
            yield Remark(Level.FAULT, f"account {account.name}", str(error))
            continue
        if (base, account.proxy) not in asked and not base.startswith(control.url):
            asked.add((base, account.proxy))
            yield from vendor_remarks(base, account.proxy, files.call.now)
