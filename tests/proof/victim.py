"""A process that forks victims: each waits to be traced, does one thing to a file, and ends or is ended.

Started once, so that a victim costs a fork and not a start of Python. Speaks JSON lines: `{"do": NAME, "path":
PATH}` is answered by the victim's process id once it has stopped itself; `{"reap": true}` by how it ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from socket import socket as Socket  # noqa: N812 - a class

import trio

from shunt.accounts.succession import succeeding
from shunt.custody import Custody
from shunt.errors import ShuntError
from shunt.store.codex_login import with_successor
from shunt.store.credentials import CredentialStore
from shunt.store.shared_file import change_shared
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewal
from shunt.upstream.timeouts import Timeouts
from tests.proof.logins import NAME, T0, login
from tests.upstream.test_oauth import JSON_KIND

REFUSED = 3
"""Exit status: the work failed with an error of ours, whose text was sent."""
COMMITTED = b"\x01"
"""Sent when the vendor, here played by the victim itself, has spent the old token."""


def wait_to_be_traced() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def save(path: Path, line: Socket) -> None:
    """What a renewal does to credentials.json."""
    store = CredentialStore(path, patience=0.2)
    wait_to_be_traced()
    with store.refreshing(NAME):
        store.mark_pending(NAME, login(1).refresh.fingerprint(), T0)
        line.send(COMMITTED)
        store.put(NAME, login(2))


def put(path: Path, line: Socket) -> None:
    """One write of credentials.json."""
    store = CredentialStore(path, patience=0.2)
    wait_to_be_traced()
    store.put(NAME, login(2))


def give_back(path: Path, line: Socket) -> None:
    """One change of another program's file."""
    heir = succeeding(login(2), login(1, imported_from=str(path)))
    wait_to_be_traced()
    change_shared(path, lambda text: with_successor(text, heir, T0), pause=lambda _: None)


def refresh(path: Path, line: Socket) -> None:
    """A whole renewal: custody, threads, HTTP."""
    trio.run(_refresh, path, line.recv(1000).decode())


async def _refresh(path: Path, url: str) -> None:
    async with open_upstream(Timeouts()) as upstream, trio.open_nursery() as services:
        endpoint = TokenEndpoint(upstream, lambda: T0)
        custody = Custody(
            CredentialStore(path),
            lambda name: Renewal("c", lambda held: endpoint.refresh(held, JSON_KIND, url)),
            services,
            lambda: T0,
            lambda: 0.0,
            lambda *news: None,
        )
        await custody.load()
        wait_to_be_traced()
        await custody.refresh(NAME, login(1).access)
        services.cancel_scope.cancel()


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


WORK: dict[str, Callable[[Path, Socket], None]] = {
    "save": save,
    "put": put,
    "give back": give_back,
    "refresh": refresh,
}


def main(line: Socket) -> None:
    """Fork and reap until the other side is gone."""
    victim = 0
    for order in sys.stdin:
        wanted = json.loads(order)
        if "reap" in wanted:
            answer(os.waitstatus_to_exitcode(os.waitpid(victim, 0)[1]))
            continue
        victim = os.fork()
        if victim == 0:
            try:
                WORK[wanted["do"]](Path(wanted["path"]), line)
            except ShuntError as error:
                line.send(str(error).encode())
                os._exit(REFUSED)
            except Exception as error:  # noqa: BLE001 - told to the test
                line.send(f"{type(error).__name__}: {error}".encode())
                os._exit(1)
            os._exit(0)
        os.waitpid(victim, os.WUNTRACED)
        answer(victim)


if __name__ == "__main__":
    main(Socket(fileno=int(sys.argv[1])))
