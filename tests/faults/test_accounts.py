"""Limits, cooldowns and fail-over, and many requests at once."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
import trio

from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.fakes.upstream import Answer, Request
from tests.faults.house import CHAT, MESSAGES, House, ends_in_error
from tests.faults.stage import counting, message

RETRY_AFTER = [
    b"7",
    b"0",
    b"-1",
    b"1000000000",
    b"soon",
    b"Fri, 31 Dec 1999 23:59:59 GMT",
    b"1e9",
    b"nan",
    b"",
]


@pytest.mark.parametrize("value", RETRY_AFTER)
async def test_a_429_with_any_retry_after(house: House, value: bytes) -> None:
    """Another account answers; the limited one comes back within its bounds, never later than 8 days."""
    turn: list[str] = []

    def once(request: Request) -> Answer:
        turn.append(request.key)
        return anthropic.throttled(value.decode()) if len(turn) == 1 else anthropic.plain("hi")

    with house.playing(once) as mark:
        assert (await house.ask(mark=mark)).status == 200
    await within_bounds(house)


@pytest.mark.parametrize("reset", [0.0, -5.0, 4e12, 1e300], ids=["1970", "negative", "in-ms", "far"])
async def test_a_reset_at_an_odd_time(house: House, reset: float) -> None:
    """In the past, in milliseconds or absurdly far: no account is out for good."""
    turn: list[str] = []

    def once(request: Request) -> Answer:
        turn.append(request.key)
        return anthropic.rejected(reset) if len(turn) == 1 else anthropic.plain("hi")

    with house.playing(once) as mark:
        assert (await house.ask(mark=mark)).status == 200
    await within_bounds(house)


async def within_bounds(house: House) -> None:
    """No account may be cooling for longer than the longest window."""
    for account in (await house.get("/status"))["accounts"]:
        until = (account["cooldown_until_ms"] or 0) / 1000
        assert until < time.time() + 8 * 86_400, account


async def test_all_accounts_spent(house: House) -> None:
    """429 with when to come back, and the accounts by name."""
    with house.playing(lambda _: anthropic.rejected(time.time() + 600)) as mark:
        answer = await house.ask(mark=mark)
        chat = await house.ask(CHAT, mark)
    for told in (answer, chat):
        assert told.status == 429
        assert 0 < int(told.get(b"retry-after") or 0) <= 700


async def test_a_held_stream_is_kept_alive_and_served(house: House) -> None:
    """When the limit ends, the requests that waited are served, and not all at once at one account."""
    rested = time.time() + 4

    def limited(request: Request) -> Answer:
        return anthropic.rejected(rested) if time.time() < rested else anthropic.stream("hi")

    served = 0
    with house.playing(limited) as mark:

        async def wait() -> None:
            nonlocal served
            headers = ((b"x-shunt-wait", b"2m"),)
            answer = await house.ask(mark=mark, stream=True, headers=headers, within=90)
            served += b"message_stop" in answer.body
            house.first_bytes.pop(mark, None)

        async with trio.open_nursery() as nursery:
            for _ in range(30):
                nursery.start_soon(wait)
    assert served == 30


async def test_an_account_that_flaps(house: House) -> None:
    """Now served, now limited: requests go on being served by whoever can."""
    turns: dict[str, int] = {}

    def flapping(request: Request) -> Answer:
        turns[request.key] = turns.get(request.key, 0) + 1
        bad = request.key == house.canaries["coral"] and turns[request.key] % 2
        return anthropic.throttled("1") if bad else anthropic.plain("hi")

    with house.playing(flapping) as mark:
        for _ in range(20):
            assert (await house.ask(mark=mark)).status == 200
            house.first_bytes.clear()


async def test_one_account_alone_is_tried_within_bounds(house: House) -> None:
    """Asked for by name and overloaded: a few tries, then the vendor's own error."""
    with house.playing(lambda _: anthropic.overloaded()) as mark:
        answer = await house.ask(mark=mark, headers=((b"x-shunt-account", b"coral"),))
    assert answer.status >= 500
    assert len(house.stage.arrived(mark)) <= 6


