"""What goes to the terminal: one JSON object, or text that suits the place it is read in."""

from __future__ import annotations

import json
import shlex
import sys
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

SCHEMA = 1
"""Version of every `--json` document; it grows when a field is removed or changes its meaning."""
PIPED_WIDTH = 200
"""Columns for text that goes to a file or a pipe, where nothing wraps."""

# Left-to-right and right-to-left marks, embeddings, overrides and isolates: they can make one name
# look like another. Joiners stay, since emoji are built with them.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """`text` as it may be shown: control characters and text-direction marks are escaped."""
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if char in _DIRECTIONS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        else char
        for char in text
    )


def word(name: str) -> str:
    """A name as it has to be typed in a command that we suggest."""
    return shlex.quote(clean(name))


def login_cure(name: str, *, login: bool) -> str:
    """What a person does about an account that has nothing to show to its vendor.

    Args:
        name: the account.
        login: it lives on a login; else on an API key.
    """
    if login:
        return f"log in anew: shunt add-account {word(name)} --login"
    return f"see `shunt accounts` for where its key should be, or shunt remove-account {word(name)} and add it anew"


def emit(document: Mapping[str, Any], *, compact: bool = False) -> None:
    """Print one JSON object, its schema version first. ASCII, so that no locale can break it."""
    click.echo(json.dumps({"schema": SCHEMA, **document}, indent=None if compact else 2))


def note(text: str) -> None:
    """Say something on stderr, beside the command's result."""
    click.echo(text, err=True)


def interactive() -> bool:
    """Whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def draw(view: RenderableType, environ: Mapping[str, str]) -> None:
    """Print tables and cards: coloured and fitted on a terminal, plain text elsewhere."""
    console(sys.stdout, environ).print(view)


def console(stream: TextIO, environ: Mapping[str, str]) -> Console:
    """Return a rich console that guesses nothing: no markup, no emoji codes, no highlighting."""
    from rich.console import Console  # noqa: PLC0415 - only commands that draw pay for it

    plain = bool(environ.get("NO_COLOR")) or not stream.isatty()
    return Console(
        file=stream,
        # With no colour system nothing is styled at all: NO_COLOR readers expect no bold either.
        color_system=None if plain else "auto",
        width=None if stream.isatty() else PIPED_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
    )
