"""Logins from begin to end against a fake vendor on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import trio
from attrs import define, field

from shunt.config.types import EndpointsConfig
from shunt.errors import LoginFailed
from shunt.logins.flow import Flow, NobodyToAsk, Way
from shunt.providers import provider_named
from shunt.providers.sign_in import ticket
from shunt.upstream.client import open_upstream
from shunt.upstream.grants import Grants
from shunt.upstream.timeouts import Timeouts
from tests.e2e.program import free_port
from tests.fakes.anthropic import json_answer
from tests.fakes.authority import Authority
from tests.fakes.client import ask
from tests.fakes.upstream import scripted_upstream

NOW = 1_763_715_600.0
TICKET = ticket(bytes(range(64)))


@define
class Script:
    """A person who pastes what is written down, and remembers what was said."""

    pastes: list[str] = field(factory=list)
    told: list[str] = field(factory=list)

    def tell(self, text: str) -> None:
        self.told.append(text)

    def ask(self, question: str) -> str:
        if not self.pastes:
            raise NobodyToAsk("nobody")
        return self.pastes.pop(0)


@define
class Scene:
    """One login about to happen."""

    authority: Authority
    person: Script
    flow: Flow
    opened: list[str]


@asynccontextmanager
async def scene(provider: str = "anthropic", *, port: int = 0, browser: bool = True) -> AsyncIterator[Scene]:
    """A vendor, a person, and the flow between them."""
    authority, person, opened = Authority(), Script(), list[str]()
    kind = provider_named(provider).login
    assert kind is not None
    assert kind.sign_in is not None
    async with scripted_upstream(authority) as up, open_upstream(Timeouts()) as upstream:
        endpoints = EndpointsConfig(
            anthropic_url=up.url,
            anthropic_token_url=f"{up.url}/v1/oauth/token",
            openai_token_url=f"{up.url}/oauth/token",
            anthropic_authorize_url=f"{up.url}/oauth/authorize",
            openai_authorize_url=f"{up.url}/oauth/authorize",
            openai_device_url=up.url,
        )
        grants = Grants(upstream, kind, kind.sign_in, endpoints, lambda: NOW)

        def open_page(page: str) -> bool:
            opened.append(page)
            return browser

        flow = Flow(kind, kind.sign_in, endpoints, grants, person, open_page, TICKET, port or free_port())
        yield Scene(authority, person, flow, opened)


def asked(page: str) -> dict[str, str]:
    """The parameters of the page."""
    return dict(parse_qsl(urlsplit(page).query))


async def until(ready: Callable[[], bool]) -> None:
    """Wait for something that tells nobody."""
    with trio.fail_after(40):
        while not ready():  # noqa: ASYNC110 - a list tells nobody that it grew
            await trio.sleep(0.01)


async def come_back(here: Scene, **told: str) -> int:
    """Return from the browser, as the vendor's page sends it."""
    await until(lambda: bool(here.opened))
    redirect = urlsplit(asked(here.opened[0])["redirect_uri"])
    assert redirect.port is not None
    host = f"localhost:{redirect.port}".encode()
    target = f"{redirect.path}?{urlencode(told)}".encode()
    return (await ask(redirect.port, b"GET", target, ((b"host", host),))).status


async def click(here: Scene) -> None:
    """Allow the login and come back."""
    await until(lambda: bool(here.opened))
    query = asked(here.opened[0])
    assert await come_back(here, code=here.authority.allowed(query), state=query["state"]) == 200


async def test_a_browser_returns_with_a_claude_login() -> None:
    """The code is exchanged with the verifier that only this process knows; the profile says whose it is."""
    async with scene() as here, trio.open_nursery() as nursery:
        nursery.start_soon(click, here)
        login = await here.flow.run(Way.BROWSER)
    assert login.refresh.reveal() == "sk-ant-ort01-test-fresh-1-1"
    assert (login.identity.email, login.identity.plan) == ("fresh@example.test", "max")
    assert login.identity.account_id == here.authority.account
    assert not login.imported_from
    assert login.expires_at == NOW + 28_800
    assert "code" not in asked(here.opened[0])
    assert TICKET.verifier.reveal() not in here.opened[0]
    assert here.authority.verifiers == [TICKET.verifier.reveal()]


