"""A line about the program's own health in the log, every five minutes."""

from __future__ import annotations

import logging
from typing import Final

import trio

from shunt.accounts.eligibility import status_of
from shunt.accounts.state import Status
from shunt.watchers.health import Report
from shunt.watchers.parts import Parts
from shunt.watchers.supervisor import Watcher

log = logging.getLogger("shunt.health")

NAME: Final = "vitals"
LIMIT: Final = 60.0
EVERY: Final = 300.0


def watch(parts: Parts) -> Watcher:
    """Return the watcher that writes the line."""

    async def run(report: Report) -> None:
        while True:
            report.idle(parts.now() + EVERY)
            await trio.sleep(EVERY)
            report.working()
            state, now = parts.pool.state, parts.now()
            able = sum(status_of(account, now) is Status.AVAILABLE for account in state.accounts.values())
            log.info("health", extra={"fields": {"available": able, **parts.vitals()}})

    return Watcher(NAME, run, LIMIT)
