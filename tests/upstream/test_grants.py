"""Making and ending logins at a vendor."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.credential import Identity, Login
from shunt.accounts.secret import Secret
from shunt.config.types import EndpointsConfig
from shunt.errors import LoginFailed
from shunt.providers import provider_named
from shunt.providers.codex_sign_in import SIGN_IN as CODEX
from shunt.providers.sign_in import DeviceCode, ticket
from shunt.upstream.client import open_upstream
from shunt.upstream.grants import Grants, of_ticket
from shunt.upstream.timeouts import Timeouts
from tests.fakes.anthropic import json_answer
from tests.fakes.upstream import Answer, End, Framing, Script, ScriptedUpstream, scripted_upstream

NOW = 1_763_715_600.0
TICKET = ticket(bytes(range(64)))
LOGIN = Login(Secret("canary-access"), Secret("canary-refresh"), NOW + 60, identity=Identity("acc-1"))
STARTED = {"device_auth_id": "canary-device", "user_code": "ABCD-1234", "interval": "5"}
DONE = {"authorization_code": "canary-code", "code_verifier": "canary-verifier"}


@pytest.fixture
def clock() -> MockClock:
    """Jumps over waits, but not over bytes on their way through the kernel."""
    return MockClock(autojump_threshold=0.05)


def _device() -> DeviceCode:
    assert CODEX.device is not None
    return CODEX.device


@asynccontextmanager
async def grants(script: Script, provider: str = "codex") -> AsyncIterator[tuple[Grants, ScriptedUpstream]]:
    """A vendor that answers as written."""
    kind = provider_named(provider).login
    assert kind is not None
    assert kind.sign_in is not None
    async with scripted_upstream(script) as up, open_upstream(Timeouts()) as upstream:
        endpoints = EndpointsConfig(
            anthropic_url=up.url,
            anthropic_token_url=f"{up.url}/v1/oauth/token",
            openai_token_url=f"{up.url}/oauth/token",
            openai_device_url=up.url,
        )
        yield Grants(upstream, kind, kind.sign_in, endpoints, lambda: NOW), up


async def waits(answers: list[Answer], interval: str = "5") -> tuple[list[float], str]:
    """Log in by device code; the seconds between its polls, and how it ended."""
    async with grants([json_answer({**STARTED, "interval": interval}), *answers]) as (vendor, up):
        pairing = await vendor.pair(_device())
        try:
            ended = (await vendor.authorized(_device(), pairing)).code.reveal()
        except LoginFailed as error:
            ended = str(error)
        moments = [request.arrived for request in up.requests]
    return [round(later - earlier) for earlier, later in pairwise(moments)], ended


async def test_a_device_code_is_asked_about_as_often_as_the_vendor_bears(clock: MockClock) -> None:
    """`authorization_pending` and 403 keep the pace; `slow_down`, 429 and 5xx slow it down for good."""
    pending = json_answer({"error": {"code": "deviceauth_authorization_unknown"}}, 403)
    script = [
        pending,
        json_answer({"error": "authorization_pending"}, 400),
        json_answer({"error": "slow_down"}, 400),
        json_answer({}, 404),
        Answer(500),
        json_answer(DONE),
    ]
    between, ended = await waits(script)
    assert ended == "canary-code"
    assert between == [5, 5, 5, 10, 10, 15]


async def test_a_pulled_cable_does_not_end_a_device_code(clock: MockClock) -> None:
    """The code lives on at the vendor, so shunt asks again."""
    _, ended = await waits([Answer(framing=Framing.RAW, steps=(End.RST,)), json_answer(DONE)])
    assert ended == "canary-code"


async def test_a_device_code_that_nobody_types_ends(clock: MockClock) -> None:
    """After 15 minutes, with a word about what to do."""
    between, ended = await waits([json_answer({"error": "authorization_pending"}, 400)] * 14, "60")
    assert "expired" in ended
    assert sum(between) <= 15 * 60


@pytest.mark.parametrize("error", ["expired_token", "access_denied"])
async def test_a_device_code_that_the_vendor_ends_is_over(error: str, clock: MockClock) -> None:
    """It is not asked about again."""
    between, ended = await waits([json_answer({"error": error}, 400)])
    assert len(between) == 1
    assert "Run the command again" in ended


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(404), "--paste"),
        (json_answer({"error": "busy"}, 429), "429"),
        (json_answer({}), "not a device code"),
        (json_answer({**STARTED, "user_code": "\x1b[31m"}), "not a device code"),
        (Answer(200, steps=(b"<html>",)), "gave no device code"),
        (Answer(200, steps=(b"x" * 70_000,)), "far more"),
    ],
)
async def test_a_vendor_without_device_codes_is_named(answer: Answer, said: str) -> None:
    """Nothing of a strange answer is shown."""
    async with grants([answer]) as (vendor, _):
        with pytest.raises(LoginFailed, match=said):
            await vendor.pair(_device())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (json_answer({"error": "invalid_grant", "error_description": "canary"}, 400), "invalid_grant"),
        (json_answer({"access_token": "canary-a"}), "cannot be renewed"),
        (json_answer({"refresh_token": "canary-r"}), "without an access token"),
        (json_answer({"access_token": "canary a", "refresh_token": "canary-r"}), "malformed"),
        (json_answer([1]), "not a login"),
        (Answer(302, ((b"Location", b"https://evil.test/"),)), "302"),
    ],
)
async def test_what_is_no_login_is_not_taken_for_one(answer: Answer, said: str) -> None:
    """Every answer but a whole login ends with words that show nothing of it."""
    async with grants([answer], "anthropic") as (vendor, _):
        with pytest.raises(LoginFailed, match=said) as caught:
            await vendor.exchange(of_ticket(Secret("canary-code"), "http://localhost/cb", TICKET))
    assert "canary" not in str(caught.value)


async def test_a_vendor_that_is_not_there_is_named() -> None:
    """A connection that breaks is told as such."""
    async with grants([Answer(framing=Framing.RAW, steps=(End.RST,))], "anthropic") as (vendor, _):
        with pytest.raises(LoginFailed, match=r"127\.0\.0\.1"):
            await vendor.exchange(of_ticket(Secret("c"), "http://localhost/cb", TICKET))


@pytest.mark.parametrize(
    ("provider", "kind", "path"),
    [("anthropic", "form", "/v1/oauth/revoke"), ("codex", "json", "/oauth/revoke")],
)
async def test_a_login_is_ended_at_its_own_vendor(provider: str, kind: str, path: str) -> None:
    """The refresh token is sent there, in the shape that vendor reads."""
    async with grants([Answer(200)], provider) as (vendor, up):
        await vendor.revoke(LOGIN)
    sent = up.requests[0]
    assert sent.path == path
    if kind == "json":
        assert json.loads(sent.body)["token"] == "canary-refresh"
    else:
        assert b"token=canary-refresh&token_type_hint=refresh_token" in sent.body


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Answer(503), False),
        (Answer(404), False),
        (json_answer({"error": "not_found"}, 404), False),  # of the address, perhaps
        (json_answer({"error": "invalid_request"}, 400), False),
        (json_answer({"error": "invalid_grant"}, 400), True),
        (json_answer({"error": "invalid_token"}, 401), True),
    ],
)
async def test_a_revocation_that_is_not_confirmed_is_told(answer: Answer, *, ended: bool) -> None:
    """So that nobody believes a login ended that lives; one that was dead before is no failure."""
    async with grants([answer], "anthropic") as (vendor, _):
        if ended:
            await vendor.revoke(LOGIN)
        else:
            with pytest.raises(LoginFailed, match=str(answer.status)):
                await vendor.revoke(LOGIN)


@pytest.mark.parametrize(
    ("answer", "email"),
    [
        (json_answer({"account": {"uuid": "acc-1", "email": "u@example.test"}}), "u@example.test"),
        (json_answer({"account": {"uuid": "acc-2", "email": "other@example.test"}}), ""),
        (json_answer([]), ""),
        (Answer(500), ""),
        (Answer(framing=Framing.RAW, steps=(End.RST,)), ""),
    ],
)
async def test_a_profile_completes_what_is_known_and_never_stands_in_the_way(
    answer: Answer, email: str
) -> None:
    """Another account's profile is not believed."""
    async with grants([answer], "anthropic") as (vendor, _):
        found = await vendor.identified(LOGIN)
    assert (found.identity.account_id, found.identity.email) == ("acc-1", email)


async def test_logins_do_not_travel_without_tls() -> None:
    """An address elsewhere has to be https, whatever was configured."""
    kind = provider_named("anthropic").login
    assert kind is not None
    assert kind.sign_in is not None
    async with open_upstream(Timeouts()) as upstream:
        endpoints = EndpointsConfig(anthropic_token_url="http://elsewhere.example.test/token")
        vendor = Grants(upstream, kind, kind.sign_in, endpoints, lambda: NOW)
        with pytest.raises(LoginFailed, match="TLS"):
            await vendor.revoke(LOGIN)
        await trio.lowlevel.checkpoint()
