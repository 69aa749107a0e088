"""Renewals: one flight per account at a time, which outlives whoever asked for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio
from attrs import define

from shunt.accounts.credential import Login
from shunt.accounts.pace import LONGEST_PAUSE
from shunt.accounts.succession import succeeding
from shunt.custody.charge import Charge, Flight
from shunt.custody.holdings import Holdings
from shunt.errors import CredentialError, ReauthRequired, RefreshFailed, StoreError
from shunt.upstream.renewal import Renewal, Siblings

log = logging.getLogger(__name__)

SHIELD: Final = 35.0
"""Seconds: the token endpoint's own limit and a little."""
STOPPING: Final = "shunt is stopping."


@define(eq=False)
class Flights:
    """Takes logins to the token endpoint and brings their successors home."""

    holdings: Holdings
    renewal: Callable[[str], Renewal | None]
    """How an account's logins are renewed; None when they are not."""
    siblings: Siblings
    now: Callable[[], float]
    """Epoch seconds."""
    spawn: Callable[..., None]
    """Starts a task in the supervisor's nursery."""

    def take_off(self, charge: Charge) -> Flight:
        """Start the renewal of an account's login. Raises CredentialError when there is no point in it now."""
        login, flight = self._renewable(charge), Flight()
        try:
            self.spawn(self._fly, charge, login, flight)
        except RuntimeError as error:  # the nursery has closed
            raise RefreshFailed(STOPPING) from error
        charge.flight = flight
        return flight

    def _renewable(self, charge: Charge) -> Login:
        held, clock = charge.credential, trio.current_time()
        if not isinstance(held, Login):
            raise ReauthRequired(f"{charge.name} has no login that could be renewed; give it another key.")
        if not held.refresh and not charge.refused:
            self.holdings.give_up(charge, "its login cannot be renewed.")
        if charge.refused:
            raise ReauthRequired(charge.refused)
        if wait := charge.pace.pause(clock):
            message = f"The login of {charge.name} could not be renewed; next attempt in {wait:.0f} s."
            raise RefreshFailed(message, retry_after=wait)
        if charge.pace.rest(clock):
            # A third renewal within a minute would not be accepted either. The refresh token still works,
            # so that it is tried again by itself after a while.
            reason = "the vendor refuses its new access tokens as well."
            self.holdings.give_up(charge, reason, clock + LONGEST_PAUSE)
        return held

    async def _fly(self, charge: Charge, login: Login, flight: Flight) -> None:
        flight.error = RefreshFailed(STOPPING)
        try:
            await self._renew(charge, login)
            flight.error = None
        except CredentialError as error:
            flight.error = error
        except Exception:
            log.exception("renewing the login of %s failed unexpectedly", charge.name)
            charge.lost_at = charge.lost_at or self.now()  # perhaps: a loss named in vain does no harm
            message = f"The login of {charge.name} could not be renewed because of an error in shunt."
            flight.error = self.holdings.failed(charge, message)
        finally:
            charge.flight = None
            flight.done.set()

    async def _renew(self, charge: Charge, login: Login) -> None:
        renewal = self.renewal(charge.name)
        if renewal is None:
            raise RefreshFailed(f"{charge.name} has a login that shunt does not know how to renew.")
        await self.siblings.wait(renewal.client_id)
        async with charge.lock:
            try:
                async with self.holdings.alone(charge, login):
                    await self._replace(charge, login, renewal)
            except StoreError as error:
                raise RefreshFailed(f"The login of {charge.name} was not renewed: {error}.") from error

    async def _replace(self, charge: Charge, login: Login, renewal: Renewal) -> None:
        if charge.credential is not login:
            return  # replaced while we waited
        heir = await self.holdings.heir(charge, login)
        if heir is not None:
            await self.holdings.keep(charge, heir)
            return
        with trio.move_on_after(SHIELD) as scope:
            scope.shield = True
            await self._spend(charge, login, renewal)
        if charge.credential is not login:
            return
        charge.lost_at = charge.lost_at or self.now()
        message = f"Renewing the login of {charge.name} took too long."
        raise self.holdings.failed(charge, message, answer_lost=True)

    async def _spend(self, charge: Charge, login: Login, renewal: Renewal) -> None:
        """Exchange the login for its successor. Shielded by the caller."""
        at, vault = self.now(), self.holdings.vault
        if charge.lost_at is None:
            await vault.mark(charge.name, login, at)
        try:
            successor = await renewal.renew(login)
        except CredentialError as error:
            failure = error
        else:
            pace = charge.pace.after_renewal(trio.current_time())
            await self.holdings.keep(charge, succeeding(successor, login))
            charge.pace = pace
            await self.holdings.give_back(charge)
            return
        if isinstance(failure, RefreshFailed):
            if failure.answer_lost:
                charge.lost_at = charge.lost_at or at
                # Once more: the disk may not have taken the mark before, and now it counts.
                await vault.mark(charge.name, login, charge.lost_at)
            elif charge.lost_at is None:
                await vault.unmark(charge.name)
            message = f"The login of {charge.name} could not be renewed: {failure}"
            raise self.holdings.failed(
                charge, message, failure.retry_after, answer_lost=failure.answer_lost
            ) from failure
        # Whoever else has this login may have renewed it a moment before us.
        heir = await self.holdings.heir(charge, login)
        if heir is None:
            if charge.lost_at is None:
                await vault.unmark(charge.name)  # nothing was lost: the vendor has said so
            self.holdings.give_up(charge, str(failure))
        await self.holdings.keep(charge, heir)
