"""The free usage endpoint: asked rarely, left alone when it says so."""

from __future__ import annotations

import pytest
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.account import Account
from shunt.accounts.credential import ApiKey, Login
from shunt.accounts.secret import Secret
from shunt.errors import UpstreamUnexpected, UpstreamUnreachable
from shunt.limits.windows import Source
from shunt.providers import provider_named
from shunt.upstream.client import open_upstream
from shunt.upstream.timeouts import Timeouts
from shunt.upstream.usage import FIRST_PAUSE, LONGEST_PAUSE, UsageEndpoint
from tests.fakes import anthropic
from tests.fakes.clocks import socket_clock
from tests.fakes.upstream import Answer, End, closed_port, raw, scripted_upstream

ACCOUNT = Account("main", "anthropic", "http://127.0.0.1:1", subscription=True)
PROVIDER = provider_named("anthropic")
LOGIN = Login(Secret("sk-ant-oat01-test-1"), Secret("sk-ant-ort01-test-1"), None)


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


class Time:
    """A clock to set."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def __call__(self) -> float:
        return self.now


async def test_learns_windows() -> None:
    """The account's windows come from its own vendor's address, asked with its own login."""
    async with scripted_upstream([anthropic.usage_document()]) as up, open_upstream(Timeouts()) as upstream:
        account = evolve(ACCOUNT, base_url=f"{up.url}/proxied/v1", headers=((b"x-extra", b"1"),))
        windows = await UsageEndpoint(upstream, Time()).fetch(account, PROVIDER, LOGIN)
        (seen,) = up.requests
    assert {window.name: window.used for window in windows} == {"5h": 0.12, "7d": 0.345}
    assert {window.source for window in windows} == {Source.USAGE_ENDPOINT}
    assert (seen.method, seen.target, seen.key) == ("GET", b"/proxied/api/oauth/usage", LOGIN.access.reveal())
    assert (seen.get(b"x-extra"), seen.get(b"anthropic-beta")) == (b"1", b"oauth-2025-04-20")


async def test_keys_have_no_usage_endpoint() -> None:
    """Nothing is asked for API keys, nor of vendors without such an endpoint."""
    async with open_upstream(Timeouts()) as upstream:
        usage = UsageEndpoint(upstream, Time())
        assert await usage.fetch(ACCOUNT, PROVIDER, ApiKey(Secret("sk-test-1"))) == ()
        assert await usage.fetch(ACCOUNT, provider_named("anthropic-compatible"), LOGIN) == ()


async def test_backs_off_per_token() -> None:
    """Each 429 doubles the pause of that token, from a quarter of an hour to hours; a longer Retry-After
    is honoured, one of zero says nothing; other tokens are not affected; an answer ends it."""
    script = [
        anthropic.throttled("0"),
        anthropic.usage_document(),
        anthropic.throttled("0"),
        anthropic.throttled("9000"),
        anthropic.throttled("999999"),
        anthropic.usage_document(),
        anthropic.throttled(),
    ]
    time = Time()
    async with scripted_upstream(script) as up, open_upstream(Timeouts()) as upstream:
        usage, account = UsageEndpoint(upstream, time), evolve(ACCOUNT, base_url=up.url)
        other = evolve(LOGIN, access=Secret("sk-ant-oat01-test-2"))
        pauses = []

        async def ask(login: Login = LOGIN) -> bool:
            learnt = bool(await usage.fetch(account, PROVIDER, login))
            until = usage.pausing_until(login)
            pauses.append(None if until is None else until - time.now)
            time.now = until or time.now
            return learnt

        assert not await ask()
        time.now -= 1
        assert await usage.fetch(account, PROVIDER, LOGIN) == ()
        assert len(up.requests) == 1
        assert await ask(other)
        time.now += 1
        learnt = [await ask() for _ in range(5)]
    assert learnt == [False, False, False, True, False]
    assert pauses == [FIRST_PAUSE, None, FIRST_PAUSE * 2, 9000, LONGEST_PAUSE, None, FIRST_PAUSE]


@pytest.mark.parametrize(
    "answer", [anthropic.unauthorized(), anthropic.server_error(), Answer(302), Answer(204)]
)
async def test_other_answers_are_no_usage(answer: Answer) -> None:
    """Anything but usage is an error that names the account, never an empty set of facts."""
    async with scripted_upstream([answer]) as up, open_upstream(Timeouts()) as upstream:
        usage = UsageEndpoint(upstream, Time())
        with pytest.raises(UpstreamUnexpected, match=f"main with status {answer.status}"):
            await usage.fetch(evolve(ACCOUNT, base_url=up.url), PROVIDER, LOGIN)
        assert upstream.in_flight == 0


async def test_does_not_wait_long(clock: MockClock) -> None:
    """A silent endpoint is given up after ten seconds, an absent one at once."""
    async with scripted_upstream([raw(End.NEVER)]) as up, open_upstream(Timeouts()) as upstream:
        usage = UsageEndpoint(upstream, Time())
        with pytest.raises(UpstreamUnexpected, match="within 10 s"):
            await usage.fetch(evolve(ACCOUNT, base_url=up.url), PROVIDER, LOGIN)
        with pytest.raises(UpstreamUnreachable):
            await usage.fetch(evolve(ACCOUNT, base_url=f"http://127.0.0.1:{closed_port()}"), PROVIDER, LOGIN)
        assert upstream.in_flight == 0
