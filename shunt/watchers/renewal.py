"""Renews logins shortly before they end, so that no request has to wait for it.

Logins shared with another program are left alone until a request needs them: renewing one that
nobody uses here would log the other program out for nothing. Spacing, back-off and the single
flight are custody's.
"""

from __future__ import annotations

import logging
from typing import Final

import trio
from attrs import define

from shunt.accounts.credential import Login
from shunt.errors import CredentialError
from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

log = logging.getLogger(__name__)

NAME: Final = "renewal"
LIMIT: Final = 180.0
"""One renewal may wait for those of its siblings and for a slow token endpoint."""
LOOK_EVERY: Final = 20.0
"""Seconds, and up to half as much again: two shunts must not keep step."""
AHEAD: Final = 300.0
"""Seconds before its end from which a login is renewed."""


@define
class Renewals:
    """Renews one login after the other."""

    parts: Parts

    async def run(self, report: Report) -> None:
        """Look every half minute or so."""
        while True:
            pause = LOOK_EVERY * (1 + self.parts.jitter() / 2)
            report.idle(self.parts.now() + pause)
            await trio.sleep(pause)
            for name in tuple(self.parts.custody.expiring(AHEAD)):
                report.working()
                await self.renew(name)

    async def renew(self, name: str) -> None:
        """Renew one login, if nobody is using the account at this moment."""
        state = self.parts.pool.state.accounts.get(name)
        login = self.parts.custody.credential(name)
        if state is None or state.in_flight or not isinstance(login, Login) or login.imported_from:
            return
        try:
            await self.parts.custody.refresh(name, login.access)
        except CredentialError as error:
            # Custody remembers what the failure means and when to try again.
            log.info("%s", error)


def watch(parts: Parts) -> Watcher:
    """Return the watcher of logins that are about to end."""
    return Watcher(NAME, Renewals(parts).run, LIMIT)
