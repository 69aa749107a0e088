"""The only reader and writer of credentials while shunt runs.

A refresh token works once. What it is exchanged for must reach the disk, whoever asked for it and
whatever becomes of them. Hence:

- The exchange is a *flight*, one per account at a time, owned by the supervisor's nursery. Callers only
  wait for it; their leaving changes nothing.
- It runs under the account's `trio.Lock` and a lock file that other processes respect, and looks at the
  disk once more inside: what another process renewed is adopted instead of spending the token again.
- A mark on disk says that the token is about to be spent; the write that stores the new login takes it
  away. A process that dies in between is thereby noticed at the next start.
- From the mark on it is shielded from shutdown as well, for a bounded time.
- The new login is on disk before anybody is given it. If the disk refuses, it is served from memory
  and saved as soon as that is possible: a failed save is not a failed refresh.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NoReturn

import trio
from attrs import define, field

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.pace import Pace
from shunt.accounts.secret import Secret
from shunt.accounts.state import Custody as Presence
from shunt.accounts.succession import inherit, same_secrets, supersedes
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, StoreError
from shunt.store.vault import CredentialKeeper, Run, Vault, in_threads, lost_at
from shunt.upstream.renewal import Renewal, Siblings

log = logging.getLogger(__name__)

SHIELD: Final = 35.0
"""Seconds: the token endpoint's own limit and a little."""
STOPPING: Final = "shunt is stopping."
Report = Callable[[str, Presence, Identity | None], None]


@define(eq=False)
class Flight:
    """One renewal on its way, and everybody who waits for it."""

    done: trio.Event = field(factory=trio.Event)
    error: CredentialError | None = None


