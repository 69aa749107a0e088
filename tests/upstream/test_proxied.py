"""What the client of proxied calls is built on: the locked versions of httpx and httpcore."""

from __future__ import annotations

from typing import Any

import httpcore2 as httpcore
import httpx2 as httpx
import pytest
import trio
from trio.testing import MockClock

from shunt.upstream.network import Connection, Transport, create_tls
from shunt.upstream.proxied import BEGUN, SENT
from tests.fakes.clocks import socket_clock
from tests.fakes.upstream import Answer, End, raw, scripted_upstream

ONCE = Answer(steps=(b"x",))


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


async def test_contract_with_httpx_and_httpcore(clock: MockClock) -> None:
    """The locked versions still do what this client is built on; an upgrade that does not fails here.

    The trace events that end the shield exist and come in this order; time-outs are read from one
    shared mapping; our network makes the connections and is named in the answer.
    """
    seen: list[str] = []

    async with scripted_upstream([ONCE, raw(End.NEVER)]) as up:
        transport = Transport(create_tls())

        phases = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": 5.0}

        async def trace(name: str, info: dict[str, Any]) -> None:
            seen.append(name)
            if name.endswith(BEGUN):
                assert info["request"].method == b"POST"
                phases["read"] = 77.0
            await trio.lowlevel.checkpoint()

        def request() -> httpx.Request:
            extensions = {"trace": trace, "timeout": phases}
            return httpx.Request("POST", up.url, content=b"{}", extensions=extensions)

        response = await transport.handle_async_request(request())
        assert isinstance(response.extensions["network_stream"], Connection)
        await response.aclose()
        steps = [f"connection.{step}" for step in ("connect_tcp.started", "connect_tcp.complete")]
        steps += [f"http11.{step}" for step in (BEGUN, BEGUN.replace("started", "complete"))]
        steps += ["http11.send_request_body.started", "http11.send_request_body.complete", f"http11.{SENT}"]
        assert seen[: len(steps)] == steps
        started = trio.current_time()
        with pytest.raises(httpcore.ReadTimeout):
            await transport.handle_async_request(request())
        assert 77 <= trio.current_time() - started < 80
