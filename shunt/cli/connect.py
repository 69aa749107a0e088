"""`shunt connect`: point Claude Code, Codex, opencode … at shunt, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from shunt.cli.client_target import target_of
from shunt.cli.exits import Failed, masked
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.terminal import clean, emit, interactive, note
from shunt.config.spelling import hint
from shunt.connect import CLIENTS
from shunt.connect.base import Client, Machine, Target, variables
from shunt.connect.exports import SHELLS, exports, shell_of
from shunt.connect.journal import NAME, Journal
from shunt.connect.plan import difference
from shunt.connect.pointing import Condition, Ending, Pointing, Step, Undone

ENV = "env"
"""In place of a client: lines for a shell."""


@click.command()
@click.argument("name", metavar="[CLIENT|env]", required=False)
@click.option("--undo", is_flag=True, help="Take back what connect wrote.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the change and write nothing.")
@click.option("--key-stdin", "from_stdin", is_flag=True, help="Read the client's key from stdin.")
@click.option("--shell", type=click.Choice(tuple(SHELLS)), help="For env: whose words to use.")
@as_json
@elsewhere
@places
def connect(
    call: Invocation,
    name: str | None,
    url: str | None,
    shell: str | None,
    *,
    undo: bool,
    yes: bool,
    dry_run: bool,
    from_stdin: bool,
    as_json: bool,
) -> None:
    """Point a program at shunt: claude, codex, opencode, aider, cline, vscode or zed.

    The change is shown first, and `--undo` takes it back exactly. `env` prints lines for a shell instead.
    Without a name: which programs are connected.
    """
    files = open_files(call)
    pointing = pointing_of(files)
    if name is None:
        _list(pointing, as_json=as_json)
        return
    if name == ENV:
        _exports(files, shell, url, from_stdin=from_stdin)
        return
    client = _known(name)
    if undo:
        _undo(pointing, client, yes=yes, as_json=as_json)
        return
    target = target_of(files, url, from_stdin=from_stdin)
    steps = pointing.prepare(client, target)
    warnings = list(client.conflicts(pointing.machine, target))
    if as_json:
        _agree(steps, yes=yes, dry_run=dry_run)
    else:
        _show(client, target, steps, warnings)
    wrote = any(step.changes for step in steps)
    if not dry_run and (as_json or not wrote or _agree(steps, yes=yes, dry_run=dry_run)):
        for step in steps:
            pointing.carry_out(step, keyed=target.keyed)
    if as_json:
        emit(_document(client, target, steps, warnings, written=not dry_run))
    elif not dry_run:
        _report(client, target, wrote=wrote)


def pointing_of(files: Files) -> Pointing:
    """What connects clients of this user. Raises Failed without a home directory."""
    environ = files.call.environ
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if not home:
        raise Failed("The environment names no home directory (HOME).")
    machine = Machine(environ, Path(home), Path.cwd())
    return Pointing(Journal(files.places.state_dir / NAME), machine)


def _known(name: str) -> Client:
    names = [client.name for client in CLIENTS]
    found = next((client for client in CLIENTS if client.name == name.casefold()), None)
    if found is None:
        raise click.BadParameter(
            f"no client is called {clean(name)!r}{hint(name, (*names, ENV))} Known: {', '.join((*names, ENV))}.",
            param_hint="CLIENT",
        )
    return found


# ── Connecting ────────────────────────────────────────────────────────────────────────────────────


def _show(client: Client, target: Target, steps: Sequence[Step], warnings: Sequence[str]) -> None:
    for step in steps:
        if not step.changes:
            click.echo(f"{clean(str(step.file))} says so already.")
            continue
        told = difference(step.change, str(step.file)).replace(target.key.reveal(), _shown(target))
        for line in masked(told).splitlines():
            click.echo(clean(line))
    for warning in warnings:
        note(f"Note: {clean(warning)}.")
    if not warnings:
        note(f"Nothing else that {client.title} reads gets in the way.")


def _shown(target: Target) -> str:
    return "***" if target.keyed else target.key.reveal()


def _agree(steps: Sequence[Step], *, yes: bool, dry_run: bool) -> bool:
    """Ask, if there is anything to ask and anybody to answer. Raises Failed."""
    if yes or dry_run or not any(step.changes for step in steps):
        return True
    if not interactive():
        raise Failed("Nothing was written: say --yes, since nobody can be asked here.")
    if not click.confirm("Write this?", default=True, err=True):
        raise Failed("Nothing was written.")
    return True


def _report(client: Client, target: Target, *, wrote: bool) -> None:
    done = "points at" if wrote else "pointed already at"
    click.echo(f"{client.title} {done} {target.url}. Undo: shunt connect {client.name} --undo")
    if client.afterwards:
        note(client.afterwards.format(url=target.url, versioned=target.versioned))


def _document(
    client: Client, target: Target, steps: Sequence[Step], warnings: Sequence[str], *, written: bool
) -> dict[str, Any]:
    return {
        "client": client.name,
        "url": target.url,
        "written": written,
        "files": [{"path": str(step.file), "changed": step.changes} for step in steps],
        "conflicts": list(warnings),
    }


# ── Undoing ───────────────────────────────────────────────────────────────────────────────────────


def _undo(pointing: Pointing, client: Client, *, yes: bool, as_json: bool) -> None:
    conditions = list(pointing.conditions(client.name))
    if not conditions:
        raise Failed(f"shunt has not connected {client.title} here; there is nothing to undo.")
    if not yes and interactive():
        names = ", ".join(clean(str(each.connection.file)) for each in conditions)
        if not click.confirm(f"Take shunt's settings out of {names}?", default=True, err=True):
            raise Failed("Nothing was changed.")
    undone = list(pointing.undo(client.name))
    if as_json:
        emit({"client": client.name, "files": [_ending(each) for each in undone]})
        return
    for each in undone:
        click.echo(f"{clean(str(each.file))}: {each.ending}.")
        if each.kept:
            note(f"  Left, since somebody has changed it after shunt: {clean(', '.join(each.kept))}.")


def _ending(undone: Undone) -> dict[str, Any]:
    return {
        "path": str(undone.file),
        "exact": undone.ending in (Ending.RESTORED, Ending.REMOVED),
        "says": str(undone.ending),
        "kept": list(undone.kept),
    }


# ── Looking ───────────────────────────────────────────────────────────────────────────────────────


def _list(pointing: Pointing, *, as_json: bool) -> None:
    found = list(pointing.conditions())
    if as_json:
        emit({"clients": [_state(client, found) for client in CLIENTS]})
        return
    for client in CLIENTS:
        mine = [each for each in found if each.connection.client == client.name]
        click.echo(f"{client.name:<9} {client.title}: {'; '.join(map(_standing, mine)) or 'not connected'}")
    note("\nConnect one with `shunt connect NAME`; `shunt connect env` prints lines for a shell.")


def _state(client: Client, found: Sequence[Condition]) -> dict[str, Any]:
    mine = [each for each in found if each.connection.client == client.name]
    return {
        "name": client.name,
        "title": client.title,
        "connected": bool(mine),
        "files": [
            {
                "path": str(each.connection.file),
                "url": each.connection.url,
                "drift": list(each.drift),
                "trouble": each.trouble,
            }
            for each in mine
        ],
    }


def _standing(condition: Condition) -> str:
    where = f"at {clean(condition.connection.url)} ({clean(str(condition.connection.file))})"
    if condition.trouble:
        return f"{where}, {clean(condition.trouble)}"
    if condition.drift:
        return f"{where}, changed since: {clean(', '.join(condition.drift))}"
    return where


def _exports(files: Files, shell: str | None, url: str | None, *, from_stdin: bool) -> None:
    target = target_of(files, url, from_stdin=from_stdin)
    words = shell or shell_of(files.call.environ, sys.platform)
    for line in _lines(words, target):
        click.echo(line)


def _lines(shell: str, target: Target) -> Iterator[str]:
    yield from exports(shell, variables(target))
    if sys.stdout.isatty():
        source = {"fish": "shunt connect env | source", "powershell": "shunt connect env | Out-String | iex"}
        call = source.get(shell, 'eval "$(shunt connect env)"')
        yield f"# Run this to use it: {call}"
