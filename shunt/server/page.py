"""The dashboard: static files from a fixed table, and logging a browser in.

The files say nothing about this shunt, so anybody may have them; what the page shows it fetches from the
control routes, under their rules.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from quart import Response

from shunt.errors import NotAuthenticated, NotFound
from shunt.server.call import Call, current_call
from shunt.server.control import body, document, field
from shunt.server.parts import ServerParts
from shunt.server.sessions import CODE_LIVES, session_token, set_cookie
from shunt.wire.headers import get, text

HTML: Final = "text/html; charset=utf-8"
SCRIPT: Final = "text/javascript; charset=utf-8"
STYLE: Final = "text/css; charset=utf-8"
PLAIN: Final = "text/plain; charset=utf-8"

SHELL: Final = "index.html"
SCRIPTS: Final = (
    *("main.js", "store.js", "api.js", "words.js", "pieces.js", "header.js", "accounts.js"),
    *("live.js", "requests.js", "why.js", "charts.js", "health.js", "gates.js"),
)
ASSETS: Final = {
    **{name: (name, SCRIPT) for name in SCRIPTS},
    **{name: (f"vendor/{name}", SCRIPT) for name in ("preact.js", "preact-hooks.js", "htm.js", "uplot.js")},
    **{f"{name}.LICENSE": (f"vendor/{name}.LICENSE", PLAIN) for name in ("preact", "htm", "uplot")},
    "page.css": ("page.css", STYLE),
    "uplot.css": ("vendor/uplot.css", STYLE),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
"""What can be asked for, with the file that is given and its type. Paths are never put together."""

HARDENED: Final = {
    # Scripts, styles and connections of this origin only, none of them inline, and nobody frames it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""Headers of everything that a browser is given here."""


class Page:
    """Handlers of the dashboard."""

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts
        self._sessions = parts.access.sessions

    async def front(self) -> Response:
        """The dashboard for a browser, a small card for anything else."""
        call = current_call()
        if b"text/html" in (get(call.headers, b"accept") or b"").lower():
            return _served(SHELL, HTML)
        links = {"dashboard": "/", "status": "/status", "ready": "/ready", "health": "/health"}
        # The version is nobody's business who is not on this machine and has shown no key.
        version = {"version": self._parts.version} if call.local else {}
        return document({"name": "shunt", **version, "links": links})

    async def dashboard(self) -> Response:
        """The dashboard, whoever asks."""
        return _served(SHELL, HTML)

    async def asset(self, name: str) -> Response:
        """One file of the dashboard."""
        if name not in ASSETS:
            raise NotFound("There is no such file.")
        return _served(*ASSETS[name])

    async def codes(self) -> Response:
        """Make a one-time code for a browser; whoever asks has an admin key or is on this machine."""
        body()
        return document({"code": self._sessions.new_code(), "expires_in": CODE_LIVES})

    async def session(self) -> Response:
        """Trade a code for a session (POST), or end the session (DELETE)."""
        call = current_call()
        if call.method == "DELETE":
            self._sessions.end(session_token(call.headers))
            return _with_cookie(document({"logged_in": False}), call, "")
        token = self._sessions.trade(field("code", body()))
        if token is None:
            raise NotAuthenticated("This code is used up or too old. `shunt dashboard` shows a new address.")
        return _with_cookie(document({"logged_in": True}), call, token)


def _with_cookie(response: Response, call: Call, token: str) -> Response:
    # Shunt itself speaks plain HTTP; a browser that came through TLS says so with its Origin.
    secure = (text(call.headers, b"origin") or "").startswith("https://")
    response.headers["Set-Cookie"] = set_cookie(call.headers, token, secure=secure)
    return response


def _served(file: str, kind: str) -> Response:
    return Response(_content(file), headers=HARDENED, content_type=kind)


@cache
def _content(file: str) -> bytes:
    return (files("shunt.server") / "dashboard" / file).read_bytes()
