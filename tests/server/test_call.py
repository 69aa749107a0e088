"""What handlers learn of the call they serve."""

from __future__ import annotations

import trio

from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.server.call import Call, current_call, current_lifetime
from tests.fakes.gateway import JSON, T0, house


async def test_a_handler_finds_its_own_call_and_lifetime() -> None:
    """Two at once do not see each other's."""
    seen: list[tuple[Call, bool]] = []
    both = trio.Event()

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        if len(served.gateway.asked) == 2:
            both.set()
        await both.wait()
        seen.append((current_call(), current_call().id == inbound.id and current_lifetime() is lifetime))
        return Delivery(200, JSON, b"{}")

    async with house() as served, trio.open_nursery() as nursery:
        served.gateway.listed = answer
        for path in (b"/v1/models", b"/v1/models/claude-x"):
            nursery.start_soon(served.ask, b"GET", path)
    assert [right for _, right in seen] == [True, True]
    assert {call.path for call, _ in seen} == {"/v1/models", "/v1/models/claude-x"}
    assert {(call.method, call.body, call.arrived_at) for call, _ in seen} == {("GET", b"", T0)}


async def test_a_call_shows_neither_headers_nor_body() -> None:
    """They hold keys and people's work; a call may end up in a log."""
    shown: list[str] = []

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await trio.lowlevel.checkpoint()
        shown.append(repr(current_call()))
        return Delivery(200, JSON, b"{}")

    async with house() as served:
        served.gateway.listed = answer
        await served.ask(b"GET", b"/v1/models", ((b"x-api-key", b"sk-test-secret"),), b"claude-x")
    assert "req_" in shown[0]
    assert "secret" not in shown[0]
    assert "claude-x" not in shown[0]
