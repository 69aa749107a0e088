"""Who can reach shunt, and whether that is safe."""

from __future__ import annotations

from typing import Final

from shunt.config.addresses import is_loopback
from shunt.config.types import Config

SHORTEST_SHARED_KEY: Final = 12
"""Characters of `remote_key` below which a key guards nothing on a network."""
STRONG_KEY: Final = 22
"""Characters of base64 that hold 128 bits."""


def bind_problem(config: Config) -> str | None:
    """Why shunt must not listen on `server.host`, or None.

    Other machines reach every address but loopback, wildcards included; so some key must be set.
    """
    host = config.server.host
    if is_loopback(host) or config.clients:
        return None
    key = config.server.remote_key
    if not key:
        return (
            f"server.host is {host}: other machines could use your accounts without a key. "
            "Add a client with `shunt client add NAME`, or set server.remote_key, or listen on 127.0.0.1."
        )
    if len(key) < SHORTEST_SHARED_KEY:
        return (
            f"server.host is {host}, but server.remote_key has only {len(key)} characters and could be guessed. "
            f"Use at least {SHORTEST_SHARED_KEY} random ones, or `shunt client add NAME`."
        )
    return None


def bind_warning(config: Config) -> str | None:
    """What should be said about an address that may be listened on, or None."""
    host, key = config.server.host, config.server.remote_key
    if is_loopback(host):
        return None
    if key and len(key) < STRONG_KEY:
        return (
            f"server.host is {host} and server.remote_key is short; `shunt client add NAME` makes a key "
            "that cannot be guessed."
        )
    if not config.server.tls_cert:
        return (
            f"server.host is {host} and callers speak in the clear: everybody on the way reads keys and "
            "conversations. Set server.tls_cert, or let a proxy with a certificate stand in front."
        )
    return None
