"""`shunt logs`: the log for people, its end first, and what is added to it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.terminal import clean, console, emit
from shunt.store.log_lines import LEVELS, Follower, tail

EVERY = 0.5
"""Seconds between two looks with -f."""
STYLES = {"debug": "dim", "warning": "yellow", "error": "red", "critical": "bold red"}
SHOWN = ("at", "level", "logger", "message", "traceback")
"""Fields that have a place of their own."""


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    help="Lines to begin with.",
)
@click.option("--level", type=click.Choice(list(LEVELS)), default="debug", help="Only this level and above.")
@as_json
@elsewhere
@places
def logs(call: Invocation, lines: int, level: str, url: str | None, *, follow: bool, as_json: bool) -> None:
    """Show the log of the server. With --json one object per line.

    Reads the file, so it works without a server; with --url it asks one for its last lines.
    """
    files = open_files(call)
    if url is not None:
        if follow:
            raise click.UsageError("-f reads the log's file; it does not go with --url.")
        asked = f"/debug/logs?limit={max(1, min(lines, 500))}&level={level}"
        _show(call, files.control(url).get(asked).get("lines", []), as_json=as_json)
        return
    path = files.places.log_file
    follower = Follower(path)
    try:
        _show(call, tail(path, lines, LEVELS[level]) if lines else [], as_json=as_json)
    except FileNotFoundError:
        if not follow:
            raise Failed(f"There is no log yet ({path}): `shunt run` writes it.") from None
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.") from error
    try:
        while follow:
            call.pause(EVERY)
            fresh = [
                line for line in follower.more() if LEVELS.get(str(line.get("level")), 0) >= LEVELS[level]
            ]
            _show(call, fresh, as_json=as_json)
    except KeyboardInterrupt:
        return  # the usual way to end it


def _show(call: Invocation, lines: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for line in lines:
            emit(line, compact=True)
        sys.stdout.flush()
        return
    screen = console(sys.stdout, call.environ)
    for line in lines:
        screen.print(in_words(line), style=STYLES.get(str(line.get("level")), ""), soft_wrap=True)


def in_words(line: Mapping[str, Any]) -> str:
    """One line for people."""
    at = line.get("at")
    when = ""
    if isinstance(at, int | float):
        when = datetime.fromtimestamp(at, tz=UTC).astimezone().strftime("%d %b %H:%M:%S")
    facts = (
        f"{key}={value}"
        for key, value in line.items()
        if key not in SHOWN and value not in (None, "", 0, False)
    )
    told = f"{when} {line.get('level', ''):7} {line.get('message', '')} {' '.join(facts)}".rstrip()
    trace = line.get("traceback")
    return clean(told) + (f"\n{_indented(str(trace))}" if trace else "")


def _indented(text: str) -> str:
    return "\n".join(f"    {clean(row)}" for row in text.splitlines())
