"""Follows the files of other programs whose logins were imported, and adopts what they renewed.

A refresh token works once. When Claude Code renews the login it shares with shunt, the one held
here is dead; the new one is in its file. Only read, never written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

import trio
from attrs import define, field

from shunt.accounts.credential import Credential, Identity, Login
from shunt.errors import StoreError
from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.stamp import Stamp, stamp_of
from shunt.watchers.supervisor import Watcher
from shunt.watchers.worker import Worker

log = logging.getLogger(__name__)

NAME: Final = "auth-sync"
LIMIT: Final = 60.0
LOOK_EVERY: Final = 2.0
"""Seconds. A change is acted upon when the file looks the same at the next look: Claude Code keeps
the tokens and whose they are in two files, and between the two writes they do not belong together."""
READINGS: Final = 5
READ_AGAIN: Final = 0.2
"""Seconds between readings of a file that makes no sense (yet)."""


@define
class Sources:
    """The files logins were imported from."""

    parts: Parts
    worker: Worker
    looked: dict[str, Stamp | None] = field(factory=dict)
    """By source, as of the last look."""
    done: dict[str, Stamp | None] = field(factory=dict)
    """By source, the version that was dealt with."""

    async def run(self, report: Report) -> None:
        """Look every two seconds."""
        while True:
            for source, holders in self.holders().items():
                stamp = await self.worker(partial(stamp_of, Path(source)))
                before = self.looked.get(source)
                self.looked[source] = stamp
                if stamp is not None and stamp == before and stamp != self.done.get(source):
                    report.working()
                    await self.follow(source, holders)
                    self.done[source] = stamp
            report.idle(self.parts.now() + LOOK_EVERY)
            await trio.sleep(LOOK_EVERY)

    def holders(self) -> dict[str, dict[str, Login]]:
        """Accounts and their logins by the file these came from."""
        found: dict[str, dict[str, Login]] = {}
        for name in self.parts.pool.accounts:
            login = self.parts.custody.credential(name)
            # A keychain item is not a path, and is not asked for without the person.
            if isinstance(login, Login) and Path(login.imported_from).is_absolute():
                found.setdefault(login.imported_from, {})[name] = login
        return found

    async def follow(self, source: str, holders: Mapping[str, Login]) -> None:
        """Adopt what is in a file that changed. Raises StoreError when it cannot be stored here."""
        login = await self.read(source)
        if not isinstance(login, Login) or login.imported_from != source:
            return
        for name in heirs(login.identity, {name: held.identity for name, held in holders.items()}):
            if await self.parts.custody.adopt(name, login):
                log.info("%s has a newer login of %s; it is used from now on", source, name)

    async def read(self, source: str) -> Credential | None:
        """Read a login that may be in the middle of being written; None when it stays unusable."""
        complaint = ""
        for _ in range(READINGS):
            if complaint:
                await trio.sleep(READ_AGAIN)
            try:
                return await self.worker(lambda: self.parts.read_login(source))
            except StoreError as error:
                complaint = str(error)
        log.info("the login held here stays in use: %s", complaint)
        return None


def heirs(found: Identity, held: Mapping[str, Identity]) -> tuple[str, ...]:
    """Accounts that a login may belong to, of those imported from the same file.

    Where nothing says whose it is, it can only belong to the one account that came from there; with
    two of them, guessing could make one out of two.
    """
    known = tuple(name for name, identity in held.items() if is_same(found, identity))
    if known or len(held) > 1:
        return known
    return tuple(name for name, identity in held.items() if not found.contradicts(identity))


def is_same(one: Identity, other: Identity) -> bool:
    """Whether two logins are known to be of the same account."""
    return bool(one.account_id) and one.account_id == other.account_id and not one.contradicts(other)


def watch(parts: Parts) -> Watcher:
    """Return the watcher of shared logins."""
    return Watcher(NAME, Sources(parts, parts.worker()).run, LIMIT)
