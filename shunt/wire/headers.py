"""Header lists as raw pairs, in order, exactly as they came.

Names keep the case in which they were received; comparisons ignore it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

Headers = tuple[tuple[bytes, bytes], ...]
"""Raw (name, value) pairs in order of arrival."""

REQUEST_ID: Final = b"x-shunt-request-id"
"""Stands in every answer of shunt, with the id of the request: by it an answer is known as shunt's."""
MOST_LISTED: Final = 1024
"""Bytes of a list in a header: some clients take 16 KiB of headers in all."""
_SAFE: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_ODD: Final = re.compile(rb"[^ -~]")
_CUT: Final = b", ..."

HOP_BY_HOP = frozenset(
    {
        # RFC 9110 §7.6.1, and the two that proxies of old used.
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-authentication-info",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


def get(headers: Headers, name: bytes) -> bytes | None:
    """First value of `name` (lower case), or None."""
    size = len(name)  # a request is asked for some twenty names: most others differ in length already
    for key, value in headers:
        if len(key) == size and key.lower() == name:
            return value
    return None


def get_all(headers: Headers, name: bytes) -> tuple[bytes, ...]:
    """Every value of `name` (lower case), in order."""
    size = len(name)
    return tuple([value for key, value in headers if len(key) == size and key.lower() == name])


def text(headers: Headers, name: bytes) -> str | None:
    """First value of `name` as text; bytes outside ASCII become U+FFFD."""
    value = get(headers, name)
    return None if value is None else value.decode("ascii", "replace").strip()


def worded(name: str) -> bytes:
    """A name that people chose as the value of a header: percent-encoded where it is not ASCII."""
    return name.encode() if name.isascii() else quote(name, safe=_SAFE).encode()


def named_by_connection(headers: Headers) -> frozenset[bytes]:
    """Header names that `Connection` declares to belong to this hop only."""
    named = b",".join(get_all(headers, b"connection")).lower()
    return frozenset(token.strip() for token in named.split(b",") if token.strip())


def without(headers: Headers, names: Iterable[bytes]) -> Headers:
    """All headers but those named (lower case)."""
    drop = frozenset(names)
    return tuple(pair for pair in headers if pair[0].lower() not in drop)


def replaced(headers: Headers, name: bytes, value: bytes) -> Headers:
    """All headers with exactly one line `name`, at the place and in the spelling of the first there was."""
    out: list[tuple[bytes, bytes]] = []
    line: tuple[bytes, bytes] | None = (name, value)
    for pair in headers:
        if pair[0].lower() != name:
            out.append(pair)
        elif line is not None:
            out.append((pair[0], value))
            line = None
    return tuple(out if line is None else [*out, line])


def end_to_end(headers: Headers) -> Headers:
    """Headers that travel beyond this hop."""
    return without(headers, HOP_BY_HOP | named_by_connection(headers))


def with_tokens(headers: Headers, name: bytes, tokens: Iterable[bytes]) -> Headers:
    """Merge `tokens` into the comma-separated header `name`: order kept, no duplicates.

    Several lines of the same header become one, at the place of the first.
    """
    merged: dict[bytes, None] = {}
    for value in (*get_all(headers, name), *tokens):
        for token in value.split(b","):
            if token.strip():
                merged.setdefault(token.strip(), None)
    return replaced(headers, name, b",".join(merged))


def without_token(headers: Headers, name: bytes, token: bytes) -> Headers:
    """Take one token out of the comma-separated header `name`; other lines stay as they are."""
    out: list[tuple[bytes, bytes]] = []
    for key, value in headers:
        tokens = [part.strip() for part in value.split(b",")] if key.lower() == name else []
        if token not in tokens:
            out.append((key, value))
        elif rest := [part for part in tokens if part and part != token]:
            out.append((key, b",".join(rest)))
    return tuple(out)


def listed(names: Iterable[str], most: int = MOST_LISTED) -> bytes:
    """Names that anybody may have chosen as the value of a header.

    No two are alike, all are in visible ASCII, and the value is cut between two of them where it would become
    longer than `most`.
    """
    line = b""
    for name in dict.fromkeys(names):
        more = _ODD.sub(b"?", name[:most].encode("ascii", "replace")).strip()
        if len(line) + len(more) + len(_CUT) + 2 > most:
            return line + _CUT
        line += b", " + more if line else more
    return line
