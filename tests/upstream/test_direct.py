"""The pool of connections straight to upstreams: who is kept, for how long, and who is let go."""

from __future__ import annotations

import socket
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from shunt.errors import UpstreamUnreachable
from shunt.tcp import APART
from shunt.upstream.direct import Place, Pool, place_of
from shunt.upstream.network import IDLE_CONNECTIONS, IDLE_FOR, VANISHED, create_tls
from shunt.upstream.silence import Watch
from shunt.upstream.timeouts import Timeouts
from tests.fakes.clocks import socket_clock
from tests.fakes.upstream import Answer, Gate, closed_port, scripted_upstream
from tests.upstream.calls import call

ONCE = Answer(steps=(b"x",))


@pytest.fixture
def clock() -> MockClock:
    return socket_clock()


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("https://api.example", Place("api.example", 443, True, b"api.example")),
        ("https://api.example:443", Place("api.example", 443, True, b"api.example")),
        ("http://127.0.0.1:8080", Place("127.0.0.1", 8080, False, b"127.0.0.1:8080")),
        ("http://[::1]:81", Place("::1", 81, False, b"[::1]:81")),
        ("http://b\u00fccher.example", Place("xn--bcher-kva.example", 80, False, b"xn--bcher-kva.example")),
    ],
)
def test_an_origin_says_where_to_connect_and_whom_to_ask_for(origin: str, place: Place) -> None:
    """Host, port and the Host header; a scheme's own port is not told."""
    assert place_of(origin) == place


async def use(pool: Pool, url: str) -> bytes:
    """One call, read to its end."""
    answer = await pool.exchange(call(url), Timeouts())
    body = b""
    while (piece := await answer.next()) is not None:
        body += piece
    return body


async def test_an_answer_that_came_whole_gives_its_connection_back_at_once() -> None:
    """Before anybody asks whether there is more."""
    async with scripted_upstream([ONCE]) as up:
        pool = Pool(create_tls(), Watch())
        answer = await pool.exchange(call(up.url), Timeouts())
        assert await answer.next() == b"x"
        assert (pool.idle(), pool.connections()) == (1, 1)
        assert await answer.next() is None
        await answer.aclose()
        assert (pool.idle(), pool.connections()) == (1, 1)
        await pool.aclose()
        assert pool.connections() == 0


async def test_old_connections_are_closed(clock: MockClock) -> None:
    """Those that were not used for half a minute go, without waiting for another call."""
    async with scripted_upstream(lambda _request, _n: ONCE) as up:
        pool = Pool(create_tls(), Watch())
        assert await use(pool, up.url) == b"x"
        await trio.sleep(IDLE_FOR - 1)
        pool.close_old()
        assert pool.connections() == 1
        await trio.sleep(2)
        pool.close_old()
        assert pool.connections() == 0
        await up.wait_until_idle()


async def test_only_so_many_wait() -> None:
    """After a burst the connections idle for longest are closed."""
    together = trio.Event()
    more = IDLE_CONNECTIONS + 3

    async with scripted_upstream(lambda _request, _n: Answer(steps=(Gate(together), b"x"))) as up:
        pool = Pool(create_tls(), Watch())
        async with trio.open_nursery() as nursery:
            for _ in range(more):
                nursery.start_soon(use, pool, up.url)
            await up.wait_for_requests(more)
            assert pool.connections() == more
            together.set()
        assert (pool.idle(), pool.connections()) == (IDLE_CONNECTIONS, IDLE_CONNECTIONS)
        await pool.aclose()


async def test_other_origins_keep_theirs() -> None:
    """A connection is used for the origin it was made for, and no other."""
    async with scripted_upstream([ONCE]) as one, scripted_upstream([ONCE]) as other:
        pool = Pool(create_tls(), Watch())
        assert [await use(pool, up.url) for up in (one, other)] == [b"x", b"x"]
        assert (one.connections, other.connections, pool.idle()) == (1, 1, 2)
        with pytest.raises(UpstreamUnreachable):
            await use(pool, f"http://127.0.0.1:{closed_port()}")
        assert pool.connections() == 2
        await pool.aclose()


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="not a thing of this system")
async def test_a_network_that_has_gone_is_noticed_in_time() -> None:
    """Whether something was said into it (no acknowledgement) or nothing was (no answer to probes)."""
    async with scripted_upstream([ONCE]) as up:
        pool = Pool(create_tls(), Watch())
        assert await use(pool, up.url) == b"x"
        (connection,) = pool._open
        told = partial(connection.tcp.socket.getsockopt, socket.IPPROTO_TCP)
        assert told(socket.TCP_USER_TIMEOUT) == (Timeouts().write + APART) * 1000
        probes = [told(option) for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
        assert connection.tcp.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert probes[0] + 2 * probes[1] < VANISHED <= probes[0] + probes[1] * probes[2]
        await pool.aclose()
