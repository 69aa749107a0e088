"""`shunt remove-account`: take an account out of the pool and forget its secret."""

from __future__ import annotations

import click

from shunt.cli.enrolment import Enrolment
from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, places
from shunt.cli.reloading import told_server
from shunt.cli.terminal import clean, interactive, note
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted


@click.command("remove-account")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
def remove_account(call: Invocation, name: str, *, yes: bool) -> None:
    """Take the account NAME out of config.toml and forget its key or login.

    The vendor is not told: a key stays valid until you delete it there, a login until you end it
    (`shunt logout NAME`, before this).
    """
    files = open_files(call)
    enrolment = Enrolment(files)
    names = [*dict.fromkeys([*(each.name for each in files.config().accounts), *files.credentials.load()])]
    found = next((each for each in names if folded(each) == folded(name)), None)
    if found is None:
        raise Failed(f"There is no account {quoted(name)}{hint(name, names)}.")
    question = f"Remove {clean(found)} and forget its secret?"
    if not yes and interactive() and not click.confirm(question, default=False, err=True):
        raise Failed("Nothing was removed.")
    had_secret = enrolment.remove(found)
    forgotten = "its secret is forgotten" if had_secret else "shunt kept no secret of it"
    click.echo(f"Removed: {clean(found)}; {forgotten}.")
    note(told_server(files, found, present=False))
