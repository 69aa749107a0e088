"""The guided minute, told of a shunt that is played by a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from shunt.demo import http1, story, words
from shunt.demo.http1 import Answer, Request
from shunt.demo.login import SimulatedLogin
from shunt.demo.quota import WEEK, Quota
from shunt.demo.story import Story
from shunt.demo.vendor import SimulatedAccount, Vendor
from shunt.wire import json
from tests.fakes.clocks import socket_clock

T0 = 1_900_000_000.0
Step = Callable[[Vendor], tuple[str, int, float]]
"""Plays shunt for one request; returns account, attempts and seconds."""


@pytest.fixture
def autojump_clock() -> MockClock:
    return socket_clock()


def vendor() -> Vendor:
    quota = Quota(answers=2, period=30.0, weekly=0.1, week_ends=T0 + WEEK)
    accounts = {name: SimulatedAccount(SimulatedLogin(name), quota) for name in ("coral", "reef")}
    return Vendor(lambda: T0 + trio.current_time(), accounts)


def served(account: str, attempts: int = 1, seconds: float = 0.0) -> Step:
    return lambda _: (account, attempts, seconds)


def renewed(account: str) -> Step:
    def step(where: Vendor) -> tuple[str, int, float]:
        where.accounts[account].refreshes += 1
        return account, 1, 0.0

    return step


@asynccontextmanager
async def playing(where: Vendor, steps: Iterator[Step], *, status: int = 200) -> AsyncIterator[str]:
    """Be shunt at a port: one step per Messages request, everything cooling in /status."""
    asked: list[Any] = []

    def answer(request: Request) -> Answer:
        if request.path == "/status":
            until = int(1000 * (T0 + 40))
            accounts = [
                {"name": name, "status": "cooling", "cooldown_until_ms": until} for name in where.accounts
            ]
            return Answer(200, (), [json.encode({"accounts": accounts})])
        asked.append(json.value(request.body))
        assert [it["role"] for it in asked[-1]["messages"]] == ["user", "assistant"] * (len(asked) - 1) + [
            "user"
        ]
        account, attempts, seconds = next(steps)(where)
        headers = (("x-shunt-account", account), ("x-shunt-attempts", str(attempts)))
        tokens = words.reply(account, asked[-1])
        stream = b"".join(words.events(1, "m", tokens, 1))
        return Answer(status, headers, [stream], pause=seconds)

    async with trio.open_nursery() as nursery, http1.listening(nursery, answer) as base_url:
        yield base_url


async def told(*steps: Step, status: int = 200) -> list[str]:
    where = vendor()
    lines: list[str] = []
    async with playing(where, iter(steps), status=status) as base_url:
        await Story(base_url, where, lines.append).tell()
    return [line.partition("  ")[2].strip() for line in lines]


async def test_everything_that_happens_is_told_once_and_in_order(autojump_clock: MockClock) -> None:
    """Routing, failover, the ended token, its refresh, the held request with its countdown, its release."""
    lines = await told(
        served("coral"),
        served("coral"),
        served("reef", attempts=2),
        renewed("reef"),
        served("coral", attempts=1, seconds=16.0),
    )
    expected = [
        "a simulated vendor with the accounts coral, reef",
        "an agent begins to work",
        "request 1 → coral",
        "request 2 → coral",
        "account coral is spent (429) and rests for 3",
        "request 3 → reef",
        "the vendor ends reef's access token",
        "401 → reef's login refreshed once, request 4 answered by it",
        "all accounts are spent → request 5 is held",
        "coral is back in 3",
        "coral is back in 2",
        "coral is back in 2",
        "coral's window has reset → request 5 answered",
        "that was the tour",
    ]
    assert len(lines) > len(expected)
    for line, begin in zip(lines, expected, strict=False):
        assert line.startswith(begin)


async def test_lines_carry_the_time_since_the_beginning(autojump_clock: MockClock) -> None:
    """A reader sees minutes and seconds in front of each event."""
    where = vendor()
    lines: list[str] = []
    async with playing(where, iter([served("coral", seconds=70.0)])) as base_url:
        await Story(base_url, where, lines.append).tell()
    assert lines[0].startswith("00:00  ")
    released = next(line for line in lines if "has reset" in line)
    assert released.startswith("01:1")


async def test_what_to_try_next_names_the_port(autojump_clock: MockClock) -> None:
    """The last lines can be copied: a status call, a request, and Claude Code."""
    where = vendor()
    lines: list[str] = []
    async with playing(where, iter([served("coral", seconds=10.0)])) as base_url:
        await Story(base_url, where, lines.append).tell()
    text = "\n".join(lines)
    assert f"curl {base_url}/status" in text
    assert f"ANTHROPIC_BASE_URL={base_url} ANTHROPIC_AUTH_TOKEN=demo claude -p hi" in text


async def test_an_error_is_told_as_it_is(autojump_clock: MockClock) -> None:
    """If shunt answers with an error, the story says so and stops."""
    lines = await told(served("coral"), status=503)
    assert any("answered with status 503" in line for line in lines)


async def test_a_story_ends_even_if_no_account_runs_dry(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strategy or a quota that never spends an account does not make the story endless."""
    monkeypatch.setattr(story, "MOST_REQUESTS", 4)
    lines = await told(*[served("coral")] * 4)
    assert sum(line.startswith("request ") for line in lines) == 4
    assert any(line.startswith("that was the tour") for line in lines)


async def test_a_request_that_is_never_answered_is_given_up(autojump_clock: MockClock) -> None:
    """After a bounded time the story goes on to its end."""
    lines = await told(served("coral", seconds=3600.0))
    assert any("no answer after" in line for line in lines)
    assert any(line.startswith("that was the tour") for line in lines)


async def test_a_server_that_is_gone_ends_the_story_quietly(autojump_clock: MockClock) -> None:
    """When shunt stops in the middle, the story says one line and raises nothing."""
    lines: list[str] = []
    async with playing(vendor(), iter([])) as base_url:
        pass
    await Story(base_url, vendor(), lines.append).tell()
    assert lines[-1].endswith(f"the story ends here: {base_url} does not answer any more")


@pytest.mark.parametrize(
    ("status", "resets"),
    [
        ({"accounts": [{"name": "a", "status": "cooling", "cooldown_until_ms": 5000}]}, {"a": 5.0}),
        (
            {
                "accounts": [
                    {"name": "a", "status": "cooling", "cooldown_until_ms": 5000},
                    {"name": "b", "status": "available", "cooldown_until_ms": None},
                ]
            },
            {"a": 5.0},
        ),
        ({"accounts": []}, {}),
        ({"accounts": ["?"]}, {}),
        ({"error": "no"}, {}),
        (None, {}),
    ],
)
def test_cooldowns_are_read_from_status(status: Any, resets: dict[str, float]) -> None:
    """Accounts that are cooling, with the time each is back; anything unexpected is nobody."""
    assert story.cooldowns(status) == resets
