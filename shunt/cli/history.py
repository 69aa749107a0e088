"""`shunt history`: which request went where, what it used, and what it all adds up to."""

from __future__ import annotations

import sys
from typing import Any

import click

from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.past import Lookback, is_moment, parameters_of
from shunt.cli.past_views import requests_view, sums_view
from shunt.cli.terminal import console, draw, emit
from shunt.store.history_search import GROUPINGS, MOST


@click.command()
@click.option("--account", multiple=True, metavar="NAME", help="Of this account (may be repeated).")
@click.option("--model", multiple=True, metavar="MODEL", help="Of this model; `*` stands for anything.")
@click.option("--client", multiple=True, metavar="NAME", help="Of this client key.")
@click.option("--conversation", multiple=True, metavar="KEY", help="Of this conversation, or so beginning.")
@click.option("--status", multiple=True, metavar="STATUS", help="429, 4xx, 5xx, or `error`.")
@click.option("--outcome", multiple=True, metavar="WORD", help="served, refused, client_gone, cut, failed.")
@click.option("--since", metavar="WHEN", help="From then on: 24h, 7d, 2026-11-27, or epoch seconds.")
@click.option("--until", metavar="WHEN", help="Until then.")
@click.option(
    "--by",
    metavar="WHAT",
    help=f"Add up instead, by one or two of {', '.join(GROUPINGS)} (`day,account`).",
)
@click.option(
    "-n", "--limit", type=click.IntRange(1, MOST), default=20, show_default=True, help="Most requests shown."
)
@click.option("--before", metavar="CURSOR", help="With --json: go on where `next` of the page before says.")
@as_json
@elsewhere
@places
def history(call: Invocation, url: str | None, *, as_json: bool, **options: Any) -> None:
    """Show past requests, newest first, or what they add up to.

    Works without a running server, too: the history is a file.
    """
    for name in ("since", "until"):
        if options[name] and not is_moment(options[name], call.now()):
            raise click.BadParameter("give 24h, 7d, a date or epoch seconds", param_hint=f"--{name}")
    by = tuple(word.strip() for word in (options["by"] or "").split(",") if word.strip())
    if len(by) > 2 or any(word not in GROUPINGS for word in by):
        raise click.BadParameter(f"one or two of {', '.join(GROUPINGS)}", param_hint="--by")
    found = Lookback(open_files(call), url).history(parameters_of(options))
    if as_json:
        emit(found)
    elif by:
        draw(sums_view(found), call.environ)
    else:
        screen = console(sys.stdout, call.environ)
        screen.print(requests_view(found, screen.width))
