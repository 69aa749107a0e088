"""Readers for values that are secret, or that people paste secrets into: no message shows them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from shunt.accounts.secret import Secret
from shunt.config.addresses import proxy_url, service_url
from shunt.config.misread import Misread
from shunt.config.spelling import quoted
from shunt.config.values import Reader, type_of

SHORTEST_KEY: Final = 8
"""Characters a key of our own callers must have."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te"})
_SAMPLE_KEYS = frozenset({"changeme", "change-me", "your-key-here", "your-api-key", "password", "12345678"})


def service_address(*, optional: bool) -> Reader:
    """Read the base URL of a service."""
    kind = "an http(s) address" + (', or ""' if optional else "")
    return _guarded(service_url, kind, optional=optional)


def proxy_address() -> Reader:
    """Read the URL of an outbound proxy."""
    return _guarded(proxy_url, 'an http(s) or socks5 address, or ""', optional=True)


def variable() -> Reader:
    """Read the name of an environment variable; what fails is often the key itself, pasted."""

    def rule(written: str) -> str:
        if not _VARIABLE.fullmatch(written):
            raise Misread("must be the name of an environment variable, not the key itself")
        return written

    return _guarded(rule, "the name of an environment variable", optional=True)


def digest() -> Reader:
    """Read a SHA-256 in hexadecimal digits."""

    def rule(written: str) -> str:
        if not re.fullmatch(r"[0-9A-Fa-f]{64}", written):
            raise Misread("must be the SHA-256 of the key: 64 hexadecimal digits")
        return written.lower()

    return _guarded(rule, "64 hexadecimal digits")


def upstream_key() -> Reader:
    """Read a key that a vendor gave out."""
    return _secret(_sendable, "text")


def caller_key() -> Reader:
    """Read a key that our own callers have to send."""

    def rule(written: str) -> str:
        if len(written) < SHORTEST_KEY:
            raise Misread(f"must have at least {SHORTEST_KEY} characters")
        if written.lower() in _SAMPLE_KEYS or len(set(written)) == 1:
            raise Misread("is a sample key that others would try first; choose a random one")
        return _sendable(written)

    return _secret(rule, f"text of at least {SHORTEST_KEY} characters")


def header_table() -> Reader:
    """Read a table of extra request headers."""
    kind = "a table of header names and texts"

    def read(value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise Misread(f"must be {kind}")
        for name, content in value.items():
            _check_header(name, content)
        return dict(value)

    def from_text(written: str) -> dict[str, str]:
        lines = [line.partition(":") for line in written.splitlines() if line.strip()]
        return {name.strip(): content.strip() for name, _, content in lines}

    return Reader(kind, read, from_text, secret=True)


def _check_header(name: str, content: object) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise Misread(f"holds {quoted(name)}, which is no header name")
    if name.lower() in _FRAMING:
        raise Misread(f"must not set {quoted(name)}: that header belongs to the connection")
    if not isinstance(content, str) or not content.isascii() or not content.replace("\t", " ").isprintable():
        raise Misread(f"must give {quoted(name)} a text of visible ASCII characters on one line")


def _sendable(written: str) -> str:
    # It travels in a header: RFC 9110 §5.5 allows more, but a key with a space is a slip of the mouse.
    if not written.isascii() or not written.isprintable() or " " in written:
        raise Misread("must be visible ASCII characters without spaces (check how it was pasted)")
    return written


def _guarded(rule: Callable[[str], str], kind: str, *, optional: bool = False) -> Reader:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise Misread(f"must be {kind}, not {type_of(value)}")
        return value if optional and not value else rule(value)

    return Reader(kind, read)


def _secret(rule: Callable[[str], str], kind: str) -> Reader:
    guarded = _guarded(rule, kind, optional=True)
    return Reader(kind, lambda value: Secret(guarded.read(value)), secret=True)
