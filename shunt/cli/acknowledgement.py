"""Stating a vendor's terms before a login is stored, once per provider."""

from __future__ import annotations

import json

import click

from shunt.cli.exits import Failed
from shunt.cli.files import Files
from shunt.cli.terminal import interactive, note
from shunt.cli.terms import TERMS
from shunt.errors import StoreError
from shunt.store.files import read_private, write_private

FILE = "terms.json"
"""In the state folder: which terms a person has agreed to, `{provider: edition}`. Without it they
are shown again."""
LIMIT = 64 * 1024


def agree(files: Files, provider: str, *, yes: bool) -> None:
    """Show what the vendor says, unless a person has agreed to this text before.

    On a terminal a person decides; elsewhere the text is printed and things go on.

    Raises:
        Failed: the person said no.
    """
    terms = TERMS.get(provider)
    if terms is None or _agreed(files).get(provider) == terms.edition:
        return
    note(terms.text)
    if not interactive() and not yes:
        return  # nobody read it; the next person is shown it again
    if not yes and not click.confirm("Store this login?", default=False, err=True):
        raise Failed("Nothing was stored.")
    _remember(files, provider, terms.edition)


def _agreed(files: Files) -> dict[str, str]:
    try:
        found = json.loads(read_private(files.places.state_dir / FILE, limit=LIMIT) or b"{}")
    except (StoreError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(files: Files, provider: str, edition: str) -> None:
    try:
        write_private(
            files.places.state_dir / FILE, json.dumps({**_agreed(files), provider: edition}).encode()
        )
    except StoreError as error:
        note(f"{error}. The terms will be shown again next time.")
