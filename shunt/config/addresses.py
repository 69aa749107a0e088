"""Addresses in the configuration: where calls go, where shunt listens.

A credential is bound to its address, so an address says nothing but scheme, host, port and path.
Messages never repeat the address: people paste ones with a password inside.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shunt.config.misread import Misread

VENDORS: Final = frozenset({"anthropic", "codex", "openai", "claude-code"})
"""Providers whose servers are a vendor's own. All others are servers the user chose."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOME_SUFFIXES = (".local", ".lan", ".internal", ".home", ".home.arpa")
_HIGHEST_PORT = 65535
_LONGEST_HOST = 253


def service_url(text: str) -> str:
    """Normalise the base address of an HTTP service; raises Misread.

    Scheme and host come back in lower case, without a default port or trailing slashes.
    """
    parts, host = _split(text, ("http", "https"))
    if parts.username is not None or parts.password is not None:
        raise Misread("must not hold a user name or password; use api_key or headers")
    if "?" in text or "#" in text:
        raise Misread("must not have a query or a fragment (no ? and no #)")
    path = parts.path.rstrip("/")
    if "//" in path or "\\" in path or any(part in {".", ".."} for part in path.split("/")):
        raise Misread("must have a plain path: no //, no \\, no . or .. parts")
    address = _literal(host)
    if address is not None and (
        address.is_link_local or address.is_multicast or address.is_unspecified
    ):  # link-local is where clouds keep their metadata service
        raise Misread("must not be a link-local, multicast or unspecified address")
    return f"{parts.scheme}://{_netloc(parts, host)}{path}"


def proxy_url(text: str) -> str:
    """Check the address of an outbound proxy; raises Misread. A user name and password are allowed."""
    parts, _host = _split(text, ("http", "https", "socks5", "socks5h"))
    if "?" in text or "#" in text or parts.path.strip("/"):
        raise Misread("must be scheme://host:port without a path")
    return text


def listen_host(text: str) -> str:
    """Normalise an address or name to listen on or be called by; raises Misread.

    An IPv6 address may be written with or without brackets and comes back without.
    """
    host = text.removeprefix("[").removesuffix("]").lower()
    if "/" in text or (":" in host and _literal(host) is None):
        raise Misread("must be a host name or IP address alone, without scheme or port")
    _check_host(host)
    return host


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    address = _literal(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback if address is not None else host == "localhost"


def transport_problem(url: str, provider: str) -> str | None:
    """Why this normalised address would let a key travel readable, or None.

    Plain http stays on this machine. One exception: a server the user runs at home or in the office
    (any provider that is not a vendor's own) may be plain http at a private address or a local name,
    because such servers rarely have a certificate; on the Internet they need https as well.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or is_loopback(host):
        return None
    if provider in VENDORS:
        return "plain http would show the key to everyone on the way; use https:// (http is for loopback)"
    if _nearby(host):
        return None
    return (
        "plain http to another network would show the key to everyone on the way; use https:// "
        "(http is for loopback, private addresses and local names)"
    )


def _nearby(host: str) -> bool:
    address = _literal(host)
    if address is not None:
        return address.is_private
    return "." not in host or host.endswith(_HOME_SUFFIXES)


def _split(text: str, schemes: tuple[str, ...]) -> tuple[SplitResult, str]:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Misread("must be plain ASCII without spaces (write an international name as xn--…)")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Misread("is not an address; write scheme://host:port/path") from None
    if parts.scheme not in schemes:
        raise Misread(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        raise Misread(f"must have a port from 1 to {_HIGHEST_PORT}, or none")
    _check_host(host)
    return parts, host


def _check_host(host: str) -> None:
    if not host:
        raise Misread("must name a host")
    if _literal(host) is not None:
        return
    labels = host.split(".")
    if len(host) > _LONGEST_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise Misread("must name a valid host (letters, digits, dashes and dots, none at the end)")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        # 127.1, 2130706433 and 0x7f000001 are addresses to some resolvers.
        raise Misread("must write an IP address in full, as 127.0.0.1 or ::1")


@lru_cache(256)
def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _netloc(parts: SplitResult, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return shown
    return f"{shown}:{parts.port}"
