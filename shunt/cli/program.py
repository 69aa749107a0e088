"""The `shunt` command: global options, the list of subcommands, and how everything ends.

A subcommand's module is imported when it runs and not before: `shunt --version` and `shunt --help`
answer without the server, the HTTP client or the table printer.
"""
# ruff: noqa: PLC0415 - importing late is this module's purpose

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click
from attrs import frozen

from shunt import __version__
from shunt.cli.exits import FAILED, FINE, INTERRUPTED, plain_errors
from shunt.cli.invocation import Invocation, of_process
from shunt.config.spelling import nearest


@frozen
class Entry:
    """One subcommand: listed without being imported."""

    name: str
    about: str
    load: Callable[[], click.Command]


def _run() -> click.Command:
    from shunt.cli.run import run

    return run


def _status() -> click.Command:
    from shunt.cli.status import status

    return status


def _dashboard() -> click.Command:
    from shunt.cli.dashboard import dashboard

    return dashboard


def _monitor() -> click.Command:
    from shunt.cli.monitor import monitor

    return monitor


def _accounts() -> click.Command:
    from shunt.cli.accounts import accounts

    return accounts


def _add_account() -> click.Command:
    from shunt.cli.add_account import add_account

    return add_account


def _remove_account() -> click.Command:
    from shunt.cli.remove_account import remove_account

    return remove_account


def _logout() -> click.Command:
    from shunt.cli.logout import logout

    return logout


def _export() -> click.Command:
    from shunt.cli.transfer import export

    return export


def _import() -> click.Command:
    from shunt.cli.transfer import import_accounts

    return import_accounts


def _setup() -> click.Command:
    from shunt.cli.setup import setup

    return setup


def _use() -> click.Command:
    from shunt.cli.steering import use

    return use


def _strategy() -> click.Command:
    from shunt.cli.steering import strategy

    return strategy


def _model() -> click.Command:
    from shunt.cli.steering import model

    return model


def _config() -> click.Command:
    from shunt.cli.config import config

    return config


def _connect() -> click.Command:
    from shunt.cli.connect import connect

    return connect


def _exec() -> click.Command:
    from shunt.cli.exec import exec_

    return exec_


def _tray() -> click.Command:
    from shunt.cli.tray import tray

    return tray


def _menubar() -> click.Command:
    from shunt.cli.tray import menubar

    return menubar


def _client() -> click.Command:
    from shunt.cli.clients import client

    return client


def _doctor() -> click.Command:
    from shunt.cli.doctor import doctor

    return doctor


def _history() -> click.Command:
    from shunt.cli.history import history

    return history


def _explain() -> click.Command:
    from shunt.cli.explain import explain

    return explain


def _forecast() -> click.Command:
    from shunt.cli.ahead import forecast

    return forecast


def _simulate() -> click.Command:
    from shunt.cli.ahead import simulate_command

    return simulate_command


def _logs() -> click.Command:
    from shunt.cli.logs import logs

    return logs


def _service() -> click.Command:
    from shunt.cli.service import service

    return service


def _update() -> click.Command:
    from shunt.cli.update import update

    return update


def _report() -> click.Command:
    from shunt.cli.report import report

    return report


def _completions() -> click.Command:
    from shunt.cli.completions import completions

    return completions


def _help() -> click.Command:
    from shunt.cli.help import show_help

    return show_help


