"""`shunt status`: the running pool at a glance, once or again and again.

A shell prompt calls `--line` at every command: what it does not need is not imported.
"""
# ruff: noqa: PLC0415 - importing late is what keeps a prompt fast

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from shunt.cli.control import KEY_VARIABLE, Control
from shunt.cli.exits import NOT_RUNNING, Failed, NotRunning
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.quick import quick_status
from shunt.cli.terminal import clean, console, emit
from shunt.views.line import DEFAULT, FIELDS, line, unknown_fields

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@click.command()
@as_json
@click.option("--watch", is_flag=True, help="Show it again and again until Ctrl-C.")
@click.option(
    "--every",
    type=click.FloatRange(0.2, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: how often.",
)
@click.option("--line", "as_line", is_flag=True, help="One short line, for a shell prompt or a status bar.")
@click.option(
    "--format",
    "pattern",
    metavar="TEXT",
    help=f"One line of your own, with fields in braces: {', '.join(FIELDS)}.",
)
@elsewhere
@places
@click.pass_context
def status(
    ctx: click.Context,
    call: Invocation,
    every: float,
    url: str | None,
    pattern: str | None,
    *,
    as_json: bool,
    watch: bool,
    as_line: bool,
) -> None:
    """Show how the accounts stand: windows, cooldowns, pin, strategy, watchers, savings."""
    if as_line or pattern is not None:
        if as_json or watch:
            raise click.UsageError("--line and --format go with neither --json nor --watch.")
        ctx.exit(_line(call, url, DEFAULT if pattern is None else pattern))
    from shunt.cli.files import open_files

    control = open_files(call).control(url)
    if watch:
        _watch(call, control, every, as_json=as_json)
    elif as_json:
        emit(control.status())
    else:
        screen = console(sys.stdout, call.environ)
        screen.print(_view(call, control, screen))


def _line(call: Invocation, url: str | None, pattern: str) -> int:
    """Print the line; returns the exit code. Without a server it says so in as few words."""
    if unknown := unknown_fields(pattern):
        raise click.UsageError(f"There is no field {{{unknown[0]}}}. Fields: {', '.join(FIELDS)}.")
    found = quick_status(call, url, key=call.environ.get(KEY_VARIABLE, ""))
    if found is None:
        from shunt.cli.files import open_files

        try:
            found = open_files(call).control(url).status()
        except NotRunning:
            click.echo("shunt is off")
            return NOT_RUNNING
    click.echo(clean(line(found, call.now(), pattern)))
    return 0


def _view(call: Invocation, control: Control, screen: Console) -> RenderableType:
    from shunt.cli.render import status_view

    return status_view(control.status(), call.now(), ascii_only=screen.options.ascii_only)


def _watch(call: Invocation, control: Control, every: float, *, as_json: bool) -> None:
    """Until Ctrl-C. The first look must succeed; later ones wait for a server that restarts."""
    if as_json:
        _watch_documents(call, control, every)
        return
    screen = console(sys.stdout, call.environ)
    view = _view(call, control, screen)
    try:
        if screen.is_terminal:
            from rich.live import Live

            with Live(view, console=screen, auto_refresh=False) as live:
                while True:
                    call.pause(every)
                    live.update(_view_or_reason(call, control, screen), refresh=True)
        while True:  # a pipe or a file gets one picture after the other
            screen.print(view)
            call.pause(every)
            view = _view_or_reason(call, control, screen)
    except KeyboardInterrupt:
        return  # the usual way to end it


def _view_or_reason(call: Invocation, control: Control, screen: Console) -> RenderableType:
    from rich.text import Text

    try:
        return _view(call, control, screen)
    except Failed as error:
        return Text(error.message, "yellow")


def _watch_documents(call: Invocation, control: Control, every: float) -> None:
    """One JSON object per line."""
    try:
        emit(control.status(), compact=True)
        while True:
            call.pause(every)
            emit(control.status(), compact=True)
    except KeyboardInterrupt:
        return
