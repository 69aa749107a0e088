"""The past as commands see it: from the running server, or from its file when none is running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from attrs import frozen

from shunt.cli.control import Control
from shunt.cli.exits import NotRunning
from shunt.cli.files import Files
from shunt.limits.forecast import METHOD, back_test, forecast, periods
from shunt.server.past import of_backtest
from shunt.server.query import Query, past
from shunt.server.status import of_forecast
from shunt.store.history_search import Archive, Search
from shunt.telemetry.documents import of_request, of_trace
from shunt.wire import json

RECENT = 8 * 86_400.0
"""Seconds of windows that forecasts are made from."""
TRIED = 30 * 86_400.0
"""Seconds that forecasts are tried on."""

Document = dict[str, Any]
"""As the control API gives it."""


@frozen
class Lookback:
    """Answers like the control API, with or without a server. Raises what commands raise."""

    files: Files
    url: str | None
    """The server a person named; then its file is not looked at."""

    def history(self, parameters: Sequence[tuple[str, str]]) -> Document:
        """GET /history."""
        return self._ask(f"/history?{urlencode(parameters)}") or self._history(Query(tuple(parameters)))

    def explain(self, request: str) -> Document:
        """GET /explain/ID."""
        found = self._ask(f"/explain/{quote(request, safe='')}")
        if found is not None:
            return found
        record, decisions = self._archive.one(request)
        told = of_trace(of_request(record), (), (), (), None)
        return {**told, "decisions": json.value(decisions) if decisions else []}

    def forecast(self) -> Document:
        """GET /forecast."""
        found = self._ask("/forecast")
        if found is not None:
            return found
        now = self.files.call.now()
        samples = self._archive.windows(since=now - RECENT)
        latest = {(period[0].account, period[0].window): period for period in periods(samples)}
        told = [one for period in latest.values() if (one := forecast(period, now)) is not None]
        tried = back_test(self._archive.windows(since=now - TRIED))
        return {
            "method": METHOD,
            "forecasts": [of_forecast(one) for one in told],
            "error": of_backtest(tried),
        }

    def _ask(self, path: str) -> Document | None:
        """The server's answer; None when none is running and its file can be read instead."""
        control: Control = self.files.control(self.url)
        try:
            return control.get(path)
        except NotRunning:
            if self.url is not None or not self.files.places.history_file.exists():
                raise
            return None

    @property
    def _archive(self) -> Archive:
        return Archive(self.files.places.history_file)

    def _history(self, query: Query) -> Document:
        now = self.files.call.now()
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
        by = query.all("by")
        if by:
            totals = self._archive.add_up(search, by)
            groups = [{"key": group.key, **group.sums} for group in totals.groups]
            return {"by": list(by), "groups": groups, "total": totals.total}
        page = self._archive.find(search, int(query.one("limit") or 100), query.one("before") or None)
        return {"requests": [of_request(one) for one in page.records], "next": page.next}


def is_moment(text: str, now: float) -> bool:
    """Whether a person's word for a moment of the past can be understood."""
    return past(text, now) is not None


def parameters_of(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options of a command as parameters of the control API; those not given are left out."""
    return [
        (name, str(one))
        for name, value in options.items()
        for one in (value if isinstance(value, tuple) else (value,))
        if one not in (None, "")
    ]
