"""The disk side of custody: credentials are written so that a spent refresh token always has its heir.

A login that the disk refuses is kept in hand and written as soon as the disk takes it. Blocking calls
run in threads; those that may be overtaken look up what is newest when they run, not when they were
asked for.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import trio
from attrs import define, field, frozen

from shunt.accounts.credential import Credential, Login
from shunt.accounts.succession import same_secrets
from shunt.errors import StoreError
from shunt.store.credential_format import StoredCredential

log = logging.getLogger(__name__)
T = TypeVar("T")

MARK_WITHIN: Final = 3.0
"""Seconds the mark may take; it explains a loss and does not prevent one."""
SAVE_WITHIN: Final = 10.0
"""Seconds the disk has to take a credential before it is handed out unsaved."""
SAVE_AGAIN: Final = 10.0
"""Seconds between attempts to save what the disk refused."""

Accounts = Mapping[str, StoredCredential]


class CredentialKeeper(Protocol):
    """Where credentials are kept: `CredentialStore`, or memory in tests. Every method blocks."""

    def load(self) -> dict[str, StoredCredential]:
        """Everything stored. Raises StoreError."""

    def update(self, change: Callable[[Accounts], Accounts], /) -> dict[str, StoredCredential]:
        """Change what is stored; durable once it returns. Raises StoreError."""

    def put(self, name: str, credential: Credential, /) -> None:
        """Store one, which ends a pending refresh. Raises StoreError."""

    def remove(self, name: str, /) -> bool:
        """Forget one; whether it was there. Raises StoreError."""

    def mark_pending(self, name: str, fingerprint: str, at: float, /) -> None:
        """Note that a refresh token is about to be spent. Raises StoreError."""

    def clear_pending(self, name: str, /) -> None:
        """Note that it was not. Raises StoreError."""

    def refreshing(self, name: str, /) -> AbstractContextManager[None]:
        """Keep other processes from renewing this account's login; StoreError while they do."""


class Run(Protocol):
    """Does blocking work without blocking the program."""

    async def __call__(self, work: Callable[[], T], *, abandon: bool = False) -> T:
        """Return what `work` returns; with `abandon` a cancelled caller does not wait for it."""


def in_threads(limiter: trio.CapacityLimiter) -> Run:
    """Do it in threads, as many at a time as the limiter allows."""

    async def run(work: Callable[[], T], *, abandon: bool = False) -> T:
        return await trio.to_thread.run_sync(work, abandon_on_cancel=abandon, limiter=limiter)

    return run


@frozen
class Unsaved:
    """A credential that the disk has not taken yet."""

    credential: Credential
    before: Credential | None
    """What it replaces on disk; None for whatever is there."""

    def is_overtaken_by(self, there: Credential) -> bool:
        """Whether somebody else has put another one there: a person who logged in, another shunt."""
        known = (self.before or there, self.credential)
        return not any(same_secrets(there, each) for each in known)


