"""What handlers learn of the call they serve."""

from __future__ import annotations

import trio

from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.server.call import Call, current_call, current_lifetime
from tests.fakes.gateway import JSON, MESSAGE, T0, house


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

    async with house(answer) as served, trio.open_nursery() as nursery:
        for path in (b"/v1/messages", b"/v1/responses"):
            nursery.start_soon(served.ask, b"POST", path, (), MESSAGE)
    assert [right for _, right in seen] == [True, True]
    assert {call.path for call, _ in seen} == {"/v1/messages", "/v1/responses"}
    assert {(call.method, call.body, call.arrived_at) for call, _ in seen} == {("POST", MESSAGE, T0)}


async def test_a_call_shows_neither_headers_nor_body() -> None:
    """They hold keys and people's work; a call may end up in a log."""
    shown: list[str] = []

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await trio.lowlevel.checkpoint()
        shown.append(repr(current_call()))
        return Delivery(200, JSON, b"{}")

    async with house(answer) as served:
        await served.ask(b"POST", b"/v1/messages", ((b"x-api-key", b"sk-test-secret"),), MESSAGE)
    assert "req_" in shown[0]
    assert "secret" not in shown[0]
    assert "claude-x" not in shown[0]
