"""Answers that pass through Quart untouched."""

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
        delivery = response.delivery
        headers = delivery.headers
        if isinstance(delivery.body, bytes):
            length = (b"content-length", b"%d" % len(delivery.body))
            headers = (*(pair for pair in headers if pair[0].lower() != length[0]), length)
        await send(
            {
                "type": "http.response.start",
                "status": delivery.status,
                "headers": headers,
                "trailers": False,
            }
        )
        if isinstance(delivery.body, bytes):
            await send({"type": "http.response.body", "body": delivery.body, "more_body": False})
            return
        try:
            async for chunk in delivery.body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            if isinstance(delivery.body, AsyncGenerator):
                with trio.move_on_after(CLOSE_WITHIN) as scope:
                    scope.shield = True
                    await delivery.body.aclose()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
