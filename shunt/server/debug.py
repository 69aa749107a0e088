"""What goes on inside: counts, running requests, traces, errors, log lines. Never secrets, never content."""

from __future__ import annotations

from typing import Any, Final

import trio
from quart import Response

from shunt.errors import NotFound
from shunt.server.call import current_call
from shunt.server.control import document
from shunt.server.parts import ServerParts
from shunt.server.past import Past, off_path
from shunt.server.query import read
from shunt.server.status import of_watcher
from shunt.telemetry import exposition
from shunt.telemetry.documents import of_request
from shunt.telemetry.live import phase_of
from shunt.telemetry.process import figures
from shunt.telemetry.ring import FAILURES, TRACES, Finished

PAGE: Final = 100
LINES: Final = 500


class Debug:
    """Handlers of /debug/… and /metrics."""

    def __init__(self, parts: ServerParts, past: Past) -> None:
        self._parts = parts
        self._past = past
        self._seen = parts.observatory

    async def stats(self) -> Response:
        """Counts since the start, and what the process uses."""
        read(current_call().query, ())
        parts, tallies, bus = self._parts, self._seen.tallies, self._seen.bus
        trio_figures = trio.lowlevel.current_statistics()
        return document(
            {
                "version": parts.version,
                "started_at": parts.started_at,
                "uptime_s": round(max(0.0, parts.now() - parts.started_at), 1),
                **figures(),
                "tasks": trio_figures.tasks_living,
                "requests": tallies.finished,
                "errors": tallies.errors,
                "active": len(self._seen.active()),
                "waiting": parts.waiting(),
                "tokens": tallies.tokens_by_direction,
                "cost_usd": round(sum(tallies.cost.values()), 6),
                "moves": tallies.moves,
                "rebilled_tokens": tallies.rebilled,
                "stalls": tallies.stalls,
                "response_bytes": tallies.bytes,
                "events": {"subscribers": len(bus), "published": bus.published, "dropped": bus.dropped},
                "records": {"waiting": parts.records()[0], "dropped": parts.records()[1]},
                "refusals": dict(parts.tally.counts),
                "troubles": dict(parts.troubles()),
            }
        )

    async def active(self) -> Response:
        """Running requests, the oldest first."""
        read(current_call().query, ())
        return document({"active": self._seen.running(), "waiting": self._parts.waiting()})

    async def health(self) -> Response:
        """How the watchers are doing."""
        read(current_call().query, ())
        health = self._parts.health
        watchers = [of_watcher(condition) for condition in health.conditions.values()]
        return document({"watchers": watchers, "degraded": list(health.degraded), **figures()})

    async def traces(self) -> Response:
        """The last requests with their phases."""
        limit = read(current_call().query, ("limit",)).whole("limit", PAGE, TRACES)
        return document({"traces": [_brief(one) for one in self._seen.ring.newest(limit)]})

    async def trace(self, request: str) -> Response:
        """Everything known of one request."""
        read(current_call().query, ())
        return document(await self._past.told(request))

    async def errors(self) -> Response:
        """The last requests that failed, with what to do about it."""
        limit = read(current_call().query, ("limit",)).whole("limit", PAGE, FAILURES)
        found = self._seen.ring.failures(limit)
        return document({"errors": [one.failure.document() for one in found if one.failure is not None]})

    async def error(self, request: str) -> Response:
        """Everything known of one failure: from memory, or the dump of an earlier run."""
        read(current_call().query, ())
        found = self._seen.ring.find(request)
        if found is not None and found.failure is not None:
            return document(found.dump())
        dumped: dict[str, Any] | None = await off_path(lambda: self._parts.dumped(request))
        if dumped is None:
            raise NotFound(f"no failed request {request[:40]} is remembered")
        return document(dumped)

    async def logs(self) -> Response:
        """The last lines of the log."""
        query = read(current_call().query, ("limit", "level"))
        return document(
            {"lines": self._parts.log_lines(query.whole("limit", PAGE, LINES), query.one("level"))}
        )

    async def metrics(self) -> Response:
        """Everything that is counted, for Prometheus."""
        read(current_call().query, ())
        parts = self._parts
        running = tuple(self._seen.active().values())
        scene = exposition.Scene(
            tallies=self._seen.tallies,
            state=parts.pool.state,
            providers={name: account.provider for name, account in parts.pool.accounts.items()},
            now=parts.now(),
            version=parts.version,
            started_at=parts.started_at,
            active=len(running),
            streaming=sum(phase_of(one) == "streaming" for one in running),
            waiting=parts.waiting(),
            subscribers=len(self._seen.bus),
            subscribers_dropped=self._seen.bus.dropped,
            records_dropped=parts.records()[1],
            watchers={
                name: (not condition.degraded, condition.failures)
                for name, condition in parts.health.conditions.items()
            },
            refusals=parts.tally.counts,
            process=figures(),
        )
        return Response(exposition.page(scene), content_type=exposition.CONTENT_TYPE)


def _brief(finished: Finished) -> dict[str, Any]:
    told = finished.document()
    return {**of_request(finished.record), "phases": told["phases"], "stalls": told["stalls"]}
