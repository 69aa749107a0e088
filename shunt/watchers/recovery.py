"""Brings back accounts that need a new login as soon as there is one, and tells people to log in.

Nothing is sent to a vendor here: a refresh token that was refused is never tried again. What is
looked for is another login on disk, put there by a command, by another shunt, or by the program
the old one was imported from.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

import trio
from attrs import define, field

from shunt.accounts.state import AccountState, Custody
from shunt.errors import CredentialError, StoreError
from shunt.watchers.health import Report
from shunt.watchers.notices import Category, Notice
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

log = logging.getLogger(__name__)

NAME: Final = "recovery"
LIMIT: Final = 60.0
LOOK_EVERY: Final = 120.0
"""Seconds between two looks at the disk."""
SETTLE: Final = 1.0
"""Seconds between two looks at the pool at least."""


@define
class Recovery:
    """Looks after accounts without a usable login."""

    parts: Parts
    look_at: float = 0.0
    """Trio time of the next look at the disk."""
    told: set[str] = field(factory=set)
    """Accounts whose need of a login was told of and still lasts."""

    async def run(self, report: Report) -> None:
        """Tell of lost logins at once, look for new ones every two minutes."""
        pool = self.parts.pool
        while True:
            version = pool.version
            self.tell()
            if trio.current_time() >= self.look_at:
                await self.look(report)
                self.look_at = trio.current_time() + LOOK_EVERY
            wait = max(self.look_at - trio.current_time(), 0.0)
            report.idle(self.parts.now() + wait)
            with trio.move_on_after(wait):
                await pool.changed(version)
            await trio.sleep(SETTLE)

    async def look(self, report: Report) -> None:
        """See whether a refused login has been replaced."""
        for name in self.refused():
            report.working()
            try:
                if await self.parts.custody.recheck(name):
                    log.info("account %s has a new login", name)
            except (CredentialError, StoreError) as error:
                log.info("account %s is not back: %s", name, error)
        if is_all_out(self.parts.pool.state.accounts.values()):
            text = "No account can be used: each of them needs a login. `shunt accounts` lists them."
            self.parts.notify(Notice(Category.ALL_OFFLINE, "", text))

    def tell(self) -> None:
        """Tell of accounts that lost their login since the last look."""
        refused = self.refused()
        for name in refused:
            if name not in self.told:
                text = f"Account {name} needs a new login; `shunt doctor` names the command."
                self.parts.notify(Notice(Category.LOGIN_NEEDED, name, text))
        self.told = set(refused)

    def refused(self) -> list[str]:
        """Accounts whose login was refused for good."""
        accounts = self.parts.pool.state.accounts
        return [name for name, state in accounts.items() if state.custody is Custody.REAUTH_REQUIRED]


def is_all_out(accounts: Iterable[AccountState]) -> bool:
    """Whether nothing can be served until somebody logs in."""
    wanted = [account.custody for account in accounts if not account.paused]
    return Custody.REAUTH_REQUIRED in wanted and Custody.PRESENT not in wanted


def watch(parts: Parts) -> Watcher:
    """Return the watcher of lost logins."""
    return Watcher(NAME, Recovery(parts).run, LIMIT)
