"""`shunt dashboard`: the address of the page, and a browser to show it."""

from __future__ import annotations

import webbrowser
from urllib.parse import urlsplit

import click

from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.terminal import emit, interactive
from shunt.config.addresses import is_loopback


@click.command()
@click.option("--no-open", is_flag=True, help="Only print the address.")
@as_json
@elsewhere
@places
def dashboard(call: Invocation, url: str | None, *, no_open: bool, as_json: bool) -> None:
    """Print the dashboard's address, and open it in a browser.

    A server on another machine asks its browsers to log in: the address then holds a code that works
    once, within five minutes. For that SHUNT_KEY has to hold an admin key. Such an address is only
    printed: on a browser's command line everybody on this machine could read it.
    """
    control = open_files(call).control(url)
    local = is_loopback(urlsplit(control.url).hostname or "")
    if local:
        control.health()  # says so when nobody is there
        address = f"{control.url}/"
    else:
        address = f"{control.url}/#code={control.login_code()}"
    if as_json:
        emit({"url": address, "expires_in": None if local else 300})
        return
    click.echo(address)
    if not local:
        click.echo("Open it within five minutes; it works once.", err=True)
    elif not no_open and interactive() and not webbrowser.open(address):
        click.echo("No browser could be started here; open the address yourself.", err=True)
