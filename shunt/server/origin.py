"""Where a request comes from, and whom it means: Host, Origin, fetch metadata.

Any page in the user's browser can reach a loopback port, with its own name bound to 127.0.0.1 or by a
plain cross-site post. Browsers say so in these headers, and agents send none of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from attrs import frozen

from shunt.config.addresses import is_loopback
from shunt.errors import Kind
from shunt.server.errors import TurnedAway
from shunt.server.tally import Refusal
from shunt.wire.headers import Headers, get, get_all, text

_AUTHORITY: Final = re.compile(
    r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE
)
LONGEST: Final = 300
"""Bytes of a Host header: a name has 253 at most (RFC 1035 §2.3.4), then a port. What is remembered is bounded by it."""
FORWARDED: Final = frozenset({b"x-forwarded-for", b"x-real-ip", b"cf-connecting-ip", b"forwarded"})
_ADDRESS: Final = re.compile(r"[0-9a-f.:]{2,}", re.IGNORECASE)


@frozen
class Authority:
    """The parts of a Host header."""

    name: str
    """Lower case, an IPv6 address without brackets."""
    port: int | None


def read_host(headers: Headers) -> Authority:
    """Take the one Host header apart; raises TurnedAway."""
    hosts = get_all(headers, b"host")
    found = _authority(hosts[0]) if len(hosts) == 1 and len(hosts[0]) <= LONGEST else None
    if found is None:
        raise TurnedAway("The request needs exactly one proper Host header.", 400, refusal=Refusal.HOST)
    return found


@lru_cache(64)
def _authority(host: bytes) -> Authority | None:
    """A Host header's parts: most requests say the same. None for what is no such header."""
    found = _AUTHORITY.fullmatch(host.decode("ascii", "replace"))
    if found is None:
        return None
    port = found["port"]
    return Authority(found["name"].strip("[]").lower(), int(port) if port else None)


def check_host(host: Authority, local: tuple[str, int], allowed: Collection[str]) -> None:
    """Refuse requests that mean another server; raises TurnedAway.

    Args:
        host: what the request says.
        local: our own end of the connection. A page can bind its name to our address, but it cannot
            make the address its name, so the address itself is always fine.
        allowed: further names, from the configuration; they come with any port, for a proxy in front.
    """
    address, port = local
    if host.name in allowed:
        return
    if host.port in (None, port) and (is_loopback(host.name) or host.name == address):
        return
    raise TurnedAway(
        "This server is not called so. Use its address, or add the name to server.allowed_hosts.",
        421,
        refusal=Refusal.HOST,
    )


def check_origin(headers: Headers, method: str, path: str) -> None:
    """Refuse requests that a page of another site has sent; raises TurnedAway. Host is checked already."""
    host = (get(headers, b"host") or b"").lower()
    for origin in get_all(headers, b"origin"):
        if origin.lower() not in (b"http://" + host, b"https://" + host):
            raise _foreign("the request has a foreign Origin")
    if text(headers, b"sec-fetch-site") in ("cross-site", "same-site"):
        # A link to our front page is fine; nothing happens there.
        visit = method == "GET" and path == "/" and text(headers, b"sec-fetch-mode") == "navigate"
        if not visit or text(headers, b"sec-fetch-dest") != "document":
            raise _foreign("Sec-Fetch-Site")


def _foreign(sign: str) -> TurnedAway:
    return TurnedAway(
        f"Pages of other sites may not use shunt ({sign}).",
        403,
        kind=Kind.PERMISSION,
        refusal=Refusal.ORIGIN,
    )


def is_local(headers: Headers, host: Authority, peer: str) -> bool:
    """Whether the caller is on this machine, as far as anybody can tell.

    Tunnels and reverse proxies connect from here, too. They are known by the public name they were
    called by, or by what they say about their own client. Such words only ever take rights away.
    """
    return is_loopback(peer) and is_loopback(host.name) and not any(map(_is_elsewhere, _forwarders(headers)))


def _forwarders(headers: Headers) -> list[str]:
    return [value.decode("ascii", "replace") for name, value in headers if name.lower() in FORWARDED]


def _is_elsewhere(value: str) -> bool:
    """Whether a forwarding header names another machine."""
    for candidate in _ADDRESS.findall(value):
        try:
            if not ip_address(candidate).is_loopback:
                return True
        except ValueError:
            continue
    return False
