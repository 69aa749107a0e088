"""`shunt tray` and `shunt menubar`: the accounts in the panel, on Linux, macOS and Windows."""

from __future__ import annotations

import sys
import time
import webbrowser
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

import click
from attrs import define, field

from shunt.cli.child_environment import cleaned
from shunt.cli.companion import started_aside
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, elsewhere, places
from shunt.cli.private_server import server_command, server_on
from shunt.cli.terminal import note
from shunt.desktop.menu import Menu, menu_of
from shunt.desktop.menubar import FORMS, setup
from shunt.desktop.tray import Tray, Trouble

TERMINALS = ("x-terminal-emulator", "gnome-terminal", "konsole", "xfce4-terminal", "xterm")
"""Where a login can be gone on with, on Linux; the first that is there."""


@define(eq=False)
class Desk:
    """The server, as the tray deals with it."""

    files: Files
    url: str | None
    stack: ExitStack = field(factory=ExitStack)
    """Ends what the tray has started."""

    def status(self) -> Mapping[str, Any]:
        """The `/status` document. Raises Trouble."""
        found: Mapping[str, Any] = self._asked(lambda: self.files.control(self.url).status())
        return found

    def use(self, account: str | None) -> None:
        """Pin one account, or none."""
        self._asked(lambda: self.files.control(self.url).use(account))

    def pause(self, account: str) -> None:
        """Take an account out of use."""
        self._asked(lambda: self.files.control(self.url).pause(account))

    def resume(self, account: str) -> None:
        """Take it back."""
        self._asked(lambda: self.files.control(self.url).resume(account))

    def login(self, account: str) -> None:
        """Open a terminal in which the login goes on."""
        words = server_command(["add-account", account, "--login"])
        environ = cleaned(self.files.call.environ)
        if sys.platform == "darwin":
            script = f'tell application "Terminal" to do script {_applescript(words)}'
            tries = [["osascript", "-e", script]]
        elif sys.platform == "win32":
            tries = [["cmd", "/c", "start", "", *words]]
        else:
            tries = [[terminal, "-e", *words] for terminal in TERMINALS]
        for command in tries:
            with suppress(OSError):
                started_aside(command, environ)
                return
        raise Trouble(f"Run this in a terminal: shunt add-account {account} --login")

    def dashboard(self) -> None:
        """Open the dashboard in the browser."""
        if not webbrowser.open(f"{self.files.control(self.url).url}/"):
            raise Trouble(f"Open {self.files.control(self.url).url}/ in a browser.")

    def start(self) -> None:
        """Start a server, for as long as the tray runs. Raises Trouble."""

        def started() -> None:
            self.stack.enter_context(server_on(self.files, None))

        self._asked(started)

    @staticmethod
    def _asked(ask: Any) -> Any:
        try:
            return ask()
        except NotRunning as error:
            raise Trouble("shunt is not running") from error
        except Failed as error:
            raise Trouble(error.message) from error


def _applescript(words: list[str]) -> str:
    import shlex  # noqa: PLC0415 - macOS only

    line = shlex.join(words).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{line}"'


@click.command()
@elsewhere
@places
def tray(call: Invocation, url: str | None) -> None:
    """Show the accounts in the panel: windows, pin, pause, login, dashboard.

    A process of its own that asks the running shunt; if none runs, it starts one and ends it with itself.
    """
    desk = Desk(open_files(call), url)
    with desk.stack:
        if url is None:
            with suppress(Trouble):
                try:
                    desk.status()
                except Trouble:
                    desk.start()
        _shown(desk, call)


def _shown(desk: Desk, call: Invocation) -> None:
    """Show it by the way that fits this system. Raises Failed when there is none."""
    if sys.platform.startswith("linux"):
        from shunt.desktop.status_item import NoDesktop, supported  # noqa: PLC0415 - Linux only

        if supported(call.environ):
            try:
                _on_bus(desk)
            except NoDesktop as error:
                note(f"No panel over D-Bus: {error}")
            else:
                return
    _by_toolkit(desk)


