"""`shunt monitor`: the full-screen view, of this machine's server or another one."""

from __future__ import annotations

import sys
from typing import TextIO

import click

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, elsewhere, places


@click.command()
@click.option("--key-stdin", is_flag=True, help="Read the admin key from standard input.")
@click.option("--key-file", type=click.File("r"), metavar="FILE", help="Read the admin key from FILE.")
@elsewhere
@places
def monitor(call: Invocation, url: str | None, key_file: TextIO | None, *, key_stdin: bool) -> None:
    """Watch and steer the pool in the whole terminal. q leaves.

    Arrows choose an account; p pins it, u unpins, space pauses, c clears its cooldown, s changes the
    strategy, e tells why a request went where it went, 1 to 5 turn the pages.

    A server on another machine wants an admin key: in SHUNT_KEY, or by --key-file or --key-stdin.
    """
    control = open_files(call).control(url)
    key = control.key
    if key_file is not None:
        key = Secret(key_file.read().strip())
    elif key_stdin:
        key = Secret(sys.stdin.readline().strip())
        _take_terminal_back()
    if not sys.stdout.isatty():
        raise Failed("The monitor needs a terminal; `shunt status --watch` does without.")
    from shunt.tui.app import Monitor  # noqa: PLC0415 - a second of imports that --help does without

    app = Monitor(control.url, key, call.now)
    app.run()
    if app.failure is not None:
        raise app.failure  # the last net of the program says so in one line and keeps the rest in the log


def _take_terminal_back() -> None:
    """After the key has come through a pipe, keys of the keyboard have to come from the terminal."""
    try:
        terminal = open("/dev/tty", encoding="utf-8")  # noqa: SIM115, PTH123 - for the rest of the process
    except OSError as error:
        raise Failed("There is no terminal to read the keyboard from; use --key-file.") from error
    sys.stdin = sys.__stdin__ = terminal  # type: ignore[misc]  # textual reads the latter
