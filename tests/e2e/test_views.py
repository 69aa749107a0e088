"""Every view tells the same numbers, and they are the vendor's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio

from shunt.views.words import dollars
from tests.e2e.program import Program, key_account, program
from tests.fakes import anthropic
from tests.fakes.client import ask
from tests.fakes.upstream import scripted_upstream

SERVED, FRESH, OUT = 3, 120, 30


async def fetched(shunt: Program, target: bytes) -> Any:
    return json.loads((await ask(shunt.port, b"GET", target)).body)


async def written(shunt: Program, requests: int) -> dict[str, Any]:
    """What the history adds up to, once everything is in it: it is written in batches."""
    with trio.fail_after(30):
        while True:
            total: dict[str, Any] = (await fetched(shunt, b"/history?by=account&since=24h"))["total"]
            if total["requests"] >= requests:
                return total
            await trio.sleep(0.1)


async def test_all_views_tell_the_vendor_s_own_numbers(tmp_path: Path) -> None:
    """Requests, errors, tokens and price: in /status, /history, the line for a prompt and the JSON for a script."""
    usage = anthropic.usage_of(FRESH, OUT)
    answers = [anthropic.plain(usage=usage)] * SERVED + [
        anthropic.refusal(400, "invalid_request_error", "no")
    ]
    async with scripted_upstream(answers) as up, program(tmp_path, up.url) as shunt:
        shunt.configure([key_account("a")])
        await shunt.start()
        for _ in answers:
            await shunt.message()
        total, status = await written(shunt, len(answers)), await shunt.status()
        assert len(up.requests) == len(status["recent_requests"]) == total["requests"] == len(answers)
        errors = sum(request["status"] >= 400 for request in status["recent_requests"])
        assert errors == total["errors"] == 1
        account = status["accounts"][0]["tokens_used"]
        assert (account["input"], account["output"]) == (SERVED * FRESH, SERVED * OUT)
        assert (total["input_tokens"], total["output_tokens"]) == (SERVED * FRESH, SERVED * OUT)
        paid = status["savings"]["today_cost_usd"]
        assert paid == pytest.approx(total["cost_usd"], abs=1e-5)
        assert status["savings"]["today_metered_usd"] == paid
        where = ("--home", str(shunt.home), "--url", f"http://127.0.0.1:{shunt.port}")
        line = await shunt.cli("status", "--format", "{paid_today} {saved_today} {account}", *where)
        assert line.stdout.decode().strip() == f"{dollars(paid)} $0.00 a"
        told = json.loads((await shunt.cli("status", "--json", *where)).stdout)
        assert told["savings"] == status["savings"]
        shown = (await shunt.cli("status", *where)).stdout.decode()
        assert f"paid, at API prices: {dollars(paid)} today" in shown
        assert "saved" not in shown