def _on_bus(desk: Desk) -> None:
    import trio  # noqa: PLC0415 - this command alone

    from shunt.desktop.status_item import NoDesktop, StatusItem  # noqa: PLC0415 - Linux only

    async def main() -> None:
        shown = Tray(desk, lambda menu: item.show(menu), time.time)  # noqa: PLW0108 - bound below
        item = StatusItem(shown.choose, menu_of(None, time.time()))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(item.run)
            nursery.start_soon(_remark, item.announced)
            await shown.run()
            nursery.cancel_scope.cancel()

    try:
        trio.run(main)
    except* NoDesktop as errors:
        raise NoDesktop(str(errors.exceptions[0])) from None
    except* KeyboardInterrupt:
        raise click.Abort from None


async def _remark(announced: Any) -> None:
    import trio  # noqa: PLC0415 - this command alone

    with trio.move_on_after(5):
        await announced.wait()
        return
    note(
        "No panel has taken the icon yet. GNOME needs its extension “AppIndicator and KStatusNotifierItem Support”; "
        "other panels need their status tray. It will appear as soon as one does."
    )


def _by_toolkit(desk: Desk) -> None:
    """Through pystray, which owns the main thread; the looking goes on in another one."""
    import threading  # noqa: PLC0415 - this way alone

    import trio  # noqa: PLC0415 - this command alone

    from shunt.desktop.pystray_icon import NoToolkit, PystrayIcon  # noqa: PLC0415 - likewise

    async def show(menu: Menu) -> None:
        icon.show(menu)
        await trio.lowlevel.checkpoint()

    async def look() -> None:
        tokens.append(trio.lowlevel.current_trio_token())
        await shown.run()
        icon.stop()

    tokens: list[trio.lowlevel.TrioToken] = []
    shown = Tray(desk, show, time.time)
    icon = PystrayIcon(
        lambda action: tokens[0].run_sync_soon(shown.choose, action), menu_of(None, time.time())
    )
    thread = threading.Thread(target=trio.run, args=(look,), daemon=True)
    try:
        thread.start()
        icon.run()
    except NoToolkit as error:
        raise Failed(
            f"There is no way to show an icon here ({error}). Install shunt with its extra `tray`, or let your "
            "bar run `shunt menubar` (see `shunt help tray`)."
        ) from None


@click.command()
@click.option("--format", "form", type=click.Choice(tuple(FORMS)), default="xbar", help="Which bar reads it.")
@click.option("--setup", "show_setup", is_flag=True, help="Print what to put where for that bar.")
@click.option("--pause", metavar="NAME", help="Take an account out of use.")
@click.option("--resume", metavar="NAME", help="Take it back into use.")
@click.option("--dashboard", is_flag=True, help="Open the dashboard.")
@click.option("--start", is_flag=True, help="Start shunt in the background.")
@elsewhere
@places
def menubar(
    call: Invocation,
    url: str | None,
    form: str,
    pause: str | None,
    resume: str | None,
    *,
    show_setup: bool,
    dashboard: bool,
    start: bool,
) -> None:
    """Print the accounts for a bar that runs commands: xbar, SwiftBar or waybar.

    The other options are what its menu calls back.
    """
    desk = Desk(open_files(call), url)
    program = server_command([])
    try:
        if pause:
            desk.pause(pause)
        elif resume:
            desk.resume(resume)
        elif dashboard:
            desk.dashboard()
        elif start:
            started_aside(server_command(["run"]), cleaned(call.environ))
        elif show_setup:
            click.echo(setup(form, program))
        else:
            click.echo(FORMS[form](_menu(desk, call), program))
    except Trouble as error:
        raise Failed(str(error)) from error


def _menu(desk: Desk, call: Invocation) -> Menu:
    try:
        return menu_of(desk.status(), call.now())
    except Trouble as error:
        return menu_of(None, call.now(), str(error))