COMMANDS = (
    Entry("run", "Serve in the foreground; --demo needs no account.", _run),
    Entry("setup", "Find what this machine has, and make accounts of it.", _setup),
    Entry("status", "How the accounts stand: windows, cooldowns, savings.", _status),
    Entry("dashboard", "Open the page that shows it all in a browser.", _dashboard),
    Entry("monitor", "Watch and steer it all in the whole terminal.", _monitor),
    Entry("accounts", "Which accounts there are and where their secrets are kept.", _accounts),
    Entry("add-account", "Add an API key, or a login of your own; log in anew.", _add_account),
    Entry("remove-account", "Take an account out of the pool and forget its secret.", _remove_account),
    Entry("logout", "End an account's login at its vendor, and forget it.", _logout),
    Entry("export", "Write accounts into an encrypted file, to move them elsewhere.", _export),
    Entry("import", "Take accounts out of such a file.", _import),
    Entry("use", "Send everything to one account, or back to automatic choice.", _use),
    Entry("strategy", "Show or change how accounts are chosen.", _strategy),
    Entry("connect", "Point Claude Code, Codex, opencode … at shunt, and back.", _connect),
    Entry("model", "Show or set the model that is served whatever clients ask for.", _model),
    Entry("explain", "Why a request went where it went, or where the next would go.", _explain),
    Entry("history", "Past requests, and what they add up to.", _history),
    Entry("forecast", "When each usage window runs dry at the present pace.", _forecast),
    Entry("simulate", "Replay the recorded days with another strategy or other accounts.", _simulate),
    Entry("logs", "The log, and with -f what is added to it.", _logs),
    Entry("exec", "Run one command pointed at shunt; no file is changed for it.", _exec),
    Entry("client", "Keys for the programs and machines that may call.", _client),
    Entry("tray", "The accounts in the panel, with a menu.", _tray),
    Entry("menubar", "The accounts as text for xbar, SwiftBar or waybar.", _menubar),
    Entry("config", "Where config.toml is, what it says, whether it is right.", _config),
    Entry("doctor", "Examine files, configuration, server and accounts.", _doctor),
    Entry("service", "Have the system run shunt from log-in or boot on.", _service),
    Entry("update", "Replace this program by the newest release; off by default.", _update),
    Entry("report", "Gather what a bug report needs, without secrets.", _report),
    Entry("completions", "Print a completion script for your shell.", _completions),
    Entry("help", "Explain a command or a topic.", _help),
)

FORMER_NAMES = {"start": "run", "add": "add-account", "remove": "remove-account"}
"""What the first program of this name called them."""


class Program(click.Group):
    """A group that knows its subcommands' names and loads only the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order people meet them, not of the alphabet."""
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Import one subcommand."""
        return next((entry.load() for entry in COMMANDS if entry.name == cmd_name), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the subcommands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.about) for entry in COMMANDS])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or name the nearest one."""
        name = args[0]
        names = self.list_commands(ctx)
        if name not in names and not name.startswith("-"):
            near = FORMER_NAMES.get(name) or nearest(name, names)
            hint = f" Did you mean `shunt {near}`?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the global options; what is wrong with them is said without a traceback."""
        with plain_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; errors raised on purpose end as one line and an exit code."""
        with plain_errors():
            return super().invoke(ctx)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 1 failed, 2 usage, 3 no server running, 4 needs login.",
)
@click.version_option(__version__, "-V", "--version", message="shunt %(version)s")
@click.option("--home", metavar="DIR", help="Keep every file of shunt under DIR (like SHUNT_HOME).")
@click.option("--config", metavar="FILE", help="Read this config.toml.")
@click.pass_context
def program(ctx: click.Context, home: str | None, config: str | None) -> None:
    """Spread your coding agents over your own accounts, behind one local endpoint.

    Start with `shunt run --demo`, which needs no account.
    """
    call = ctx.obj if isinstance(ctx.obj, Invocation) else of_process()
    ctx.obj = call.at(home, config)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line (default: this process's) and return its exit code.

    Never a traceback on the terminal: what nobody expected goes to the log file.
    """
    _harden()
    argv = list(sys.argv[1:] if args is None else args)
    try:
        code = program.main(argv, prog_name="shunt", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader (`| head`) has gone
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last net of the program
        if isinstance(error, OSError) and (why := _unwritable()):
            _drop_output()
            click.echo(f"Cannot write the output: {why}.", err=True)
            return FAILED
        from shunt.cli.crash import recorded

        click.echo(recorded(error, argv, of_process().environ), err=True)
        return FAILED
    return code if isinstance(code, int) else FINE


def _unwritable() -> str:
    """Why stdout takes nothing, such as a full disk; empty when it does."""
    try:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), b"\n")  # unbuffered, what failed is forgotten
    except OSError as error:
        return (error.strerror or "unknown error").lower()
    return ""


def _drop_output() -> None:
    """Send what stdout still holds nowhere: Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _harden() -> None:
    """Make what this process leaves behind private, and its output printable anywhere."""
    os.umask(0o077)
    with contextlib.suppress(ImportError, ValueError, OSError):
        # A core file would hold every token in memory.
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Started with it closed: the next file that is opened would take its number.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for good
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            # An account may be named with letters that a Latin-1 terminal does not have.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
