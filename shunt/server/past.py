"""Looking back and ahead: the history, explanations, forecasts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import trio
from quart import Response

from shunt.errors import NotFound
from shunt.limits.forecast import METHOD, Backtest, back_test
from shunt.limits.samples import Sample
from shunt.routing.explain import Noted
from shunt.routing.view import Demand
from shunt.server.call import current_call
from shunt.server.control import document
from shunt.server.parts import ServerParts
from shunt.server.query import Query, read
from shunt.server.status import of_forecast
from shunt.store.history_search import MOST, Archive, Search
from shunt.telemetry.documents import of_decision, of_decisions, of_request, of_trace
from shunt.wire import json

Result = TypeVar("Result")

FILTERS: Final = ("account", "model", "client", "conversation", "status", "outcome", "since", "until")
THREADS: Final = trio.CapacityLimiter(2)
"""Threads for questions to the disk. The default ones are shared with name resolution."""
PAGE: Final = 100
TRIED: Final = 30 * 86_400.0
"""Seconds of the past that forecasts are tried on."""


class Past:
    """Handlers of /history, /explain and /forecast."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    async def history(self) -> Response:
        """Requests of the past, newest first, or what they add up to."""
        query = read(current_call().query, (*FILTERS, "limit", "before", "by"))
        search = self._search(query)
        archive = self._archive()
        by = query.all("by")
        if by:
            totals = await off_path(partial(archive.add_up, search, by))
            groups = [{"key": group.key, **group.sums} for group in totals.groups]
            return document({"by": list(by), "groups": groups, "total": totals.total})
        limit, before = query.whole("limit", PAGE, MOST), query.one("before") or None
        page = await off_path(partial(archive.find, search, limit, before))
        return document({"requests": [of_request(one) for one in page.records], "next": page.next})

    async def windows(self) -> Response:
        """How usage windows stood over time."""
        query = read(current_call().query, ("account", "window", "since", "until"))
        now = self._parts.now()
        ask = partial(
            self._archive().windows,
            query.one("account"),
            query.one("window"),
            query.moment("since", now),
            query.moment("until", now),
        )
        return document({"samples": [of_sample(sample) for sample in await off_path(ask)]})

    async def explain(self) -> Response:
        """Where a request without a conversation would go now, and the last decision that was made."""
        read(current_call().query, ())
        pool = self._parts.pool
        families = dict.fromkeys(pool.accounts, "")
        now = self._parts.now()
        choice = pool.consider(Demand(model="", families=families))
        told = of_decision(Noted(now, choice, pool.state, families).explained())
        routed = (one for one in self._parts.observatory.ring.newest(MOST) if one.trace.why)
        last = next(routed, None)
        return document({"now": told, "last": last.document() if last is not None else None})

    async def explained(self, request: str) -> Response:
        """Why one request went where it went."""
        return document(await self.told(request))

    async def told(self, request: str) -> dict[str, Any]:
        """Everything known of one request. Raises NotFound."""
        running = self._parts.observatory.active().get(request)
        if running is not None:
            watched = self._parts.observatory.one(running)
            return of_trace(watched, running.trace.marks, of_decisions(running.trace), (), None)
        finished = self._parts.observatory.ring.find(request)
        if finished is not None:
            return finished.document()
        try:
            record, decisions = await off_path(partial(self._archive().one, request))
        except NotFound:
            raise NotFound(
                f"no request {request[:40]} is remembered; `shunt history` lists those that are"
            ) from None
        kept = json.value(decisions) if decisions else []
        return {**of_trace(of_request(record), (), (), (), None), "decisions": kept}

    async def forecast(self) -> Response:
        """When each window runs dry at the present pace, and how such forecasts did."""
        read(current_call().query, ())
        now = self._parts.now()
        told = [
            of_forecast(one)
            for account in self._parts.pool.accounts
            for one in self._parts.forecasts(account, now)
        ]
        archive = self._parts.archive
        tried = Backtest(0, 0, None, None, None)
        if archive is not None:
            tried = await off_path(lambda: _tried(archive, now - TRIED))
        return document({"method": METHOD, "forecasts": told, "error": of_backtest(tried)})

    def _search(self, query: Query) -> Search:
        now = self._parts.now()
        search = Search(
            accounts=query.all("account"),
            models=query.all("model"),
            clients=query.all("client"),
            conversations=query.all("conversation"),
            statuses=query.all("status"),
            outcomes=query.all("outcome"),
            since=query.moment("since", now),
            until=query.moment("until", now),
        )
        search.condition()  # raises what is wrong with it before a thread is started
        return search

    def _archive(self) -> Archive:
        if self._parts.archive is None:
            raise NotFound("there is no history: its file cannot be used (the log says why)")
        return self._parts.archive


def _tried(archive: Archive, since: float) -> Backtest:
    try:
        return back_test(archive.windows(since=since))
    except NotFound:
        return Backtest(0, 0, None, None, None)


async def off_path(ask: Callable[[], Result]) -> Result:
    """Ask the disk in a thread, beside everybody's streams."""
    return await trio.to_thread.run_sync(ask, limiter=THREADS, abandon_on_cancel=True)


def of_sample(sample: Sample) -> dict[str, Any]:
    """A window's standing at one moment."""
    return {
        "at": sample.at,
        "account": sample.account,
        "window": sample.window,
        "used": sample.used,
        "resets_at": sample.resets_at,
        "status": sample.standing,
        "source": sample.source,
    }


def of_backtest(tried: Backtest) -> dict[str, Any]:
    """How forecasts did on the past."""
    return {
        "windows": tried.windows,
        "forecasts": tried.forecasts,
        "mean_error": tried.mean_error,
        "dry_hit_share": tried.dry_hits,
        "median_dry_error_s": tried.median_dry_error,
    }
