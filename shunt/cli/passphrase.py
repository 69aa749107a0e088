"""Asking for a passphrase: at the terminal, from a pipe or a file; never from the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed
from shunt.cli.terminal import interactive
from shunt.store.files import read_private

SHORTEST = 8
LONGEST = 4096


def passphrase(file: str | None, *, from_stdin: bool, new: bool) -> Secret:
    """Return the passphrase; a new one is asked for twice.

    Raises:
        click.UsageError: nobody says where it comes from.
        Failed: it is empty, or too short to protect logins.
        StoreError: the file cannot be read.
    """
    if file is not None and from_stdin:
        raise click.UsageError("--passphrase-file and --passphrase-stdin exclude each other.")
    if file is not None:
        found = read_private(Path(file), limit=LONGEST, follow=True)
        if found is None:
            raise Failed(f"There is no file {file}.")
        return _checked(found.decode("utf-8", "replace"), new=new)
    if from_stdin:
        return _checked(sys.stdin.readline(LONGEST), new=new)
    if not interactive():
        raise click.UsageError(
            "Nobody is there to type the passphrase: give --passphrase-stdin or --passphrase-file FILE."
        )
    return _checked(click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True), new=new)


def _checked(text: str, *, new: bool) -> Secret:
    text = text.strip("\r\n")
    if not text:
        raise Failed("The passphrase is empty.")
    if new and len(text) < SHORTEST:
        raise Failed(
            f"The passphrase needs at least {SHORTEST} characters; a few words are easy to remember."
        )
    return Secret(text)
