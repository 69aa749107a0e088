"""`shunt update`: replace this program by the newest release, or go back."""

from __future__ import annotations

import os
import signal
import time
from typing import Final

import click

from shunt import __version__
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, places
from shunt.cli.terminal import emit, note
from shunt.desktop import download, feed
from shunt.desktop.form import this
from shunt.desktop.update import Updater
from shunt.errors import UpdateError
from shunt.store.lock import holder, is_owned

START_WITHIN: Final = 60.0
"""Seconds that the new version may need to serve, once the old one has given way."""
LOOK_EVERY: Final = 0.25


@click.command()
@click.option("--check", is_flag=True, help="Only say whether there is a newer version.")
@click.option("--rollback", is_flag=True, help="Go back to the version before.")
@as_json
@places
def update(call: Invocation, *, check: bool, rollback: bool, as_json: bool) -> None:
    """Replace this program by the newest release of update.feed; off until that is set.

    What was fetched must have the size and checksum that the feed announces. The version before is
    kept. A running server gives way when none of its answers is running; connections that come
    meanwhile wait, and none is refused. `shunt help update` tells more.
    """
    files = open_files(call)
    updater = Updater(this(), __version__, call.environ)
    if rollback:
        version = updater.back()
        _report(as_json=as_json, installed=version, text=f"shunt {version} is back in its place")
        _hand_over(files, updater, version)
        return
    address = files.config().update.feed
    if not address:
        raise Failed(
            "updates are off: no release feed is configured. Set update.feed in config.toml to the address of one"
        )
    release = feed.parse(download.feed(address), address)
    fresh = updater.check(release)
    if check or not fresh:
        text = (
            f"shunt {release.version} is out; this is {__version__}. `shunt update` installs it."
            if fresh
            else f"shunt {__version__} is the newest there is"
        )
        _report(as_json=as_json, available=release.version, newer=fresh, notes=release.notes, text=text)
        return
    updater.require_ours()
    note(f"fetching shunt {release.version}")
    updater.install(release)
    _report(as_json=as_json, installed=release.version, text=f"shunt {release.version} is installed")
    _hand_over(files, updater, release.version)


def _report(*, as_json: bool, text: str, **facts: object) -> None:
    if as_json:
        emit({"version": __version__, **facts})
    else:
        click.echo(text)


def _hand_over(files: Files, updater: Updater, version: str) -> None:
    """Have the running server, if there is one, make place for what is installed now."""
    owner = holder(files.places.state_dir)
    if owner is None or not is_owned(files.places.state_dir):
        return
    pid, _port = owner
    note("the running server gives way as soon as none of its answers is running")
    try:
        os.kill(pid, signal.SIGUSR2)
    except OSError as error:
        raise UpdateError(f"the running server could not be told: {error.strerror}; restart it") from None
    patience = files.config().update.patience_minutes * 60 + files.config().server.drain_seconds
    if _serves(files, version, patience + START_WITHIN):
        note(f"shunt {version} serves")
        return
    back = updater.back()
    raise UpdateError(
        f"shunt {version} did not start to serve; shunt {back} is back in its place. Start it again"
    )


def _serves(files: Files, version: str, within: float) -> bool:
    """Wait until the server is of that version; false once the time is over or nobody serves any more."""
    ends, gone = time.monotonic() + within, 0.0
    while time.monotonic() < ends:
        try:
            if files.control().status().get("version") == version:
                return True
            gone = 0.0
        except NotRunning:
            gone = gone or time.monotonic()
            if time.monotonic() - gone > START_WITHIN:
                return False
        except Failed:
            pass  # it is ending, or has just begun
        time.sleep(LOOK_EVERY)
    return False
