"""What other rooms see of the credentials: what there is, changes by people, renewal on demand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from typing import Any

import trio

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.accounts.secret import Secret
from shunt.accounts.succession import inherit, same_secrets, supersedes
from shunt.custody.charge import Charge
from shunt.custody.flights import Flights
from shunt.custody.holdings import Holdings, Nothing, Report, Shared, removed
from shunt.errors import ReauthRequired
from shunt.store.vault import CredentialKeeper, Run, Vault, in_threads, lost_at
from shunt.upstream.renewal import Renewal, Siblings


class Custody:
    """Keeps credentials, hands them out and renews them."""

    def __init__(
        self,
        store: CredentialKeeper,
        renewal: Callable[[str], Renewal | None],
        nursery: trio.Nursery,
        now: Callable[[], float],
        jitter: Callable[[], float],
        report: Report,
        *,
        keys: Mapping[str, ApiKey] | None = None,
        shared: Shared | None = None,
        run: Run | None = None,
    ) -> None:
        """Put custody together; `load` has to follow.

        Args:
            store: Where credentials are kept.
            renewal: How an account's logins are renewed; None when they are not.
            nursery: The supervisor's; it outlives every request.
            now: Epoch seconds.
            jitter: A number from 0 to 1, another each time.
            report: Told of every change, with the identity of a login.
            keys: API keys of the configuration, for accounts without a stored credential.
            shared: The files of other programs that logins were imported from.
            run: Runs what blocks; tests on a simulated clock replace it.
        """
        self._nursery, self._now = nursery, now
        self._vault = Vault(store, run or in_threads(trio.CapacityLimiter(8)), self._spawn)
        self._holdings = Holdings(self._vault, shared or Nothing(), report, dict(keys or {}))
        self._flights = Flights(self._holdings, renewal, Siblings(jitter), now, self._spawn)

    # ── What is there ─────────────────────────────────────────────────────────────────────────────

    def credential(self, name: str) -> Credential | None:
        """Return what to send for an account now: what is stored for it, else the configured key."""
        return self._holdings.usable(name)

    def expiring(self, within: float) -> tuple[str, ...]:
        """Accounts whose access token ends within so many seconds and that may be renewed now."""
        deadline, clock = self._now() + within, trio.current_time()
        return tuple(
            charge.name
            for charge in self._holdings.charges.values()
            if isinstance(charge.credential, Login)
            and charge.credential.refresh
            and charge.credential.expires_at is not None
            and charge.credential.expires_at <= deadline
            and not charge.refused
            and charge.flight is None
            and not charge.pace.pause(clock)
        )

    @property
    def unsaved(self) -> Mapping[str, str]:
        """Accounts whose newest login is only in memory, and why the disk did not take it."""
        return self._vault.troubles

    async def load(self) -> None:
        """Read the store: at start, and again when another process may have changed it.

        Raises CredentialsUnreadable, and then changes nothing.
        """
        holdings = self._holdings
        before = {name: charge.credential for name, charge in holdings.charges.items()}
        stored = await self._vault.load()
        for name in sorted({*before, *stored, *holdings.keys}):
            charge = holdings.charge(name)
            entry = stored.get(name)
            if charge.flight or charge.credential is not before.get(name):
                continue  # what is in memory is newer than what was just read
            if not self._vault.give_way(name, entry):
                continue  # likewise
            found = entry.credential if entry else None
            if name not in before or not same_secrets(found, charge.credential):
                holdings.hold(charge, found)
                charge.lost_at = lost_at(entry)

    def configure(self, keys: Mapping[str, ApiKey]) -> None:
        """Take the API keys of a new configuration."""
        self._holdings.configure(keys)

    # ── Changes by people and by other programs ───────────────────────────────────────────────────

    async def put(self, name: str, credential: Credential) -> None:
        """Store an account's credential, then use it. Raises StoreError; the old one then stays."""
        charge = self._holdings.charge(name)
        async with charge.lock:
            await self._store(charge, credential)

    async def remove(self, name: str) -> bool:
        """Forget an account's credential; whether there was one. Raises StoreError."""
        charge = self._holdings.charge(name)
        async with charge.lock:
            there = await self._vault.remove(name)
            self._holdings.hold(charge, None)
            return there

    async def adopt(self, name: str, login: Login) -> bool:
        """Take over what another program made of a login it shares with us; whether it was newer.

        Never a login of somebody else, and never one that ends earlier. Raises StoreError.
        """
        charge = self._holdings.charge(name)
        async with charge.lock:
            held = charge.credential
            if not isinstance(held, Login) or not supersedes(login, held):
                return False
            await self._store(charge, inherit(login, held))
            return True

    async def give_back(self, name: str) -> bool:
        """Let the program that shares an account's login have it, where it has a spent one; whether it was given.

        Raises StoreError while another shunt is at it.
        """
        charge = self._holdings.charge(name)
        async with charge.lock:
            if not isinstance(charge.credential, Login):
                return False
            async with self._holdings.alone(charge, charge.credential):
                return await self._holdings.give_back(charge)

    async def recheck(self, name: str) -> bool:
        """Look whether a refused login has been replaced on disk; whether it can be used again."""
        charge = self._holdings.charge(name)
        async with charge.lock:
            if charge.refused and isinstance(charge.credential, Login):
                heir = await self._holdings.heir(charge, charge.credential)
                if heir is not None:
                    await self._holdings.keep(charge, heir)
                elif charge.hopeful_at is not None and charge.hopeful_at <= trio.current_time():
                    charge.refused, charge.hopeful_at = "", None
                    self._holdings.tell(charge)
            return not charge.refused

    async def flush(self) -> None:
        """Try once more, at shutdown, to save what the disk refused."""
        await self._vault.flush()

    # ── Renewal ───────────────────────────────────────────────────────────────────────────────────

    async def refresh(self, name: str, sent: Secret) -> Credential:
        """Return a credential in the place of the one whose access token `sent` was refused.

        However many callers there are, the token endpoint is asked once. May be cancelled freely.

        Raises:
            ReauthRequired: a person has to log in; the message holds the command.
            RefreshFailed: not now; `retry_after` says when it makes sense.
        """
        charge = self._holdings.charge(name)
        held = charge.credential
        if isinstance(held, Login) and held.access != sent:
            await trio.lowlevel.checkpoint()
            return held
        flight = charge.flight or self._flights.take_off(charge)
        await flight.done.wait()
        if flight.error is not None:
            raise flight.error.fresh()
        if charge.credential is None:
            raise ReauthRequired(removed(name))
        return charge.credential

    async def _store(self, charge: Charge, credential: Credential) -> None:
        await self._vault.put(charge.name, credential)
        self._holdings.hold(charge, credential)

    def _spawn(self, task: Callable[..., Awaitable[Any]], *args: Any) -> None:
        # From a clean context: a request's own would be kept alive by the task.
        Context().run(self._nursery.start_soon, task, *args)
