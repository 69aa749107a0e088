"""Which endpoint renews an account's login, and how siblings take turns."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from shunt.accounts.account import Account
from shunt.accounts.credential import Login
from shunt.accounts.secret import Secret
from shunt.config.types import EndpointsConfig
from shunt.upstream.client import open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewals, Siblings
from shunt.upstream.timeouts import Timeouts
from tests.fakes.issuer import TOKEN_PATH, Issuer
from tests.fakes.upstream import scripted_upstream

ACCOUNTS = {
    "main": Account("main", "anthropic", "https://api.example.test", subscription=True),
    "local": Account("local", "anthropic-compatible", "http://127.0.0.1:1", subscription=False),
}


async def test_finds_the_vendors_endpoint() -> None:
    """A login is renewed at its vendor's token endpoint, wherever the configuration has moved it."""
    issuer = Issuer()
    tokens = issuer.grant("main")
    async with scripted_upstream(issuer) as up, open_upstream(Timeouts()) as upstream:
        endpoints = EndpointsConfig(anthropic_token_url=up.url + TOKEN_PATH)
        renewals = Renewals(TokenEndpoint(upstream, lambda: 0.0), lambda: ACCOUNTS, lambda: endpoints)
        renewal = renewals("main")
        assert renewal is not None
        new = await renewal.renew(Login(Secret(tokens.access), Secret(tokens.refresh), None))
    assert new.access == Secret("sk-ant-oat01-test-main-2")
    assert issuer.calls[0].fields["client_id"] == renewal.client_id
    assert issuer.calls[0].encoding == "json"
    assert renewals("local") is None
    assert renewals("gone") is None


async def test_siblings_start_apart(autojump_clock: MockClock) -> None:
    """Renewals of one OAuth client start at least five seconds apart; other clients do not wait."""
    siblings = Siblings(lambda: 0.5)
    starts: list[tuple[str, float]] = []
    began = trio.current_time()

    async def start(client: str) -> None:
        await siblings.wait(client)
        starts.append((client, trio.current_time() - began))

    async with trio.open_nursery() as nursery:
        for client in ("a", "a", "a", "b"):
            nursery.start_soon(start, client)
    assert sorted(starts) == [("a", 0.0), ("a", 5.5), ("a", 11.0), ("b", 0.0)]
    await trio.sleep(60)
    await start("a")
    assert starts[-1][1] == pytest.approx(71.0)
