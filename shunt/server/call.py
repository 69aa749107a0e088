"""What the front door has found out about a request, for the handlers."""

from __future__ import annotations

from typing import Any, Final, cast

from attrs import field, frozen
from quart import request

from shunt.gateway.lifetime import Lifetime
from shunt.server.access import Caller
from shunt.server.routes import Route
from shunt.wire.headers import Headers

CALL: Final = "shunt.call"
LIFETIME: Final = "shunt.lifetime"


@frozen
class Call:
    """One admitted request. Everything in it is as it came: Quart's own view is decoded and renamed."""

    id: str
    """`req_` and 24 hexadecimal digits."""
    protocol: str
    """The caller's protocol, or CONTROL."""
    route: Route
    caller: Caller
    local: bool
    """The caller is on this machine."""
    arrived_at: float
    """Epoch seconds."""
    method: str
    path: str
    """The raw path."""
    query: bytes
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


def current_call() -> Call:
    """The call that is being handled."""
    return cast("Call", _scope()[CALL])


def current_lifetime() -> Lifetime:
    """The lifetime of the call that is being handled."""
    return cast("Lifetime", _scope()[LIFETIME])


def _scope() -> dict[str, Any]:
    return cast("dict[str, Any]", request.scope)