@define(eq=False)
class Charge:
    """One account in custody."""

    name: str
    credential: Credential | None = None
    """What is stored for it, or newer."""
    lock: trio.Lock = field(factory=trio.Lock)
    """Held by whoever is about to replace the credential."""
    flight: Flight | None = None
    refused: str = ""
    """Why only a person can renew it, in words for people."""
    lost_at: float | None = None
    """Epoch seconds of a renewal whose answer never came: the refresh token may be spent."""
    pace: Pace = Pace()
    """On trio's clock."""


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
        source: Callable[[str], Credential | None] | None = None,
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
            source: Reads (blocking) what another program now has in the place a login was imported from.
            run: Runs what blocks; tests on a simulated clock replace it.
        """
        self._renewal, self._nursery = renewal, nursery
        self._now, self._report = now, report
        self._keys = dict(keys or {})
        self._source = source
        self._vault = Vault(store, run or in_threads(trio.CapacityLimiter(8)), self._spawn)
        self._charges: dict[str, Charge] = {}
        self._siblings = Siblings(jitter)

    # ── What is there ─────────────────────────────────────────────────────────────────────────────

    def credential(self, name: str) -> Credential | None:
        """Return what to send for an account now: what is stored for it, else the configured key."""
        charge = self._charges.get(name)
        return charge.credential if charge and charge.credential else self._keys.get(name)

    def expiring(self, within: float) -> tuple[str, ...]:
        """Accounts whose access token ends within so many seconds and that may be renewed now."""
        deadline, clock = self._now() + within, trio.current_time()
        return tuple(
            charge.name
            for charge in self._charges.values()
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
        before = {name: charge.credential for name, charge in self._charges.items()}
        stored = await self._vault.load()
        for name in sorted({*before, *stored, *self._keys}):
            charge = self._charge(name)
            if charge.flight or self._vault.behind(name) or charge.credential is not before.get(name):
                continue  # what is in memory is newer than what was just read
            entry = stored.get(name)
            found = entry.credential if entry else None
            if name not in before or not same_secrets(found, charge.credential):
                self._hold(charge, found)
                charge.lost_at = lost_at(entry)

    def configure(self, keys: Mapping[str, ApiKey]) -> None:
        """Take the API keys of a new configuration."""
        names = {*self._keys, *keys}
        self._keys = dict(keys)
        for charge in map(self._charge, sorted(names)):
            if charge.credential is None:
                self._hold(charge, None)

    # ── Changes by people and by other programs ───────────────────────────────────────────────────

    async def put(self, name: str, credential: Credential) -> None:
        """Store an account's credential, then use it. Raises StoreError; the old one then stays."""
        charge = self._charge(name)
        async with charge.lock:
            await self._vault.put(name, credential)
            self._hold(charge, credential)

    async def remove(self, name: str) -> bool:
        """Forget an account's credential; whether there was one. Raises StoreError."""
        charge = self._charge(name)
        async with charge.lock:
            there = await self._vault.remove(name)
            self._hold(charge, None)
            return there

    async def adopt(self, name: str, login: Login) -> bool:
        """Take over what another program made of a login it shares with us; whether it was newer.

        Never a login of somebody else, and never one that ends earlier. Raises StoreError.
        """
        charge = self._charge(name)
        async with charge.lock:
            held = charge.credential
            if not isinstance(held, Login) or not supersedes(login, held):
                return False
            heir = inherit(login, held)
            await self._vault.put(name, heir)
            self._hold(charge, heir)
            return True

    async def recheck(self, name: str) -> bool:
        """Look whether a refused login has been replaced on disk; whether it can be used again."""
        charge = self._charge(name)
        async with charge.lock:
            if charge.refused and isinstance(charge.credential, Login):
                heir = await self._heir(charge, charge.credential)
                if heir is not None:
                    await self._keep(charge, heir)
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
        charge = self._charge(name)
        held = charge.credential
        if isinstance(held, Login) and held.access != sent:
            await trio.lowlevel.checkpoint()
            return held
        flight = charge.flight or self._take_off(charge, self._renewable(charge))
        await flight.done.wait()
        if flight.error is not None:
            raise flight.error.fresh()
        if charge.credential is None:
            raise ReauthRequired(_removed(name))
        return charge.credential

    def _renewable(self, charge: Charge) -> Login:
        """Return the login to renew, or raise when there is no point in asking the token endpoint now."""
        held, clock = charge.credential, trio.current_time()
        if not isinstance(held, Login):
            raise ReauthRequired(f"{charge.name} has no login that could be renewed; give it another key.")
        if not held.refresh and not charge.refused:
            self._give_up(charge, "its login cannot be renewed.")
        if charge.refused:
            raise ReauthRequired(charge.refused)
        if wait := charge.pace.pause(clock):
            message = f"The login of {charge.name} could not be renewed; next attempt in {wait:.0f} s."
            raise RefreshFailed(message, retry_after=wait)
        if wait := charge.pace.rest(clock):
            raise RefreshFailed(f"New logins of {charge.name} are refused as well.", retry_after=wait)
        return held

    def _take_off(self, charge: Charge, login: Login) -> Flight:
        flight = Flight()
        try:
            self._spawn(self._fly, charge, login, flight)
        except RuntimeError as error:  # the nursery has closed
            raise RefreshFailed(STOPPING) from error
        charge.flight = flight
        return flight

    async def _fly(self, charge: Charge, login: Login, flight: Flight) -> None:
        flight.error = RefreshFailed(STOPPING)
        try:
            await self._renew(charge, login)
            flight.error = None
        except CredentialError as error:
            flight.error = error
        except Exception:
            log.exception("renewing the login of %s failed unexpectedly", charge.name)
            message = f"The login of {charge.name} could not be renewed because of an error in shunt."
            flight.error = self._failed(charge, message)
        finally:
            charge.flight = None
            flight.done.set()

    async def _renew(self, charge: Charge, login: Login) -> None:
        renewal = self._renewal(charge.name)
        if renewal is None:
            raise RefreshFailed(f"{charge.name} has a login that shunt does not know how to renew.")
        await self._siblings.wait(renewal.client_id)
        async with charge.lock:
            try:
                async with self._vault.alone(charge.name):
                    await self._replace(charge, login, renewal)
            except StoreError as error:
                raise RefreshFailed(f"The login of {charge.name} was not renewed: {error}.") from error

    async def _replace(self, charge: Charge, login: Login, renewal: Renewal) -> None:
        if charge.credential is not login:
            return  # replaced while we waited
        heir = await self._heir(charge, login)
        if heir is not None:
            await self._keep(charge, heir)
            return
        with trio.move_on_after(SHIELD) as scope:
            scope.shield = True
            await self._spend(charge, login, renewal)
            return
        message = f"Renewing the login of {charge.name} took too long."
        raise self._failed(charge, message, answer_lost=True)

    async def _spend(self, charge: Charge, login: Login, renewal: Renewal) -> None:
        """Exchange the login for its successor. Shielded by the caller."""
        at = self._now()
        if charge.lost_at is None:
            await self._vault.mark(charge.name, login, at)
        try:
            successor = await renewal.renew(login)
        except CredentialError as error:
            failure = error
        else:
            pace = charge.pace.after_renewal(trio.current_time())
            await self._keep(charge, successor)
            charge.pace = pace
            return
        if isinstance(failure, RefreshFailed):
            if charge.lost_at is None and failure.answer_lost:
                charge.lost_at = at
            elif charge.lost_at is None:
                await self._vault.unmark(charge.name)
            message = f"The login of {charge.name} could not be renewed: {failure}"
            raise self._failed(
                charge, message, failure.retry_after, answer_lost=failure.answer_lost
            ) from failure
        # Whoever else has this login may have renewed it a moment before us.
        heir = await self._heir(charge, login)
        if heir is None:
            self._give_up(charge, str(failure))
        await self._keep(charge, heir)

    async def _heir(self, charge: Charge, login: Login) -> Credential | None:
        """Return what another process, or the program it was imported from, has put in its place.

        Raises ReauthRequired when the account's credential has been removed.
        """
        if self._vault.behind(charge.name):
            return None
        try:
            stored = (await self._vault.load()).get(charge.name)
        except StoreError as error:
            log.warning("renewing the login of %s without a look at the disk: %s", charge.name, error)
            return None
        if stored is None:
            self._hold(charge, None)
            raise ReauthRequired(_removed(charge.name))
        if not same_secrets(stored.credential, login):
            return stored.credential
        if not login.imported_from or self._source is None:
            return None
        try:
            found = await self._vault.run(partial(self._source, login.imported_from))
        except StoreError as error:
            log.info("%s cannot be looked at: %s", login.imported_from, error)
            return None
        return inherit(found, login) if isinstance(found, Login) and supersedes(found, login) else None

    def _failed(
        self, charge: Charge, message: str, asked: float | None = None, *, answer_lost: bool = False
    ) -> RefreshFailed:
        """Leave the token endpoint alone for a while."""
        clock = trio.current_time()
        charge.pace = charge.pace.after_failure(clock, asked)
        return RefreshFailed(message, retry_after=charge.pace.pause(clock), answer_lost=answer_lost)

    def _give_up(self, charge: Charge, reason: str) -> NoReturn:
        """Only a person can help. Raises ReauthRequired."""
        if charge.lost_at is not None:
            when = datetime.fromtimestamp(charge.lost_at, UTC).astimezone()
            reason += f" The answer to its renewal of {when:%Y-%m-%d %H:%M} never arrived."
        cure = _cure(charge.name, charge.credential)
        charge.refused = f"{charge.name} needs a new login: {reason} {cure}"
        self._report(charge.name, Presence.REAUTH_REQUIRED, None)
        raise ReauthRequired(charge.refused)

    async def _keep(self, charge: Charge, credential: Credential) -> None:
        """Write a new credential down, then hand it out: in this order, and the second in any case."""
        try:
            await self._vault.save(charge.name, credential)
        finally:
            self._hold(charge, credential)

    def _hold(self, charge: Charge, credential: Credential | None) -> None:
        """Use a credential from now on: it is on disk, or has to be used without."""
        charge.credential = credential
        charge.refused, charge.lost_at, charge.pace = "", None, Pace()
        usable = self.credential(charge.name)
        identity = usable.identity if isinstance(usable, Login) else None
        self._report(charge.name, Presence.PRESENT if usable else Presence.MISSING, identity)

    def _charge(self, name: str) -> Charge:
        return self._charges.setdefault(name, Charge(name))

    def _spawn(self, task: Callable[..., Awaitable[Any]], *args: Any) -> None:
        # From a clean context: a request's own would be kept alive by the task.
        Context().run(self._nursery.start_soon, task, *args)


def _removed(name: str) -> str:
    return f"{name} has no credential any more; `shunt add-account {name}` gives it one."


def _cure(name: str, held: Credential | None) -> str:
    if isinstance(held, Login) and held.imported_from:
        return f"Log in with the program it came from, then run `shunt add-account {name} --import`."
    return f"Run `shunt add-account {name} --login`."
