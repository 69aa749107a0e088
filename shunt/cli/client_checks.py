"""`shunt doctor` about the clients that were connected: do their settings still say so, does anything win over them."""

from __future__ import annotations

from collections.abc import Iterator

from shunt.cli.connect import pointing_of
from shunt.cli.exits import Failed
from shunt.cli.files import Files
from shunt.cli.remarks import Level, Remark
from shunt.connect import CLIENTS
from shunt.connect.base import Target
from shunt.connect.pointing import Condition
from shunt.errors import ShuntError


def client_remarks(files: Files, url: str) -> Iterator[Remark]:
    """Look at every connection.

    Args:
        files: of the shunt on this machine.
        url: where that shunt is.
    """
    try:
        pointing = pointing_of(files)
        conditions = list(pointing.conditions())
    except (Failed, ShuntError) as error:
        yield Remark(Level.WARNING, "clients", str(error))
        return
    for condition in conditions:
        yield _remark(condition, url)
    for client in CLIENTS:
        mine = [each for each in conditions if each.connection.client == client.name]
        if mine:
            for conflict in client.conflicts(pointing.machine, Target(mine[0].connection.url)):
                says, _, cure = conflict.partition(": ")
                yield Remark(Level.NOTE, f"client {client.name}", says, cure)


def _remark(condition: Condition, url: str) -> Remark:
    connection = condition.connection
    about = f"client {connection.client}"
    again = f"shunt connect {connection.client}"
    if condition.trouble:
        return Remark(Level.WARNING, about, condition.trouble, again)
    if condition.drift:
        changed = ", ".join(condition.drift)
        says = f"{connection.file} no longer says what shunt wrote there: {changed}"
        return Remark(Level.WARNING, about, says, f"{again}, or {again} --undo")
    if connection.url != url:
        says = f"points at {connection.url}, and this shunt is at {url}"
        return Remark(Level.NOTE, about, says, again)
    return Remark(Level.FINE, about, f"points at {connection.url} ({connection.file})")
