"""Custody with everything around it simulated: a disk in memory, a vendor in memory, a clock that jumps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.custody import Custody
from shunt.store.credential_format import StoredCredential
from tests.fakes.renewal import Rotation, login, now
from tests.fakes.stores import MemoryStore, SharedFiles, at_once

KEY = ApiKey(Secret("sk-test-key"))


@define(eq=False)
class House:
    """Custody with everything around it simulated."""

    custody: Custody
    store: MemoryStore
    vendor: Rotation
    nursery: trio.Nursery
    reports: list[tuple[str, Presence]]
    shared: SharedFiles
    """What other programs have in the places logins were imported from."""

    def stored(self, name: str = "main") -> Credential:
        return self.store.accounts[name].credential

    def sent(self, name: str = "main") -> Secret:
        held = self.custody.credential(name)
        assert isinstance(held, Login)
        return held.access

    async def refresh(self, name: str = "main") -> Login:
        renewed = await self.custody.refresh(name, self.sent(name))
        assert isinstance(renewed, Login)
        return renewed


@asynccontextmanager
async def house(
    *names: str, keys: dict[str, ApiKey] | None = None, store: MemoryStore | None = None, disk: float = 0.0
) -> AsyncIterator[House]:
    """A house with a stored login for each name; what the disk does takes `disk` seconds."""
    if store is None:
        store = MemoryStore({name: StoredCredential(login(name)) for name in names})
    vendor, reports, shared = Rotation(), list[tuple[str, Presence]](), SharedFiles()
    failure = None
    async with trio.open_nursery() as nursery:
        custody = Custody(
            store,
            vendor.renewal,
            nursery,
            now,
            lambda: 0.0,
            lambda name, presence, identity: reports.append((name, presence)),
            keys=keys,
            shared=shared,
            run=at_once(disk),
        )
        await custody.load()
        try:
            yield House(custody, store, vendor, nursery, reports, shared)
        except Exception as error:  # noqa: BLE001 - raised below, without the nursery's wrapping
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
