"""A desk with a past: a history on its disk."""

from __future__ import annotations

from collections.abc import Sequence

from shunt.accounts.state import RequestRecord
from shunt.gateway.trace import Trace
from shunt.limits.samples import Sample
from shunt.store.history import open_history
from shunt.telemetry.documents import of_decisions
from shunt.wire import json
from tests.cli.desk import Desk
from tests.gateway.test_trace import decided


def remember(desk: Desk, records: Sequence[RequestRecord], samples: Sequence[Sample] = ()) -> None:
    """Write a history, as a server that has ended left it."""
    trace = Trace()
    decided(trace)
    told = json.encode(of_decisions(trace))
    history = open_history(desk.home / "history.sqlite3", 0.0).history
    history.insert(records, samples, explain=lambda _: told)
    history.close()
