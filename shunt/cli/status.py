"""`shunt status`: the running pool at a glance, once or again and again."""

from __future__ import annotations

import sys

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from shunt.cli.control import Control
from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.render import status_view
from shunt.cli.terminal import console, emit


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
@elsewhere
@places
def status(call: Invocation, every: float, url: str | None, *, as_json: bool, watch: bool) -> None:
    """Show how the accounts stand: windows, cooldowns, pin, strategy, watchers, savings."""
    control = open_files(call).control(url)
    if watch:
        _watch(call, control, every, as_json=as_json)
    elif as_json:
        emit(control.status())
    else:
        screen = console(sys.stdout, call.environ)
        screen.print(_view(call, control, screen))


def _view(call: Invocation, control: Control, screen: Console) -> RenderableType:
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
