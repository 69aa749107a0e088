"""Listening sockets, bound before anything else starts: a taken port is known at once."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from socket import socket as Socket  # noqa: N812 - the class, beside its module
from typing import Final

from shunt.errors import ConfigError

BACKLOG: Final = 4096
"""Connections the kernel may queue. With Hypercorn's 100, a burst of 4,000 loses every fifth."""
TWINS: Final = {"127.0.0.1": "::1", "::1": "127.0.0.1"}
"""The other family's loopback address."""
PROBED_AFTER: Final = 40
PROBED_EVERY: Final = 10
PROBES: Final = 3
"""Seconds of silence after which a client is asked whether it is there, seconds between two such questions, and
how many are asked: a laptop that went to sleep does not close its connections."""
ATTEMPTS: Final = 20
"""Tries to find a port that is free in both families, when any will do."""


INHERITED: Final = "SHUNT_INHERITED_SOCKETS"
"""Variable in which a shunt that gives way names the descriptors of its listening sockets."""


def inherit(environ: Mapping[str, str], host: str, port: int) -> list[Socket]:
    """The sockets that the process before us listened on, if they are for this address; else none.

    Connections that came meanwhile wait in them: nobody was refused.
    """
    taken: list[Socket] = []
    try:
        taken += (socket.socket(fileno=int(it)) for it in environ.get(INHERITED, "").split(",") if it)
        name = host.lower()
        first = "127.0.0.1" if name == "localhost" else name
        fitting = {(address, port) for address in (first, TWINS.get(first))}
        if taken and all(
            each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and each.getsockname()[:2] in fitting
            for each in taken
        ):
            for each in taken:
                each.settimeout(0)
                each.set_inheritable(False)
            return taken
    except (OSError, ValueError):
        pass  # not sockets, or closed long ago: the variable was left over
    for each in taken:
        with suppress(OSError):
            each.close()
    return []


def listen(host: str, port: int, *, backlog: int = BACKLOG) -> list[Socket]:
    """Bind and listen; with a loopback name or address in both families, as far as they exist.

    Clients resolve `localhost` to either family. Port 0 takes a free one.
    Raises ConfigError with one line that says what is wrong and how to help it.
    """
    name = host.lower()
    first = "127.0.0.1" if name == "localhost" else name
    if first not in TWINS:
        return [_bind(first, port, backlog)]
    for attempt in range(ATTEMPTS):
        sockets = [_bind(first, port, backlog)]
        try:
            sockets.append(_bind(TWINS[first], sockets[0].getsockname()[1], backlog))
        except ConfigError as error:
            if not _taken(error):  # no such family on this machine
                return sockets
            if port or attempt == ATTEMPTS - 1:
                sockets[0].close()
                raise
            sockets[0].close()
            continue
        return sockets
    raise AssertionError  # the last attempt returns or raises


def _taken(error: ConfigError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.EADDRINUSE, errno.EACCES)


def _bind(host: str, port: int, backlog: int) -> Socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {_shown(host, port)}: {error.strerror}; see server.host"
        ) from error
    try:
        _prepare(sock)
        sock.bind(address)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise ConfigError(_problem(host, port, error)) from error
    sock.settimeout(0)
    return sock


def _prepare(sock: Socket) -> None:
    """Set what accepted connections inherit."""
    if os.name == "posix":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:  # there, the same option would let two programs share a port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", PROBED_AFTER),
        ("TCP_KEEPALIVE", PROBED_AFTER),  # macOS's name for the line above
        ("TCP_KEEPINTVL", PROBED_EVERY),
        ("TCP_KEEPCNT", PROBES),
    ):
        if hasattr(socket, option):
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _problem(host: str, port: int, error: OSError) -> str:
    where = _shown(host, port)
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        return (
            f"cannot listen on {where}: the port is in use by {holder or 'another program'}; "
            "stop it, or choose another with --port or server.port"
        )
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need more rights; choose another with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"cannot listen on {where}: this machine has no such address; see server.host"
    return f"cannot listen on {where}: {error.strerror}"


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# ── who has the port ──────────────────────────────────────────────────────────────────────────────


def holder_of(port: int) -> str:
    """Name and process id of the program that listens on a port; empty when it cannot be told.

    Linux only, and only for processes that this user may look at.
    """
    if sys.platform != "linux":
        return ""
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                name = (process / "comm").read_text().strip()
                return f"{name} (process {process.name})"
    return ""


def _listening(port: int) -> list[str]:
    """Inodes of the sockets that listen on a port."""
    found: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    found.append(fields[9])
    return found
