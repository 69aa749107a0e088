"""Looking back and ahead over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.store.history import History, open_history
from shunt.store.history_search import Archive
from shunt.wire import json
from tests.fakes.gateway import T0, House, Setting, house
from tests.fakes.pools import window
from tests.fakes.records import record, request_id, sample
from tests.gateway.test_trace import decided
from tests.telemetry.requests import recording


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path / "history.sqlite3", T0).history
    yield opened
    opened.close()


def setting(history: History) -> Setting:
    return Setting(archive=Archive(history.path))


async def get(served: House, target: str, status: int = 200) -> Any:
    answer = await served.ask(b"GET", target.encode())
    assert answer.status == status, answer.body
    return json.value(answer.body)


async def test_the_history_is_paged_and_filtered(history: History) -> None:
    """`next` goes into `before`."""
    history.insert([record(n, account="ab"[n % 2]) for n in range(5)])
    async with house(setting=setting(history)) as served:
        first = await get(served, "/history?limit=2&account=a")
        assert [one["id"] for one in first["requests"]] == [request_id(4), request_id(2)]
        rest = await get(served, f"/history?limit=2&account=a&before={first['next']}")
        assert ([one["id"] for one in rest["requests"]], rest["next"]) == ([request_id(0)], None)
        sums = await get(served, "/history?by=account")
        assert [(one["key"]["account"], one["requests"]) for one in sums["groups"]] == [("a", 3), ("b", 2)]
        assert sums["total"]["requests"] == 5


@pytest.mark.parametrize("query", ["by=nope", "status=x", "since=x", "limit=0", "before=x", "acount=a"])
async def test_what_makes_no_sense_is_refused(history: History, query: str) -> None:
    """400, with what would."""
    async with house(setting=setting(history)) as served:
        told = await get(served, f"/history?{query}", 400)
        assert told["error"]["type"] == "invalid_request"


async def test_without_a_history_everything_else_goes_on() -> None:
    """404 where it is asked for."""
    async with house() as served:
        assert "no history" in (await get(served, "/history", 404))["error"]["message"]
        assert (await get(served, "/forecast"))["error"]["windows"] == 0
        await get(served, "/explain")


async def test_windows_and_forecasts(history: History) -> None:
    """What was seen, and how forecasts did on it."""
    history.insert((), [sample(n * 600, n / 40) for n in range(30)])
    async with house(setting=setting(history)) as served:
        told = (await get(served, "/history/windows?account=a&window=5h"))["samples"]
        assert [one["used"] for one in told[:2]] == [0.0, 0.025]
        tried = await get(served, "/forecast")
        assert tried["forecasts"] == []
        assert "pace" in tried["method"]


async def test_a_request_is_explained_while_it_runs_after_it_and_from_the_history(history: History) -> None:
    """One document, whatever it is made of."""
    running, over = recording(1), recording(2)
    decided(running.trace)
    decided(over.trace)
    desk = setting(history)
    desk.observatory.active = lambda: {request_id(1): running}
    desk.observatory.finished(over, record(2))
    history.insert([record(3)], explain=lambda _: b'[{"account":"a"}]')
    async with house(setting=desk) as served:
        for number, account in ((1, "b"), (2, "b"), (3, "a")):
            told = await get(served, f"/explain/{request_id(number)}")
            assert told["request"]["id"] == request_id(number)
            assert told["decisions"][0]["account"] == account
        assert "shunt history" in (await get(served, "/explain/req_none", 404))["error"]["message"]


async def test_the_present_is_explained(history: History) -> None:
    """Where a request would go now, and which fact refuses the others."""
    desk = setting(history)
    spent = window("5h", 1.0, T0 - 1_790_000_000 + 3600, rejected=True, seen_at=T0 - 7)
    desk.pool.record(Outcome("a", Verdict.LIMITED, T0, 429, until=spent.resets_at, windows=(spent,)))
    over = recording(2)
    decided(over.trace)
    desk.observatory.finished(over, record(2))
    async with house(setting=desk) as served:
        told = await get(served, "/explain")
    assert told["now"]["account"] == "b"
    fact = told["now"]["candidates"][0]["fact"]
    assert (fact["kind"], fact["source"], fact["seen_at"]) == ("window", "header", T0 - 7)
    assert told["last"]["request"]["id"] == request_id(2)
