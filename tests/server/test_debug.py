"""What goes on inside, over HTTP."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from shunt.server.app import create_app
from shunt.wire import json
from tests.fakes.client import ask
from tests.fakes.gateway import House, Setting, house
from tests.fakes.records import record, request_id
from tests.fakes.serving import running
from tests.telemetry.requests import SECRET, WORDS, recording


def busy() -> Setting:
    """A server that has served one request and failed another."""
    setting = Setting()
    setting.observatory.active = lambda: {request_id(9): recording(9)}
    setting.observatory.finished(recording(1), record(1))
    setting.observatory.finished(recording(2), record(2, outcome="failed", status=503))
    return setting


async def get(served: House, target: str, status: int = 200) -> Any:
    answer = await served.ask(b"GET", target.encode())
    assert answer.status == status, answer.body
    return json.value(answer.body)


async def test_counts_and_running_requests() -> None:
    """Since the start, and now."""
    async with house(setting=busy()) as served:
        stats = await get(served, "/debug/stats")
        assert (stats["requests"], stats["errors"], stats["active"]) == (2, 1, 1)
        assert stats["tokens"]["output"] == 10
        assert stats["rss_bytes"] > 0
        active = await get(served, "/debug/active")
        assert [one["id"] for one in active["active"]] == [request_id(9)]
        assert (await get(served, "/debug/health"))["degraded"] == []


async def test_traces_and_errors() -> None:
    """Newest first; one by its id."""
    async with house(setting=busy()) as served:
        traces = (await get(served, "/debug/traces?limit=1"))["traces"]
        assert [one["id"] for one in traces] == [request_id(2)]
        assert (await get(served, f"/debug/traces/{request_id(1)}"))["request"]["status"] == 200
        (failed,) = (await get(served, "/debug/errors"))["errors"]
        assert (failed["id"], failed["status"]) == (request_id(2), 503)
        assert failed["cure"]
        dump = await served.ask(b"GET", f"/debug/errors/{request_id(2)}".encode())
        assert SECRET.encode() not in dump.body
        assert WORDS.encode() not in dump.body
        assert json.value(dump.body)["sent"]["path"] == "/v1/messages"
        await get(served, f"/debug/errors/{request_id(1)}", 404)
        await get(served, "/debug/traces?limit=x", 400)


async def test_what_an_earlier_run_wrote_down_is_found() -> None:
    """Dumps, and the log's last lines."""
    parts = evolve(
        Setting().parts(),
        dumped=lambda name: {"old": name} if name == "req_old" else None,
        log_lines=lambda limit, level: [{"limit": limit, "level": level}],
    )
    async with running(create_app(parts)) as server:
        answer = await ask(server.port, b"GET", b"/debug/errors/req_old")
        assert json.value(answer.body) == {"old": "req_old"}
        answer = await ask(server.port, b"GET", b"/debug/logs?limit=7&level=warning")
        assert json.value(answer.body) == {"lines": [{"limit": 7, "level": "warning"}]}


async def test_metrics_are_for_prometheus() -> None:
    """In its text format."""
    async with house(setting=busy()) as served:
        answer = await served.ask(b"GET", b"/metrics")
    assert answer.status == 200
    assert (answer.get(b"content-type") or b"").startswith(b"text/plain; version=0.0.4")
    assert b"shunt_errors_total 1.0" in answer.body
    assert b"shunt_active_requests 1.0" in answer.body
