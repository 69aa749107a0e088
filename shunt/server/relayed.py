"""Answers that go out as they are: around Quart, or through it untouched."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import trio
from hypercorn.typing import ASGISendCallable
from quart_trio.asgi import TrioASGIHTTPConnection
from quart_trio.wrappers import TrioResponse

from shunt.gateway.delivery import Delivery

CLOSE_WITHIN = 5.0
"""Seconds the end of an interrupted body may take."""


class RelayedResponse(TrioResponse):
    """Carries a delivery past Quart, which would rename its headers and add some of its own."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(b"", status=delivery.status)
        self.delivery = delivery
        self.timeout = None  # a stream may take hours


class HttpConnection(TrioASGIHTTPConnection):
    """Quart-Trio's side of one ASGI call."""

    async def _send_response(self, send: ASGISendCallable, response: Any) -> None:
        if not isinstance(response, RelayedResponse):
            await super()._send_response(send, response)
            return
        await relay(response.delivery, send)


async def relay(delivery: Delivery, send: ASGISendCallable) -> None:
    """Send a delivery, chunk by chunk. Raises what its body raises."""
    headers, body = delivery.headers, delivery.body
    if isinstance(body, bytes):
        length = (b"content-length", b"%d" % len(body))
        headers = (*(pair for pair in headers if pair[0].lower() != length[0]), length)
    await send(
        {
            "type": "http.response.start",
            "status": delivery.status,
            "headers": headers,
            "trailers": False,
        }
    )
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body, "more_body": False})
        return
    try:
        async for chunk in body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if isinstance(body, AsyncGenerator):
            with trio.move_on_after(CLOSE_WITHIN) as scope:
                scope.shield = True
                await body.aclose()
    await send({"type": "http.response.body", "body": b"", "more_body": False})