async def test_a_browser_returns_with_a_chatgpt_login() -> None:
    """Its tokens say whose it is; the redirect is the one that vendor knows."""
    async with scene("codex") as here, trio.open_nursery() as nursery:
        nursery.start_soon(click, here)
        login = await here.flow.run(Way.BROWSER)
    assert (login.identity.email, login.identity.plan) == ("fresh@example.test", "plus")
    assert urlsplit(asked(here.opened[0])["redirect_uri"]).path == "/auth/callback"


async def test_a_person_who_declines_ends_the_login() -> None:
    """The vendor's error ends it with a word for people, not with a wait."""
    async with scene() as here, trio.open_nursery() as nursery:
        nursery.start_soon(partial(come_back, here, error="access_denied", state=TICKET.state.reveal()))
        with pytest.raises(LoginFailed, match="declined"):
            await here.flow.run(Way.BROWSER)
    assert not here.authority.used


@pytest.mark.parametrize("browser", [True, False])
async def test_without_port_or_browser_the_code_is_pasted(browser: bool) -> None:
    """A port in use, or no browser to start, turns the login into one by paste."""
    async with scene(browser=browser) as here:
        if browser:
            taken = await trio.open_tcp_listeners(0, host="127.0.0.1")
            port: int = taken[0].socket.getsockname()[1]
            flow = Flow(here.flow.kind, here.flow.sign_in, here.flow.endpoints, here.flow.grants, here.person,
                        here.flow.open_page, TICKET, port)  # fmt: skip
        else:
            taken, flow = [], here.flow
        with pytest.raises(NobodyToAsk):
            await flow.run(Way.BROWSER)
        for listener in taken:
            await listener.aclose()
    assert any("in use" in text or "No browser" in text for text in here.person.told)
    assert any("Open this page" in text for text in here.person.told)


async def test_a_pasted_code_makes_a_login() -> None:
    """Wrong pastes are told and asked again; nothing of them is repeated."""
    async with scene() as here:
        state = TICKET.state.reveal()
        query = {
            "state": state,
            "code_challenge": TICKET.challenge,
            "redirect_uri": here.flow.sign_in.pasted_redirect,
            "client_id": here.flow.kind.client_id,
        }
        code = here.authority.allowed(query)
        here.person.pastes += ["half-a-code", f"{code}#{state}"]
        login = await here.flow.run(Way.PASTE)
    assert login.access.reveal() == "sk-ant-oat01-test-fresh-1-1"
    said = "\n".join(here.person.told)
    assert "incomplete" in said
    assert "half-a-code" not in said
    assert "code=true" in said


async def test_the_address_of_a_dead_page_makes_a_chatgpt_login() -> None:
    """Where the vendor shows no code, the address that the browser ends at has it."""
    async with scene("codex") as here:
        redirect = f"http://localhost:{here.flow.port}/auth/callback"
        query = {
            "state": TICKET.state.reveal(),
            "code_challenge": TICKET.challenge,
            "redirect_uri": redirect,
            "client_id": here.flow.kind.client_id,
        }
        code = here.authority.allowed(query)
        here.person.pastes.append(f"{redirect}?{urlencode({'code': code, 'state': query['state']})}")
        login = await here.flow.run(Way.PASTE)
    assert login.identity.account_id == here.authority.account


async def test_three_wrong_pastes_end_the_login() -> None:
    """Nobody is asked for ever."""
    async with scene() as here:
        here.person.pastes += ["a#b", "c#d", "e#f", "g#h"]
        with pytest.raises(LoginFailed, match="another login"):
            await here.flow.run(Way.PASTE)
        assert here.person.pastes == ["g#h"]


async def test_a_device_code_makes_a_login() -> None:
    """The code is shown with the page to type it at, and the vendor is asked until it has been typed."""
    async with scene("codex") as here:
        here.authority.device_answers += [
            json_answer({"error": {"code": "deviceauth_authorization_unknown"}}, 403),
        ]
        login = await here.flow.run(Way.DEVICE)
    assert login.identity.email == "fresh@example.test"
    assert len(here.authority.polls) == 2
    said = "\n".join(here.person.told)
    assert "ABCD-1234" in said
    assert "/codex/device" in said
    assert "canary" not in said


async def test_a_code_works_once() -> None:
    """A vendor that refuses a code is quoted by its error code alone, with what to do."""
    async with scene() as here:
        state = TICKET.state.reveal()
        here.person.pastes.append(f"code-canary-unknown#{state}")
        with pytest.raises(LoginFailed, match="invalid_grant") as caught:
            await here.flow.run(Way.PASTE)
    assert "canary" not in str(caught.value)
