"""`shunt doctor` over the wire: the running server, its port, its accounts."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any

from shunt import __version__
from shunt.cli.control import Control, Foreign
from shunt.cli.exits import Failed, NotRunning
from shunt.cli.remarks import Level, Remark
from shunt.cli.render import LABELS
from shunt.cli.terminal import login_cure
from shunt.config.types import ServerConfig
from shunt.views.words import span


def server_remarks(control: Control, server: ServerConfig | None, now: float) -> Iterator[Remark]:
    """Look at the server at `control`; when none runs, whether the port of `server` could be taken."""
    try:
        control.health()
        status = control.status()
    except NotRunning:
        yield Remark(Level.NOTE, "server", f"none is running at {control.url}", "shunt run")
        if server is not None:
            yield from _port(server)
        return
    except Foreign as error:
        yield Remark(Level.FAULT, "server", error.message)
        return
    except Failed as error:
        yield Remark(Level.FAULT, "server", error.message)
        return
    yield from _version(control, str(status.get("version", "")))
    yield from _readiness(control)
    yield from _watchers(status.get("watchers"))
    for account in status.get("accounts") or ():
        yield account_remark(account, now)


def _version(control: Control, version: str) -> Iterator[Remark]:
    if version == __version__:
        yield Remark(Level.FINE, "server", f"running at {control.url}")
        return
    yield Remark(
        Level.WARNING,
        "server",
        f"{control.url} runs version {version or 'unknown'}, and this command is {__version__}",
        "Restart it: stop it with Ctrl-C or SIGTERM, then `shunt run`.",
    )


def _readiness(control: Control) -> Iterator[Remark]:
    try:
        ready = control.ready()
    except Failed as error:
        yield Remark(Level.WARNING, "readiness", error.message)
        return
    for reason in ready.get("reasons") or ():
        yield Remark(Level.WARNING, "readiness", str(reason), "shunt status")
    if ready.get("ready"):
        yield Remark(Level.FINE, "readiness", "every family of models has an account that can serve")


def _port(server: ServerConfig) -> Iterator[Remark]:
    """Try to listen where the server would."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.host, server.port))
        except OSError as error:
            yield Remark(
                Level.FAULT,
                "port",
                f"cannot listen on {server.host} port {server.port}: {error.strerror or error}",
                "Choose another server.port or server.host in config.toml.",
            )
            return
    yield Remark(Level.FINE, "port", f"{server.port} on {server.host} is free")


def _watchers(watchers: Any) -> Iterator[Remark]:
    for watcher in watchers if isinstance(watchers, list) else ():
        if watcher.get("degraded"):
            says = f"is not well: {watcher.get('last_error') or 'it gives no sign of life'}"
            cure = "It is started again by itself; the log says more."
            yield Remark(Level.WARNING, f"watcher {watcher.get('name')!s}", says, cure)


def account_remark(account: Mapping[str, Any], now: float) -> Remark:
    """What the server says of one account, and what cures it."""
    name, state = str(account.get("name")), str(account.get("status"))
    about = f"account {name}"
    if state == "available":
        return Remark(Level.FINE, about, "available")
    if state == "reauth_required":
        login = account.get("subscription") is not False
        return Remark(Level.FAULT, about, LABELS[state], login_cure(name, login=login), login=login)
    if state == "disabled":
        return Remark(Level.NOTE, about, "is paused")
    until = account.get("cooldown_until_ms")
    left = f", {span(until / 1000 - now)} left" if isinstance(until, int | float) else ""
    return Remark(Level.NOTE, about, f"{state}{left}")
