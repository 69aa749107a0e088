"""`shunt exec`: run one command pointed at shunt, and change no file for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from attrs import frozen

from shunt.cli.child_environment import changed, cleaned, direct
from shunt.cli.companion import NOT_FOUND, NOT_RUNNABLE, run
from shunt.cli.control import Control
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, places
from shunt.cli.private_server import private_server
from shunt.cli.terminal import clean, note
from shunt.connect import CLIENTS
from shunt.connect.base import Client, Machine, Target, variables
from shunt.store.files import read_private
from shunt.store.locations import PROOF_FILE

PROOF_LIMIT = 256
"""Bytes."""


@frozen
class Start:
    """A command as it will be started."""

    words: tuple[str, ...]
    environ: Mapping[str, str]
    told: str = ""
    """What its user should know first; empty when there is nothing."""


@click.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--account", metavar="NAME", help="Use this account and no other.")
@click.argument("command", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@places
@click.pass_context
def exec_(ctx: click.Context, call: Invocation, command: tuple[str, ...], account: str | None) -> None:
    """Run COMMAND pointed at shunt, and end with its status.

    It joins the shunt that runs on this machine, or starts one of its own on a free port for as long as the
    command runs. No settings are changed: `shunt exec -- claude`.
    """
    files = open_files(call)
    with (
        _server(files) as control,
        _pass(files, control, command, account) as target,
        TemporaryDirectory(prefix="shunt-exec-") as scratch,
    ):
        start = prepared(command, call.environ, target, Path(scratch))
        if start.told:
            note(clean(start.told))
        try:
            status = run(start.words, start.environ)
        except OSError as error:
            note(f"Cannot run {clean(command[0])}: {(error.strerror or str(error)).lower()}")
            status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE
    ctx.exit(status)


def prepared(command: Sequence[str], environ: Mapping[str, str], target: Target, scratch: Path) -> Start:
    """What to start: the words, with arguments of ours where the program needs some, and the environment."""
    client = client_of(command[0])
    set_ = client.environment(target) if client and client.environment else variables(target)
    home = environ.get("HOME") or environ.get("USERPROFILE") or str(scratch)
    machine = Machine(environ, Path(home), Path.cwd())
    extra = client.arguments(machine, target, scratch) if client else ()
    words = (command[0], *extra, *command[1:])
    detours = "; ".join(client.detours(machine)) if client else ""
    told = f"{client.title}: {detours}." if client and detours else ""
    return Start(words, direct(changed(cleaned(environ), set_)), told)


def client_of(program: str) -> Client | None:
    """The client that a program is, told by its name."""
    name = Path(program).name.lower()
    for ending in (".exe", ".cmd", ".ps1"):
        name = name.removesuffix(ending)
    return next((client for client in CLIENTS if name in client.programs), None)


@contextmanager
def _server(files: Files) -> Iterator[Control]:
    """The server that runs, or one for the time of the block."""
    control = files.control()
    try:
        control.health()
    except NotRunning:
        with private_server(files) as private:
            yield private
    else:
        yield control


@contextmanager
def _pass(files: Files, control: Control, command: Sequence[str], account: str | None) -> Iterator[Target]:
    """A key for this command alone. Raises Failed when there is no such account."""
    proof = read_private(files.places.state_dir / PROOF_FILE, limit=PROOF_LIMIT) or b""
    key = control.make_pass(Path(command[0]).name, account, proof.decode("ascii", "replace"))
    try:
        yield Target(control.url, key)
    finally:
        with suppress(Failed):  # it ends with the server at the latest
            control.end_pass(key)
