"""Credentials kept in memory: the same promises as the file, and disks that fail on command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio
from attrs import define, evolve, field

from shunt.accounts.credential import Credential, Login
from shunt.accounts.succession import is_spent
from shunt.errors import StoreError
from shunt.store.credential_format import PendingRefresh, StoredCredential
from shunt.store.credentials import Accounts
from shunt.store.vault import Run, T


@define(eq=False)
class MemoryStore:
    """Keeps credentials in a dict that counts as the disk."""

    accounts: dict[str, StoredCredential] = field(factory=dict)
    broken: str = ""
    """While set, every write fails with this text."""
    unreadable: str = ""
    """While set, every read fails with this text."""
    taken: set[str] = field(factory=set)
    """Accounts whose login another process is renewing."""
    writes: list[str] = field(factory=list)
    """What was written, in order: `put main`, `mark main`, …"""

    def load(self) -> dict[str, StoredCredential]:
        """Everything stored."""
        if self.unreadable:
            raise StoreError(self.unreadable)
        return dict(self.accounts)

    def update(self, change: Callable[[Accounts], Accounts], /) -> dict[str, StoredCredential]:
        """Change what is stored."""
        after = dict(change(self.load()))
        if after != self.accounts:
            self._write("update")
            self.accounts = after
        return after

    def put(self, name: str, credential: Credential, /) -> None:
        """Store one."""
        self._write(f"put {name}")
        self.accounts[name] = StoredCredential(credential)

    def remove(self, name: str, /) -> bool:
        """Forget one."""
        self._write(f"remove {name}")
        return self.accounts.pop(name, None) is not None

    def mark_pending(self, name: str, fingerprint: str, at: float, /) -> None:
        """Note that a refresh token is about to be spent."""
        self._set_pending(f"mark {name}", name, PendingRefresh(fingerprint, at))

    def clear_pending(self, name: str, /) -> None:
        """Note that it was not."""
        self._set_pending(f"clear {name}", name, None)

    @contextmanager
    def refreshing(self, name: str, /) -> Iterator[None]:
        """Keep other processes away."""
        if name in self.taken:
            msg = f"another shunt has been renewing the login of {name} for 10 s"
            raise StoreError(msg)
        self.taken.add(name)
        try:
            yield
        finally:
            self.taken.discard(name)

    def _set_pending(self, what: str, name: str, pending: PendingRefresh | None) -> None:
        self._write(what)
        if name in self.accounts:
            self.accounts[name] = evolve(self.accounts[name], pending=pending)

    def _write(self, what: str) -> None:
        if self.broken:
            raise StoreError(self.broken)
        self.writes.append(what)


@define(eq=False)
class SharedFiles:
    """Files of other programs, in memory."""

    files: dict[str, Credential] = field(factory=dict)
    """By place."""
    broken: str = ""
    """While set, nothing can be written there."""
    taken: set[str] = field(factory=set)
    """Places whose login another shunt is renewing."""

    def read(self, source: str, /) -> Credential | None:
        """What is there now."""
        return self.files.get(source)

    @contextmanager
    def together(self, source: str, /) -> Iterator[None]:
        """Keep other shunts away."""
        if source in self.taken:
            msg = f"another shunt has been renewing the login in {source} for 10 s"
            raise StoreError(msg)
        self.taken.add(source)
        try:
            yield
        finally:
            self.taken.discard(source)

    def give_back(self, login: Login, /) -> bool:
        """Replace what the login was exchanged for."""
        found = self.files.get(login.imported_from)
        if not isinstance(found, Login) or not is_spent(found, login):
            return False
        if self.broken:
            raise StoreError(self.broken)
        self.files[login.imported_from] = login
        return True


def at_once(takes: float = 0.0) -> Run:
    """Do blocking work here and now: threads would let a simulated clock run away.

    It takes so many seconds of that clock, in which, as with threads, only what may be abandoned can be cancelled.
    """

    async def run(work: Callable[[], T], *, abandon: bool = False) -> T:
        await trio.lowlevel.checkpoint()
        with trio.CancelScope(shield=not abandon):
            await trio.sleep(takes)
        return work()

    return run
