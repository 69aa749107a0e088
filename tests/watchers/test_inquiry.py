"""Questions to a vendor about an account, and what becomes of the answers."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.errors import ShuntError, UpstreamTimeout, UpstreamUnexpected
from shunt.limits.windows import Source
from shunt.providers.base import UpstreamCall
from shunt.watchers.inquiry import ask_usage, probe
from shunt.wire import json
from shunt.wire.headers import get
from tests.fakes.pools import T0, window
from tests.watchers.stand_ins import FakeReply, bench

LIMITS = (
    (b"anthropic-ratelimit-unified-5h-utilization", b"0.3"),
    (b"anthropic-ratelimit-unified-5h-reset", b"1790010000"),
)


async def test_the_usage_endpoint_teaches_the_pool() -> None:
    """What it tells replaces what was known."""
    desk = bench("a", windows=(window("5h", 0.7, source=Source.USAGE_ENDPOINT),))
    assert await ask_usage(desk.parts(), "a") is True
    assert desk.pool.state.accounts["a"].windows["5h"].used == 0.7


async def test_nothing_told_is_nothing_learnt() -> None:
    """While the endpoint wants its peace, what is known stays."""
    desk = bench("a")
    before = desk.pool.state
    assert await ask_usage(desk.parts(), "a") is False
    assert desk.pool.state == before


async def test_a_probe_is_the_smallest_request_and_its_headers_teach(autojump_clock: MockClock) -> None:
    """One token of the smallest model, with the account's own credential, and the answer is read up."""
    reply = FakeReply(LIMITS)
    desk = bench("a", reply=reply)
    assert await probe(desk.parts(), "a") is True
    (call,) = desk.sent
    body = json.decode_object(call.body)
    assert (call.method, call.target, body["max_tokens"]) == ("POST", b"/v1/messages", 1)
    assert "haiku" in body["model"]
    assert get(call.headers, b"authorization") == b"Bearer sk-test-a"
    learnt = desk.pool.state.accounts["a"].windows["5h"]
    assert (learnt.used, learnt.source, learnt.seen_at) == (0.3, Source.PROBE, T0)
    assert reply.closed


@pytest.mark.parametrize("ask", [ask_usage, probe])
@pytest.mark.parametrize("error", [UpstreamUnexpected("status 401"), UpstreamTimeout("silence")])
async def test_a_failure_says_nothing_about_the_account(
    ask: object, error: ShuntError, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not benched, not marked for a new login, and nobody is disturbed."""
    desk = bench("a", trouble=error)
    before = desk.pool.state
    assert callable(ask)
    with caplog.at_level("INFO"):
        assert await ask(desk.parts(), "a") is False
    assert desk.pool.state == before
    assert str(error) in caplog.text


@pytest.mark.parametrize("ask", [ask_usage, probe])
async def test_without_account_or_login_nothing_is_sent(ask: object) -> None:
    """An account may be removed, or lose its login, while it is being looked at."""
    desk = bench("a")
    assert callable(ask)
    assert await ask(desk.parts(), "gone") is False
    desk.custody.held.clear()
    assert await ask(desk.parts(), "a") is False
    assert desk.asked == []
    assert desk.sent == []


async def test_a_provider_without_probe_is_not_probed() -> None:
    """Its answers would tell nothing about windows."""
    desk = bench("a")
    (given,) = desk.pool.accounts.values()
    compatible = type(given)("a", "anthropic-compatible", "http://127.0.0.1:9", subscription=False)
    desk.pool.reconfigure([compatible], desk.pool.view().tuning, 60)
    desk.custody.held["a"] = ApiKey(Secret("sk-test-key"))
    assert await probe(desk.parts(), "a") is False
    assert desk.sent == []


async def test_a_probe_does_not_wait_for_ever(autojump_clock: MockClock) -> None:
    """A vendor that says nothing is given up on after ten seconds."""
    desk = bench("a")

    async def silent(call: UpstreamCall) -> FakeReply:
        await trio.sleep_forever()
        raise AssertionError

    assert await probe(desk.parts(send=silent), "a") is False
    assert trio.current_time() == 10
