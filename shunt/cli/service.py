"""`shunt service`: have the system run shunt from log-in or boot on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import click

from shunt import __version__
from shunt.cli.exits import NOT_RUNNING
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, borrowed_root, places
from shunt.cli.terminal import clean, emit, note
from shunt.config.overrides import PREFIX
from shunt.desktop.form import Form, command, form_of, require_readable, this
from shunt.desktop.launchd import Launchd
from shunt.desktop.scheduled_task import TaskScheduler
from shunt.desktop.service import Done, Manager, Service
from shunt.desktop.systemd import SystemSystemd, UserSystemd
from shunt.desktop.systemd_unit import STATE
from shunt.desktop.versions import Versions
from shunt.errors import ServiceError

SHARED_DATA = Path("/opt/shunt")
"""Where a service of the whole machine keeps versions."""
PASSED_ON = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME")
"""Variables that say where files are; the service has to look in the same places."""
PATIENCE = 120
"""Seconds for one command of the service manager: a stop waits for running streams."""

whole_machine = click.option(
    "--system", "system", is_flag=True, help="For the whole machine, from boot on (systemd; needs root)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def service() -> None:
    """Have the system run shunt: from log-in on, or from boot on with --system.

    On Linux a systemd unit, on macOS a launchd agent, on Windows a scheduled task. A service that was
    stopped stays stopped until `start`, or until the next log-in; `uninstall` ends it for good.
    """


@service.command()
@whole_machine
@places
def install(call: Invocation, *, system: bool) -> None:
    """Install the service and start it. The one-file program unpacks itself into a folder first."""
    if borrowed_root(call.environ) and not system:
        raise ServiceError(
            "this would be a service of root; without sudo it is yours, with --system the machine's"
        )
    files = open_files(call.at(STATE, None) if system else call)
    manager = manager_of(call, system=system)
    made = _service(call, files, system=system)
    lines = manager.install(made)
    click.echo(f"shunt is a service of {manager.name} now, and runs: {clean(' '.join(made.command))}")
    for line in lines:
        click.echo(line)


@service.command()
@whole_machine
@places
def uninstall(call: Invocation, *, system: bool) -> None:
    """Stop the service and remove it; accounts, settings and history stay."""
    manager = manager_of(call, system=system)
    there = manager.uninstall()
    versions = _versions(call, system=system)
    # The program that runs may be one of them: then it stays, as the command it was before.
    if form_of(this()) is not Form.MANAGED:
        versions.remove()
    click.echo(f"removed from {manager.name}" if there else "there was no service")


@service.command()
@whole_machine
@places
def start(call: Invocation, *, system: bool) -> None:
    """Start the service; returns when it serves."""
    manager_of(call, system=system).start()
    click.echo("started")


@service.command()
@whole_machine
@places
def stop(call: Invocation, *, system: bool) -> None:
    """Stop the service; running streams may finish first."""
    manager_of(call, system=system).stop()
    click.echo("stopped")


@service.command()
@whole_machine
@as_json
@places
@click.pass_context
def status(ctx: click.Context, call: Invocation, *, system: bool, as_json: bool) -> None:
    """Say how the service stands; exit code 3 when it does not run."""
    manager = manager_of(call, system=system)
    standing = manager.standing()
    if as_json:
        emit({"manager": manager.name, **attrs.asdict(standing)})
    elif not standing.installed:
        click.echo("not installed; `shunt service install` does that")
    else:
        pid = f", process {standing.pid}" if standing.pid else ""
        starts = "starts by itself" if standing.enabled else "does not start by itself"
        click.echo(f"{'running' if standing.running else 'stopped'}{pid}, {starts}: {standing.detail}")
    if not standing.running:
        ctx.exit(NOT_RUNNING)


def manager_of(call: Invocation, *, system: bool) -> Manager:
    """The service manager of this machine. Raises ServiceError when there is none that we know."""
    run = runner(call)
    home = Path(call.environ.get("HOME") or "~").expanduser()
    if system and sys.platform != "linux":
        raise ServiceError("--system is for systemd; here the service is the user's: leave it out")
    if sys.platform == "darwin":
        return Launchd(run, home / "Library" / "LaunchAgents", os.getuid())
    if sys.platform == "win32":
        user = "\\".join(filter(None, (call.environ.get("USERDOMAIN"), call.environ.get("USERNAME", ""))))
        return TaskScheduler(run, user)
    if shutil.which("systemctl", path=call.environ.get("PATH")) is None:
        raise ServiceError(
            "there is no systemd here. Have whatever starts programs on this machine run: shunt run"
        )
    if system:
        return SystemSystemd(run, is_root=os.geteuid() == 0)
    configured = call.environ.get("XDG_CONFIG_HOME") or str(home / ".config")
    return UserSystemd(run, Path(configured) / "systemd" / "user")


def runner(call: Invocation) -> Callable[[tuple[str, ...]], Done]:
    """Runs the service manager's own programs."""

    def run(words: tuple[str, ...]) -> Done:
        try:
            done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - no shell, our own words
                words,
                env=dict(call.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except FileNotFoundError:
            raise ServiceError(f"there is no program {words[0]} here") from None
        except subprocess.TimeoutExpired:
            raise ServiceError(f"{' '.join(words)} did not end within {PATIENCE} s") from None
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def _service(call: Invocation, files: Files, *, system: bool) -> Service:
    config = files.config()  # what cannot be read now would not start as a service either
    found = this()
    if form_of(found) is Form.FILE and sys.platform != "win32":
        versions = _versions(call, system=system)
        if versions.current() != __version__:
            note(f"unpacking shunt {__version__} into {versions.root}")
            versions.adopt_bundle(found, __version__)
            versions.switch(__version__)
        program: tuple[str, ...] = (str(versions.program),)
    else:
        program = command(found)
    if system:
        require_readable(Path(program[0]))
        return Service((*program, "run", "--home", STATE), STATE, {}, config.server.drain_seconds)
    environ = {name: call.environ[name] for name in PASSED_ON if call.environ.get(name)}
    if sys.platform == "darwin" and call.environ.get("PATH"):
        environ["PATH"] = call.environ["PATH"]  # launchd's own has neither Homebrew nor npm
    _warn_of_variables(call)
    home = files.places.home
    arguments: list[Any] = ["--home", home] if home else []
    if call.config:
        arguments += ["--config", files.places.config_file]
    return Service(
        (*program, "run", *map(str, arguments)),
        str(files.places.log_file.parent),
        environ,
        config.server.drain_seconds,
    )


def _versions(call: Invocation, *, system: bool) -> Versions:
    return Versions.below(SHARED_DATA if system else open_files(call).places.history_file.parent)


def _warn_of_variables(call: Invocation) -> None:
    """Name the settings that stay behind in this shell."""
    left = sorted(name for name, value in call.environ.items() if value and name.startswith(PREFIX))
    left = [name for name in left if name != "SHUNT_HOME"]
    if left:
        note(
            f"set in this shell only, the service does not see them: {', '.join(left)}; put them into config.toml"
        )
