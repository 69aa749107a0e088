"""Calls to make in tests."""

from __future__ import annotations

from shunt.providers.base import UpstreamCall
from shunt.wire.headers import Headers


def call(
    origin: str,
    *,
    method: str = "POST",
    target: bytes = b"/v1/messages",
    headers: Headers = (),
    body: bytes = b"{}",
    proxy: str = "",
) -> UpstreamCall:
    return UpstreamCall("main", method, origin, target, headers, body, proxy)
