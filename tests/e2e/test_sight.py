"""What a running shunt shows of itself: one truth in every view, kept through kills, held up by nobody."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.program import MESSAGES, Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.client import RawClient, ask, raw_client, request
from tests.fakes.upstream import Answer, End, Gate, Request, scripted_upstream


class Vendor:
    """Answers by the words of a request, and keeps its own books."""

    def __init__(self) -> None:
        self.requests = self.errors = self.input = self.output = 0
        self.never = trio.Event()
        self.reset = int(time.time()) + 1800

    def __call__(self, seen: Request, _n: int) -> Answer:
        words = json.loads(seen.body)["messages"][0]["content"]
        if seen.key == "sk-test-spent":
            return anthropic.rejected(self.reset)
        self.requests += 1
        if words == "refuse":
            self.errors += 1
            return anthropic.refusal(400, "invalid_request_error", "max_tokens: must be positive")
        if words in ("cut", "leave"):
            self.errors += words == "cut"
            self._told(12, 1)
            begun = [*anthropic.opening_events(input_tokens=12), *anthropic.text_events(["half an answer"])]
            return anthropic.events_answer([*begun, End.CUT if words == "cut" else Gate(self.never)])
        if words == "stream":
            self._told(20, 7)
            return anthropic.stream("a", "b", input_tokens=20, output_tokens=7)
        self._told(1000, 50, cache_read_input_tokens=300)
        usage = anthropic.usage_of(1000, 50, cache_read_input_tokens=300)
        return anthropic.plain("hello", usage=usage)

    def _told(self, input_tokens: int, output_tokens: int, **_: int) -> None:
        self.input += input_tokens
        self.output += output_tokens

    @property
    def books(self) -> dict[str, int]:
        """Requests, errors, fresh input tokens, output tokens."""
        return {"requests": self.requests, "errors": self.errors, "input": self.input, "output": self.output}


async def get(shunt: Program, target: str) -> bytes:
    answer = await ask(shunt.port, b"GET", target.encode())
    assert answer.status == 200, answer.body
    return answer.body


async def leave(shunt: Program) -> None:
    """Begin a stream and go away in the middle of it."""
    body = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 64,
        "stream": True,
        "messages": [{"role": "user", "content": "leave"}],
    }
    host = b"127.0.0.1:%d" % shunt.port
    async with raw_client(shunt.port) as client:
        await client.send(request(b"POST", b"/v1/messages", MESSAGES, json.dumps(body).encode(), host=host))
        got = b""
        with trio.fail_after(60):
            while b"half an answer" not in got:
                got += await client.stream.receive_some(65536)


@asynccontextmanager
async def listening(shunt: Program) -> AsyncIterator[tuple[RawClient, bytearray]]:
    """Somebody who reads /events all the time."""
    heard = bytearray()

    async def read(client: RawClient) -> None:
        while piece := await client.stream.receive_some(65536):
            heard.extend(piece)

    async with raw_client(shunt.port) as client, trio.open_nursery() as nursery:
        host = b"127.0.0.1:%d" % shunt.port
        await client.send(request(b"GET", b"/events", (), b"", host=host))
        nursery.start_soon(read, client)
        with trio.fail_after(60):
            while b"hello" not in heard:  # noqa: ASYNC110 - bytes come when they come
                await trio.sleep(0.02)
        yield client, heard
        nursery.cancel_scope.cancel()


async def views(shunt: Program, heard: bytearray) -> dict[str, dict[str, int]]:
    """The same four numbers as every view shows them."""
    status = json.loads(await get(shunt, "/status"))
    sums = json.loads(await get(shunt, "/history?by=account"))["total"]
    listed = json.loads(await get(shunt, "/history?limit=1000"))["requests"]
    stats = json.loads(await get(shunt, "/debug/stats"))
    told = json.loads((await shunt.cli("history", "--by", "day", "--json")).stdout)["total"]
    finished = [
        json.loads(line.removeprefix("data: "))
        for before, line in zip(heard.decode().splitlines(), heard.decode().splitlines()[1:], strict=False)
        if before == "event: request_finished"
    ]
    return {
        "status": {
            "requests": status["savings"]["all_time_requests"],
            "errors": sum(_failed(one) for one in status["recent_requests"]),
            "input": status["savings"]["all_time_input"],
            "output": status["savings"]["all_time_output"],
        },
        "accounts": {
            **_of(listed),
            "input": sum(account["tokens_used"]["input"] for account in status["accounts"]),
            "output": sum(account["tokens_used"]["output"] for account in status["accounts"]),
        },
        "history": _of(listed),
        "sums": _sums(sums),
        "command": _sums(told),
        "stats": {
            "requests": stats["requests"],
            "errors": stats["errors"],
            "input": stats["tokens"]["input"],
            "output": stats["tokens"]["output"],
        },
        "metrics": _metrics((await get(shunt, "/metrics")).decode()),
        "events": _of(finished),
    }


def _failed(one: dict[str, Any]) -> bool:
    return one["outcome"] in ("refused", "failed", "cut")


def _of(requests: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "requests": len(requests),
        "errors": sum(map(_failed, requests)),
        "input": sum(one["input_tokens"] for one in requests),
        "output": sum(one["output_tokens"] for one in requests),
    }


def _sums(sums: dict[str, Any]) -> dict[str, int]:
    return {
        "requests": sums["requests"],
        "errors": sums["errors"],
        "input": sums["input_tokens"],
        "output": sums["output_tokens"],
    }


def _metrics(text: str) -> dict[str, int]:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def total(name: str, **labels: str) -> int:
        wanted = labels.items()
        return round(sum(s.value for s in samples if s.name == name and wanted <= s.labels.items()))

    return {
        "requests": total("shunt_requests_total"),
        "errors": total("shunt_errors_total"),
        "input": total("shunt_tokens_total", direction="input"),
        "output": total("shunt_tokens_total", direction="output"),
    }


async def test_all_views_show_the_vendor_s_own_numbers(tmp_path: Path) -> None:
    """Requests, errors and tokens: also when accounts are spent, streams break and clients leave."""
    vendor = Vendor()
    async with scripted_upstream(vendor) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("spent"), key_account("b"), key_account("c")])
        await shunt.start()
        async with listening(shunt) as (_, heard):
            async with trio.open_nursery() as nursery:
                for number in range(6):
                    nursery.start_soon(shunt.message, f"plain {number}")
            for words in ("stream", "cut", "stream"):
                await shunt.message(words, stream=True)
            assert (await shunt.message("refuse")).status == 400
            await leave(shunt)
            await shunt.message("stream", stream=True)
            assert vendor.books == {"requests": 12, "errors": 2, "input": 6084, "output": 323}
            seen: dict[str, dict[str, int]] = {}
            with trio.move_on_after(20):
                while any(view != vendor.books for view in seen.values()) or not seen:
                    await trio.sleep(0.2)
                    seen = await views(shunt, heard)
            assert seen == dict.fromkeys(seen, vendor.books)
        errors = json.loads(await get(shunt, "/debug/errors"))["errors"]
        assert sorted(one["outcome"] for one in errors) == ["cut", "refused"]
        explained = json.loads(await get(shunt, f"/explain/{errors[0]['id']}"))
        spent = explained["decisions"][0]["candidates"][0]
        assert (spent["account"], spent["fact"]["source"]) == ("spent", "header")


async def test_the_history_survives_a_kill(tmp_path: Path) -> None:
    """SIGKILL in the middle of work: what was written stays, the file is sound, and work goes on."""
    vendor = Vendor()
    async with scripted_upstream(vendor) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("b")])
        await shunt.start()
        kept = 0
        for _ in range(3):
            for number in range(5):
                await shunt.message(f"plain {number}")
            with trio.fail_after(60):
                while len(json.loads(await get(shunt, "/history"))["requests"]) < kept + 5:  # noqa: ASYNC110 - polled
                    await trio.sleep(0.1)
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(quietly, shunt, number)
                await trio.sleep(0.15)
                shunt.signal(signal.SIGKILL)
            await shunt.stopped()
            before, kept = kept + 5, rows(shunt)
            assert kept >= before
            await shunt.start()
        assert "cannot be used" not in shunt.output


def rows(shunt: Program) -> int:
    """How many requests the file of a stopped program holds, once it was found sound."""
    with closing(sqlite3.connect(shunt.home / "history.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute("SELECT count(*) FROM requests").fetchone()[0])


async def quietly(shunt: Program, number: int) -> None:
    """A request whose server may be killed under it."""
    try:
        await shunt.message(f"plain {number}")
    except (OSError, trio.BrokenResourceError, AssertionError, EOFError):
        return


async def test_open_pages_do_not_hold_up_the_end(tmp_path: Path) -> None:
    """A reader of /events is let go at once, long before running streams would have to end."""
    async with scripted_upstream([]) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("b")], server={"drain_seconds": 60})
        await shunt.start()
        async with listening(shunt):
            shunt.signal()
            assert await shunt.stopped(within=15) == 0


async def test_traces_go_to_a_configured_collector(tmp_path: Path) -> None:
    """By the library's own variables; without them it is never imported."""
    spans = trio.Event()

    def script(seen: Request, n: int) -> Answer:
        if seen.path == "/v1/traces":
            if b"attempt b" in seen.body and b"strategy maximus" in seen.body:
                spans.set()
            return Answer(200, ((b"content-type", b"application/x-protobuf"),), (b"",))
        return Vendor()(seen, n)

    async with scripted_upstream(script) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("b")])
        shunt.extra |= {
            "OTEL_EXPORTER_OTLP_ENDPOINT": up.url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        await shunt.start()
        await shunt.message("plain")
        with trio.fail_after(60):
            await spans.wait()
        assert await shunt.stop() == 0