async def test_an_account_that_is_not_there(house: House) -> None:
    """Named by a header: a clear refusal; pinned: likewise, and nothing changes."""
    answer = await house.ask(headers=((b"x-shunt-account", b"nobody"),))
    assert answer.status in (400, 404, 409, 503)
    assert b"nobody" in answer.body
    async with raw_client(house.port) as client:
        kind = ((b"content-type", b"application/json"),)
        pinned = await client.ask(b"POST", b"/use", kind, b'{"account": "nobody"}')
    assert pinned.status in (404, 409)
    assert (await house.get("/status"))["pinned_account"] is None


async def test_a_storm_of_cancels(house: House) -> None:
    """Three hundred requests leave at once, ten times: nothing is left over."""
    with house.playing(lambda _: counting(50)) as mark:

        async def leave(after: float) -> None:
            try:
                async with raw_client(house.port) as client:
                    await client.send(request(b"POST", MESSAGES, (), message(f"x {mark}", stream=True)))
                    await trio.sleep(after)
            except (OSError, trio.BrokenResourceError):
                pass

        for storm in range(10):
            async with trio.open_nursery() as nursery:
                for n in range(100):
                    nursery.start_soon(leave, (n % 10) * 0.004 * (storm % 3))
    assert (await house.ask()).status == 200


async def test_steering_while_hundreds_choose(house: House) -> None:
    """Pins and strategies change under load: every request is served."""
    statuses: list[int] = []

    async def ask() -> None:
        statuses.append((await house.ask()).status)

    async def steer() -> None:
        kind = ((b"content-type", b"application/json"),)
        for n in range(20):
            async with raw_client(house.port) as client:
                account = ("coral", "reef", "auto")[n % 3]
                await client.ask(b"POST", b"/use", kind, json.dumps({"account": account}).encode())
            async with raw_client(house.port) as client:
                strategy = ("maximus", "carousel", "cushion")[n % 3]
                await client.ask(b"PUT", b"/strategy", kind, json.dumps({"strategy": strategy}).encode())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(steer)
        for _ in range(200):
            nursery.start_soon(ask)
            await trio.sleep(0.005)
    async with raw_client(house.port) as client:
        await client.ask(b"DELETE", b"/strategy")
    async with raw_client(house.port) as client:
        kind = ((b"content-type", b"application/json"),)
        await client.ask(b"POST", b"/use", kind, b'{"account": "auto"}')
    assert set(statuses) == {200}


async def test_a_short_request_beside_many_streams(house: House) -> None:
    """Two hundred long streams do not keep a short request waiting for long."""
    with house.playing(lambda _: counting(30)) as mark:
        async with trio.open_nursery() as nursery:

            async def stream() -> None:
                answer = await house.ask(mark=mark, stream=True, within=90)
                assert ends_in_error(MESSAGES, answer.body)  # it was never ended properly

            for _ in range(200):
                nursery.start_soon(stream)
            await trio.sleep(1)
            begun = time.monotonic()
            assert (await house.ask()).status == 200
            assert time.monotonic() - begun < 10
    house.first_bytes.clear()


async def test_a_body_limit_for_all(house: House) -> None:
    """Twelve bodies of 30 MiB at once: some are told to come back, none is lost, and memory is free again."""
    large = message("x" * 30 * 1024 * 1024)
    statuses: list[int] = []

    async def ask() -> None:
        async with raw_client(house.port) as client:
            with suppress(OSError, trio.BrokenResourceError):  # refused before it was read
                await client.send(request(b"POST", MESSAGES, (), large))
            answer = await client.response()
            statuses.append(answer.status)
            if answer.status == 503:
                assert answer.get(b"retry-after")

    with trio.fail_after(110):
        async with trio.open_nursery() as nursery:
            for _ in range(12):
                nursery.start_soon(ask)
                await trio.sleep(0.1)
    assert set(statuses) <= {200, 503, 408}
    assert 200 in statuses
