"""Calls through a proxy: httpx's and httpcore's own connections and pool.

Works on an httpx transport, not on httpx's client object: that one adds headers of its own, remembers
cookies across accounts and logs addresses. What goes on the wire is Host and the call's headers, in
their order and case, and exactly the call's target and body.

The pool under cancellation (both libraries were measured, 2026-11): a cancel that arrives after a
connection was assigned and before the request was begun leaves a slot and a socket behind for ever.
So a send is shielded until httpcore reports that it has begun to write the request; from there on
it cleans up by itself. The shielded part is bounded by the connect time-out. `tests/upstream` holds
the versions we run on to this.
"""

from __future__ import annotations

import math
import ssl
from contextlib import suppress
from typing import Any, Final

import httpcore2 as httpcore
import httpx2 as httpx
import trio
from attrs import define, field

from shunt.errors import UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from shunt.providers.base import UpstreamCall
from shunt.upstream import errors
from shunt.upstream.network import Connection, Transport
from shunt.upstream.timeouts import CLOSE_WITHIN, Timeouts
from shunt.wire.headers import Headers

BEGUN: Final = "send_request_headers.started"
"""Httpcore's trace event from which on a cancel is safe."""
OPENED: Final = "connect_tcp.complete"
"""Httpcore's trace event that brings a new connection."""
SENT: Final = "receive_response_headers.started"
"""Httpcore's trace event when the whole request is on the wire."""


@define(eq=False)
class ProxiedAnswer:
    """An upstream's answer, its body still to be read."""

    status: int
    headers: Headers = field(repr=False)
    _response: httpx.Response
    _body: Any = None

    async def next(self) -> bytes | None:
        """Some of the body as it came, or None at its end. Raises httpcore's errors."""
        if self._body is None:
            self._body = self._response.aiter_raw()
        return await anext(self._body, None)

    async def aclose(self) -> None:
        """Give the connection back if the body has been read, else close it. Shielded, bounded, idempotent."""
        with trio.move_on_after(CLOSE_WITHIN) as scope:
            scope.shield = True
            # A task that still reads makes the generator's aclose fail; the second ends that read.
            with suppress(Exception):
                if self._body is not None:
                    await self._body.aclose()
            with suppress(Exception):
                await self._response.aclose()


class ProxiedPool:
    """Connections through one proxy."""

    def __init__(self, tls: ssl.SSLContext, proxy: str, timeouts: Timeouts) -> None:
        self.transport = Transport(tls, proxy, timeouts.write)
        self._proxy = proxy

    def connections(self) -> int:
        """Connections held, idle ones included."""
        return len(self.transport.pool.connections)

    def idle(self) -> int:
        """Connections that wait for a call."""
        return sum(connection.is_idle() for connection in self.transport.pool.connections)

    def retire(self) -> None:
        """Nothing to do before `aclose`: httpcore closes idle connections there."""

    def close_old(self) -> None:
        """Nothing to do: httpcore closes idle connections at the next call."""

    async def aclose(self) -> None:
        """Close all connections."""
        with trio.move_on_after(CLOSE_WITHIN) as scope:
            scope.shield = True
            await self.transport.aclose()

    async def exchange(self, call: UpstreamCall, timeouts: Timeouts) -> ProxiedAnswer:
        """Send a call and wait for the answer's headers.

        Raises UpstreamUnreachable, UpstreamTimeout, UpstreamBroke and InvalidRequest.
        """
        response = await self._sent(call, timeouts)
        # No await until the answer holds the response.
        answer = ProxiedAnswer(response.status_code, tuple(response.headers.raw), response)
        connection = response.extensions["network_stream"]
        if isinstance(connection, Connection):
            if connection.quiet:
                # It was there before the question: left over from the answer before. Not ours.
                await answer.aclose()
                raise UpstreamBroke(errors.no_http(errors.address(call.origin)))
            connection.answered = True
        return answer

    async def _sent(self, call: UpstreamCall, timeouts: Timeouts) -> httpx.Response:
        passage = Passage(timeouts)
        request = httpx.Request(
            call.method,
            call.origin,
            headers=list(call.headers),
            content=call.body,
            extensions={"target": call.target, "timeout": passage.phases, "trace": passage.trace},
        )
        try:
            with passage.scope:
                return await self.transport.handle_async_request(request)
        except httpcore.LocalProtocolError as error:
            raise errors.mapped(error, call.origin) from None
        except Exception as error:
            raise errors.mapped(error, call.origin, proxy=self._proxy, sent=passage.begun) from error
        finally:
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await passage.aclose()
        host = errors.address(call.origin)
        if passage.begun:
            raise UpstreamTimeout(errors.silence(host))
        raise UpstreamUnreachable(errors.not_in_time(host))


@define(eq=False)
class Passage:
    """One call's way onto the wire, as httpcore reports it."""

    _timeouts: Timeouts
    begun: bool = False
    """Httpcore has begun to write the call itself; before that, there is only talk with a proxy."""
    phases: dict[str, float] = field(init=False)
    """Time-outs, read by httpcore when it needs them."""
    scope: trio.CancelScope = field(init=False)
    """Shielded until the call has begun."""
    _opened: httpcore.AsyncNetworkStream | None = None

    def __attrs_post_init__(self) -> None:
        connect = self._timeouts.connect
        # Until the call has begun, what is read is a proxy's greeting.
        self.phases = {"connect": connect, "pool": connect, "read": connect, "write": self._timeouts.write}
        self.scope = trio.CancelScope(shield=True, deadline=trio.current_time() + 3 * connect)

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """Take one of httpcore's trace events."""
        if name.endswith(OPENED):
            self._opened = info["return_value"]
        if not name.endswith((BEGUN, SENT)) or info["request"].method == b"CONNECT":
            return
        self.begun = True
        silence = self._timeouts.silence
        self.phases["read"] = silence
        self.scope.shield = False
        self.scope.deadline = math.inf if name.endswith(BEGUN) else trio.current_time() + silence
        await trio.lowlevel.checkpoint()  # whoever has left meanwhile is told before a byte is sent

    async def aclose(self) -> None:
        """Close a connection that was opened and never used: httpcore forgets it when a proxy fails."""
        if self._opened is not None and not self.begun:
            await self._opened.aclose()
