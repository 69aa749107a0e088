"""All accounts in custody, and the disk behind them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from typing import Final, NoReturn, Protocol

import trio
from attrs import define, field

from shunt.accounts.credential import ApiKey, Credential, Identity, Login
from shunt.accounts.pace import Pace
from shunt.accounts.state import Custody as Presence
from shunt.accounts.succession import inherit, same_secrets, supersedes
from shunt.custody.charge import Charge
from shunt.errors import ReauthRequired, RefreshFailed, StoreError
from shunt.store.vault import Vault

log = logging.getLogger(__name__)

GIVE_BACK_WITHIN: Final = 3.0
"""Seconds that writing to another program's file may hold up a renewal."""

Report = Callable[[str, Presence, Identity | None], None]


class Shared(Protocol):
    """Files of other programs: `ForeignLogins`, or memory in tests. Every method blocks and raises StoreError."""

    def read(self, source: str, /) -> Credential | None:
        """What is there now."""

    def together(self, source: str, /) -> AbstractContextManager[None]:
        """Keep other shunts from renewing what they share through it."""

    def give_back(self, login: Login, /) -> bool:
        """Put a login where the one it was exchanged for was imported from; whether it was put there."""


class Nothing:
    """No other program shares a login."""

    def read(self, _source: str, /) -> None:
        """Nothing is there."""

    def together(self, _source: str, /) -> AbstractContextManager[None]:
        """Nobody is to be kept away."""
        return nullcontext()

    def give_back(self, _login: Login, /) -> bool:
        """Nobody is there to take it."""
        return False


@define(eq=False)
class Holdings:
    """What every account has, in memory and on disk. Callers hold the account's lock where they change it."""

    vault: Vault
    shared: Shared
    """The files of other programs that logins were imported from."""
    report: Report
    keys: dict[str, ApiKey]
    """API keys of the configuration."""
    charges: dict[str, Charge] = field(factory=dict)

    def charge(self, name: str) -> Charge:
        """Return the account, known before or not."""
        return self.charges.setdefault(name, Charge(name))

    def usable(self, name: str) -> Credential | None:
        """Return what is stored for an account, else its configured key."""
        charge = self.charges.get(name)
        return charge.credential if charge and charge.credential else self.keys.get(name)

    def hold(self, charge: Charge, credential: Credential | None) -> None:
        """Use a credential from now on: it is on disk, or has to be used without."""
        charge.credential = credential
        charge.refused, charge.hopeful_at, charge.lost_at, charge.pace = "", None, None, Pace()
        self.tell(charge)

    def tell(self, charge: Charge) -> None:
        """Report what an account has now."""
        usable = self.usable(charge.name)
        identity = usable.identity if isinstance(usable, Login) else None
        self.report(charge.name, Presence.PRESENT if usable else Presence.MISSING, identity)

    async def keep(self, charge: Charge, credential: Credential) -> None:
        """Write a new credential down, then hand it out: in this order, and the second in any case.

        If a person or another process has stored another one meanwhile, that is handed out.
        """
        try:
            credential = await self.vault.save(charge.name, credential, charge.credential)
        finally:
            self.hold(charge, credential)

    async def heir(self, charge: Charge, login: Login) -> Credential | None:
        """Return what another process, or the program it was imported from, has put in its place.

        Raises ReauthRequired when the account's credential has been removed.
        """
        if self.vault.behind(charge.name):
            return None
        try:
            stored = (await self.vault.load()).get(charge.name)
        except StoreError as error:
            log.warning("renewing the login of %s without a look at the disk: %s", charge.name, error)
            return None
        if stored is None:
            self.hold(charge, None)
            raise ReauthRequired(removed(charge.name))
        if not same_secrets(stored.credential, login):
            return stored.credential
        if not login.imported_from:
            return None
        try:
            found = await self.vault.run(partial(self.shared.read, login.imported_from))
        except StoreError as error:
            log.info("%s cannot be looked at: %s", login.imported_from, error)
            return None
        return inherit(found, login) if isinstance(found, Login) and supersedes(found, login) else None

    @asynccontextmanager
    async def alone(self, charge: Charge, login: Login) -> AsyncIterator[None]:
        """Keep other processes from renewing a login. Raises StoreError while one of them does."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.vault.alone(charge.name))
            if login.imported_from:
                await stack.enter_async_context(self.vault.guarded(self.shared.together(login.imported_from)))
            yield

    async def give_back(self, charge: Charge) -> bool:
        """Let the program that shares a login have what shunt exchanged it for; whether it was given.

        What cannot be written now is tried again by whoever watches that program's file.
        """
        login, given = charge.credential, False
        if isinstance(login, Login) and login.imported_from and login.spent:
            with trio.move_on_after(GIVE_BACK_WITHIN):
                try:
                    given = await self.vault.run(partial(self.shared.give_back, login), abandon=True)
                except StoreError as error:
                    log.warning("%s still has a login that is spent: %s", charge.name, error)
        if given:
            log.info(
                "the renewed login of %s was written back for the program it is shared with", charge.name
            )
        return given

    def failed(
        self, charge: Charge, message: str, asked: float | None = None, *, answer_lost: bool = False
    ) -> RefreshFailed:
        """Leave the token endpoint alone for a while."""
        clock = trio.current_time()
        charge.pace = charge.pace.after_failure(clock, asked)
        return RefreshFailed(message, retry_after=charge.pace.pause(clock), answer_lost=answer_lost)

    def give_up(self, charge: Charge, reason: str, hopeful_at: float | None = None) -> NoReturn:
        """Only a person can help. Raises ReauthRequired."""
        if charge.lost_at is not None:
            when = datetime.fromtimestamp(charge.lost_at, UTC).astimezone()
            reason += f" The answer to its renewal of {when:%Y-%m-%d %H:%M} never arrived."
        charge.refused = f"{charge.name} needs a new login: {reason} {cure(charge.name, charge.credential)}"
        charge.hopeful_at = hopeful_at
        self.report(charge.name, Presence.REAUTH_REQUIRED, None)
        raise ReauthRequired(charge.refused)

    def configure(self, keys: Mapping[str, ApiKey]) -> None:
        """Take the API keys of a new configuration."""
        names = {*self.keys, *keys}
        self.keys = dict(keys)
        for charge in map(self.charge, sorted(names)):
            if charge.credential is None:
                self.hold(charge, None)


def removed(name: str) -> str:
    """Say that an account has nothing any more."""
    return f"{name} has no credential any more; `shunt add-account {name}` gives it one."


def cure(name: str, held: Credential | None) -> str:
    """Say what a person can do about a login that is dead."""
    if isinstance(held, Login) and held.imported_from:
        return (
            f"Log in with the program it came from, then run `shunt add-account {name} --import`; or give it a login "
            f"of its own with `shunt add-account {name} --login`."
        )
    return f"Run `shunt add-account {name} --login`."
