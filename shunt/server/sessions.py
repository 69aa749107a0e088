"""Logging a browser in: a one-time code that `shunt dashboard` shows, traded for a session cookie.

A browser cannot send a key with each request, and a key must never get into a page. The code travels in
the fragment of an address, which browsers keep to themselves, and is worth nothing once used. Of codes and
sessions only hashes are kept, in memory: a restart ends them all, and so does a change of keys.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from shunt.wire.headers import Headers, get, get_all

CODE_LIVES: Final = 300.0
"""Seconds in which a code can be traded."""
IDLE: Final = 12 * 3600.0
"""Seconds without a request after which a session is over."""
CODES: Final = 16
"""Codes open at once; the oldest goes first."""
SESSIONS: Final = 64
"""Sessions open at once; the one unused for longest goes first."""
COOKIE: Final = b"shunt_session"


class Sessions:
    """Codes that wait to be traded, and sessions of browsers."""

    def __init__(self, now: Callable[[], float], new_token: Callable[[], str] | None = None) -> None:
        """`now` gives seconds of any clock that does not jump back; `new_token` 256 random bits as text."""
        self._now = now
        self._new_token = new_token or (lambda: secrets.token_urlsafe(32))
        self._codes: OrderedDict[bytes, float] = OrderedDict()
        """Hash of each code, and when it ends."""
        self._sessions: OrderedDict[bytes, float] = OrderedDict()
        """Hash of each session's token, and when it ends unless it is used."""

    def new_code(self) -> str:
        """A code that can be traded once, within CODE_LIVES."""
        code = self._new_token()
        self._codes[_digest(code.encode())] = self._now() + CODE_LIVES
        while len(self._codes) > CODES:
            self._codes.popitem(last=False)
        return code

    def trade(self, code: str) -> str | None:
        """A session's token for a code; None when the code is unknown, used or too old."""
        ends = self._codes.pop(_digest(code.encode()), None)
        if ends is None or ends <= self._now():
            return None
        token = self._new_token()
        self._sessions[_digest(token.encode())] = self._now() + IDLE
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def admits(self, token: bytes) -> bool:
        """Whether `token` is that of a living session; asking keeps it alive."""
        digest = _digest(token)
        ends = self._sessions.pop(digest, None)
        if ends is None or ends <= self._now():
            return False
        self._sessions[digest] = self._now() + IDLE
        return True

    def end(self, token: bytes) -> None:
        """End one session."""
        self._sessions.pop(_digest(token), None)

    def end_all(self) -> None:
        """End every session and forget every code."""
        self._codes.clear()
        self._sessions.clear()


def cookie_name(headers: Headers) -> bytes:
    """What the cookie is called at the address that a request names.

    Cookies know no ports: two shunts on one machine must not end each other's sessions.
    """
    _, _, port = (get(headers, b"host") or b"").rpartition(b":")
    return COOKIE + b"_" + (port if port.isdigit() else b"0")


def session_token(headers: Headers) -> bytes:
    """The session token that a request carries; empty without one."""
    name = cookie_name(headers)
    for line in get_all(headers, b"cookie"):
        for pair in line.split(b";"):
            key, _, value = pair.strip().partition(b"=")
            if key == name:
                return value
    return b""


def set_cookie(headers: Headers, token: str, *, secure: bool) -> str:
    """The header that gives a browser its session; an empty `token` takes it away."""
    ends = "" if token else "; Max-Age=0"
    tls = "; Secure" if secure else ""
    return f"{cookie_name(headers).decode()}={token}; HttpOnly; SameSite=Strict; Path=/{ends}{tls}"


def _digest(token: bytes) -> bytes:
    return sha256(token).digest()
