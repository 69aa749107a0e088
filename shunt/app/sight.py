"""What watches the running program: built first, handed to everybody who looks or is looked at."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import trio
from attrs import define, field

from shunt.app.tracing import Exporter, exporter
from shunt.errors import NotFound, StoreError
from shunt.server.changes import Changes
from shunt.server.control import Control
from shunt.server.parts import ServerParts
from shunt.store.dumps import Dumps
from shunt.store.history_search import Archive
from shunt.store.log_lines import LogLines
from shunt.telemetry.observatory import Observatory
from shunt.telemetry.process import figures
from shunt.telemetry.ring import Finished
from shunt.telemetry.window_log import WindowLog
from shunt.watchers.bell import Bell
from shunt.watchers.health import Report
from shunt.watchers.records import Records
from shunt.watchers.supervisor import Watcher

if TYPE_CHECKING:
    from shunt.app.program import Program

log = logging.getLogger(__name__)

REMEMBERED = 8 * 86_400.0
"""Seconds of windows taken up at the start: the longest window that forecasts are made of, and a day."""
MOST_DUMPS = 50
"""Failures that may wait to be written."""
LOOK_LIMIT = 30.0
CLOSE_WITHIN = 2.0
"""Seconds the last traces may take."""


@define(eq=False)
class Sight:
    """One object for the program's life."""

    program: Program
    records: Records
    lines: LogLines = field(init=False)
    dumps: Dumps = field(init=False)
    observatory: Observatory = field(init=False)
    windows: WindowLog = field(factory=WindowLog)
    failed: Bell = field(factory=Bell)
    """Rung when there is a failure to be written down."""
    _exporter: Exporter | None = None
    _failures: deque[Finished] = field(factory=lambda: deque(maxlen=MOST_DUMPS))
    _told: tuple[int, int] = (0, 0)
    """Requests and errors at the last health line."""

    def __attrs_post_init__(self) -> None:
        redactor = self.program.redactor
        self.lines = LogLines(redactor)
        logging.getLogger().addHandler(self.lines)
        self.dumps = Dumps(self.program.locations.state_dir / "errors")
        self.observatory = Observatory(time.time, redactor.clean)
        self.observatory.exports.append(self._note_failure)
        self._exporter = exporter(self.program.options.environ)
        if self._exporter is not None:
            self.observatory.exports.append(self._exporter)
            self.observatory.linked = True

    async def remember(self) -> None:
        """Take up what earlier runs saw of the windows."""
        archive = Archive(self.program.locations.history_file)
        try:
            samples = await trio.to_thread.run_sync(lambda: archive.windows(since=time.time() - REMEMBERED))
        except (NotFound, StoreError):
            return  # nothing yet, or the log has said why
        self.windows.restore(samples)

    def _note_failure(self, finished: Finished) -> None:
        if finished.failure is not None:
            self._failures.append(finished)
            self.failed.ring()

    def dump(self) -> None:
        """Write down the failures that wait. Blocks. Raises StoreError."""
        waiting = [self._failures.popleft() for _ in range(len(self._failures))]
        self.dumps.save([(one.record.id, one.dump()) for one in waiting])

    def vitals(self) -> dict[str, Any]:
        """What the health line in the log says."""
        tallies, pool = self.observatory.tallies, self.program.pool
        requests, errors = self._told
        self._told = (tallies.finished, tallies.errors)
        usage = figures()
        return {
            "active": len(self.observatory.active()),
            "requests": tallies.finished - requests,
            "errors": tallies.errors - errors,
            "accounts": len(pool.accounts),
            "events": len(self.observatory.bus),
            "records_waiting": len(self.records),
            "records_lost": self.records.dropped,
            "rss_mb": round(usage.get("rss_bytes", 0) / 1024 / 1024, 1),
            "cpu_s": round(usage["cpu_seconds"], 1),
            "threads": int(usage["threads"]),
            "open_files": int(usage.get("open_files", 0)),
        }

    async def close(self) -> None:
        """Send the last traces; a collector that is gone holds nobody up."""
        if self._exporter is not None:
            close = partial(self._exporter.close, CLOSE_WITHIN)
            await trio.to_thread.run_sync(close, abandon_on_cancel=True)

    def teller(self, parts: ServerParts) -> Watcher:
        """The task that turns changes into events while somebody reads them."""
        changes = Changes(parts, Control(parts).picture)

        async def run(report: Report) -> None:
            await changes.run(report.idle, report.working)

        return Watcher("events", run, LOOK_LIMIT)

    async def let_readers_go(self) -> None:
        """At the end of the program: open pages must not hold it up."""
        await self.program.stop.wait()
        self.observatory.bus.close()
