"""Follows the files of other programs whose logins were imported, and keeps both sides in step.

A refresh token works once. When the other program renews the login it shares with shunt, the one held
here is dead; the new one is in its file, and is adopted. The other way round, custody writes a renewed
login back where that can be done (`store.foreign_logins`); what it could not write is written here, later.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import trio
from attrs import define, field

from shunt.accounts.credential import Credential, Identity, Login
from shunt.accounts.succession import is_spent
from shunt.errors import StoreError
from shunt.watchers.bell import Bell
from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.stamp import Stamp, stamp_of
from shunt.watchers.supervisor import Watcher, describe
from shunt.watchers.worker import Worker

log = logging.getLogger(__name__)

NAME: Final = "auth-sync"
LIMIT: Final = 60.0
LOOK_AGAIN: Final = 2.0
"""Seconds. A change is acted upon when the file looks the same at the next look: Claude Code keeps
the tokens and whose they are in two files, and between the two writes they do not belong together."""
POLL_EVERY: Final = 300.0
"""Seconds after which everything is read whether a change was heard of or not: network file systems and
containers tell of none."""
POLL_DEAF: Final = 10.0
"""Seconds between looks where the system cannot tell of changes at all."""
READINGS: Final = 5
READ_AGAIN: Final = 0.2
"""Seconds between readings of a file that makes no sense (yet)."""


@define(eq=False)
class Sources:
    """The files logins were imported from."""

    parts: Parts
    worker: Worker
    bell: Bell = field(factory=Bell)
    """Rung when one of the files changed."""
    looked: dict[str, Stamp | None] = field(factory=dict)
    """By source, as of the last look."""
    done: dict[str, Stamp | None] = field(factory=dict)
    """By source, the version that was dealt with."""
    sources: tuple[str, ...] = ()
    """As of the last look for files to listen to."""
    watched: frozenset[Path] = frozenset()
    deaf: bool = False
    """The system does not tell of changes."""

    async def run(self, report: Report) -> None:
        """Look when a change is heard of, and every five minutes."""
        async with trio.open_nursery() as listeners:
            listening, poll_at = trio.CancelScope(), 0.0
            look = True
            while True:
                sources = tuple(self.holders())
                if look or sources != self.sources:
                    files, self.sources = await self.worker(partial(files_behind, sources)), sources
                    if files != self.watched:
                        listening.cancel()
                        listening, self.watched, look = trio.CancelScope(), files, True
                        listeners.start_soon(self.listen, files, listening)
                if trio.current_time() >= poll_at:
                    self.done.clear()
                    look, poll_at = True, trio.current_time() + POLL_EVERY
                if (look or self.deaf) and await self.look(report):
                    look = False
                report.idle(self.parts.now() + LOOK_AGAIN)
                pause = POLL_DEAF if self.deaf and not look else LOOK_AGAIN
                look |= await self.bell.within(pause)

    async def look(self, report: Report) -> bool:
        """Deal with files that changed; whether there is nothing more to do for now."""
        settled = True
        for source, holders in self.holders().items():
            stamp = await self.worker(partial(stamp_of, Path(source)))
            before = self.looked.get(source)
            self.looked[source] = stamp
            if stamp is None or stamp == self.done.get(source):
                continue
            if stamp != before:
                settled = False
                continue
            report.working()
            await self.follow(source, holders)
            self.done[source] = stamp
        return settled

    async def listen(self, files: Collection[Path], scope: trio.CancelScope) -> None:
        """Have the bell rung at changes, as long as the scope is not cancelled."""
        self.deaf = False
        if not files:
            return
        with scope:
            try:
                await self.parts.lookout(files, self.bell.ring)
            except* Exception as group:  # noqa: BLE001 - whatever it is: looking now and then goes on
                log.info("changes are looked for every %g s instead: %s", POLL_DEAF, describe(group))
            # Whether it failed or ended: nothing is heard any more.
            self.deaf = True

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
            if is_spent(login, holders[name]):
                await self.give_back(name)
            elif await self.parts.custody.adopt(name, login):
                log.info("%s has a newer login of %s; it is used from now on", source, name)

    async def give_back(self, name: str) -> None:
        """Let the other program have the login that lives; if that fails, again at the next look at everything."""
        try:
            await self.parts.custody.give_back(name)
        except StoreError as error:
            log.info("the login of %s is written back later: %s", name, error)

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


def files_behind(sources: Collection[str]) -> frozenset[Path]:
    """The files to listen to: each source that has a folder, and what it leads to if it is a link. Blocks."""
    found: set[Path] = set()
    for source in map(Path, sources):
        try:
            found |= {path for path in (source, source.resolve()) if path.parent.is_dir()}
        except (OSError, RuntimeError):  # a circle of links
            continue
    return frozenset(found)


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
    return Watcher(NAME, _lives(parts), LIMIT)


def _lives(parts: Parts) -> Callable[[Report], Awaitable[None]]:
    """Every life of the watcher begins with a look at everything."""
    worker = parts.worker()
    return lambda report: Sources(parts, worker).run(report)