@define(eq=False)
class Vault:
    """Reads and writes stored credentials. The caller sees to it that nobody writes one account twice at once."""

    _store: CredentialKeeper
    run: Run
    _spawn: Callable[..., None]
    """Starts a task that outlives the caller."""
    _unsaved: dict[str, Unsaved] = field(factory=dict)
    """What is to be written as soon as the disk takes it, by account. Read by the writing threads."""
    troubles: dict[str, str] = field(factory=dict)
    """Why the disk does not take it, by account, in words for people."""

    def behind(self, name: str) -> bool:
        """Whether the disk still has an older credential of this account than custody."""
        return name in self._unsaved

    def give_way(self, name: str, entry: StoredCredential | None) -> bool:
        """Drop what was to be saved if somebody else has changed the account on disk; whether nothing is left."""
        waiting = self._unsaved.get(name)
        if waiting is not None and (entry is None or waiting.is_overtaken_by(entry.credential)):
            self._settled(name)
        return name not in self._unsaved

    async def load(self) -> dict[str, StoredCredential]:
        """Everything stored. Raises StoreError."""
        return await self.run(self._store.load)

    async def put(self, name: str, credential: Credential) -> None:
        """Store a credential, or raise StoreError and leave everything as it is."""
        await self.run(partial(self._store.put, name, credential))
        self._settled(name)

    async def remove(self, name: str) -> bool:
        """Forget a credential; whether there was one. Raises StoreError."""
        there = await self.run(partial(self._store.remove, name))
        self._settled(name)
        return there

    async def save(self, name: str, credential: Credential, before: Credential | None = None) -> Credential:
        """Store a credential that must not be lost: now, or else again and again until it is stored.

        Returns once it is durable, or after ten seconds at most; cancellation does not shorten that.

        Args:
            name: The account.
            credential: What is to be stored.
            before: What it is to replace. If something else is on disk by now, a person or another process
                has put it there, and it stays.

        Returns:
            What counts now: `credential`, or what somebody else has stored meanwhile.
        """
        waiting = self._unsaved.get(name)
        self._unsaved[name] = Unsaved(credential, waiting.before if waiting else before)
        theirs = await self._try(name)
        if self.behind(name):
            self._spawn(self._try_again, name)
        return theirs or credential

    async def flush(self) -> None:
        """Try once more, at shutdown, to store what the disk refused."""
        for name in list(self._unsaved):
            await self._try(name)

    async def mark(self, name: str, login: Login, at: float) -> None:
        """Note on disk that the login's refresh token is about to be spent, if the disk takes it."""
        await self._note(partial(self._store.mark_pending, name, login.refresh.fingerprint(), at))

    async def unmark(self, name: str) -> None:
        """Note that it was not spent."""
        await self._note(partial(self._store.clear_pending, name))

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep other processes from renewing this account's login. Raises StoreError while one does."""
        return self.guarded(self._store.refreshing(name))

    @asynccontextmanager
    async def guarded(self, guard: AbstractContextManager[None]) -> AsyncIterator[None]:
        """Hold a lock whose taking and giving back block. Raises StoreError while it cannot be had."""
        await self.run(guard.__enter__)
        try:
            yield
        finally:
            with trio.move_on_after(SAVE_WITHIN) as scope:
                scope.shield = True
                await self.run(partial(guard.__exit__, None, None, None))

    def _settled(self, name: str) -> None:
        self._unsaved.pop(name, None)
        self.troubles.pop(name, None)

    async def _try(self, name: str) -> Credential | None:
        """Write what is newest; what was found in its place, if that has been replaced by somebody else."""
        wanted = self._unsaved.get(name)
        theirs: list[Credential] = []

        def change(accounts: Accounts) -> Accounts:
            newest = self._unsaved.get(name)
            if newest is None or name not in accounts:  # saved meanwhile, or removed
                return accounts
            there = accounts[name].credential
            if newest.is_overtaken_by(there):
                theirs.append(there)
                return accounts
            return {**accounts, name: StoredCredential(newest.credential)}

        trouble = f"the disk did not answer within {SAVE_WITHIN:g} s"
        with trio.move_on_after(SAVE_WITHIN) as scope:
            scope.shield = True
            try:
                await self.run(partial(self._store.update, change), abandon=True)
                trouble = ""
            except StoreError as error:
                trouble = str(error)
        if trouble:
            if self.troubles.get(name) != trouble:  # said once, not at every attempt
                log.error("the new login of %s is only in memory: %s", name, trouble)
            self.troubles[name] = trouble
        elif self._unsaved.get(name) is wanted:
            self._settled(name)
            return theirs[-1] if theirs else None
        return None

    async def _try_again(self, name: str) -> None:
        """Try until it is stored, or something newer is to be."""
        wanted = self._unsaved.get(name)
        while wanted is not None and self._unsaved.get(name) is wanted:
            await trio.sleep(SAVE_AGAIN)
            if self._unsaved.get(name) is wanted:
                await self._try(name)
                if not self.behind(name):
                    log.warning("the new login of %s is on disk now", name)

    async def _note(self, work: Callable[[], Any]) -> None:
        with trio.move_on_after(MARK_WITHIN):
            try:
                await self.run(work, abandon=True)
            except StoreError as error:
                log.warning("a renewal could not be marked on disk: %s", error)


def lost_at(entry: StoredCredential | None) -> float | None:
    """Epoch seconds of a renewal of exactly this login that was begun and never ended."""
    if entry is None or entry.pending is None or not isinstance(entry.credential, Login):
        return None
    same = entry.pending.fingerprint == entry.credential.refresh.fingerprint()
    return entry.pending.at if same else None
