"""Every route of the one port, in one table: the front door and Quart both read it."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import Final

from attrs import define, frozen

from shunt.inference.inbound import Operation
from shunt.server.errors import CONTROL
from shunt.wire.headers import Headers, get

MESSAGES: Final = "anthropic-messages"
CHAT: Final = "openai-chat"
RESPONSES: Final = "openai-responses"


ANSWERED: Final = "inference"
"""The one endpoint that the front door calls itself; all others are Quart's."""


class Surface(StrEnum):
    """Whom a route is for."""

    OPEN = "open"
    """Anybody: says nothing worth knowing."""
    PROXY = "proxy"
    """Clients of the pool."""
    CONTROL = "control"
    """The owner."""


@define(slots=False, frozen=True)
class Route:
    """One path and what is done there."""

    rule: str
    """In Quart's notation; `<name>` is one segment, `<path:name>` the rest."""
    endpoint: str
    """Name of the handler, see `app.py`."""
    methods: tuple[str, ...] = ("GET",)
    surface: Surface = Surface.CONTROL
    operation: Operation | None = None
    """What a proxy route asks the gateway for."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches raw paths."""
        parts = re.split(r"(<path:\w+>|<\w+>)", self.rule)
        return re.compile("".join(_expression(part) for part in parts))

    @property
    def allowed(self) -> tuple[str, ...]:
        """Methods, with those that come for free."""
        return (*self.methods, "HEAD") if "GET" in self.methods else self.methods


def _expression(part: str) -> str:
    if part.startswith("<path:"):
        return ".+"
    return "[^/]+" if part.startswith("<") else re.escape(part)


def _proxy(
    rule: str, operation: Operation | None, *methods: str, endpoint: str = ANSWERED, alias: bool = True
) -> tuple[Route, ...]:
    """A proxy route under /v1, and without it for clients whose base URL lacks the /v1."""
    rules = (f"/v1{rule}", rule) if alias else (f"/v1{rule}",)
    return tuple(Route(each, endpoint, methods or ("POST",), Surface.PROXY, operation) for each in rules)


ROUTES: Final = (
    *_proxy("/messages", Operation.GENERATE),
    *_proxy("/messages/count_tokens", Operation.COUNT_TOKENS),
    *_proxy("/messages/batches", Operation.BATCHES, "GET", "POST", alias=False),
    *_proxy("/messages/batches/<path:rest>", Operation.BATCHES, "GET", "POST", "DELETE", alias=False),
    *_proxy("/chat/completions", Operation.GENERATE),
    *_proxy("/responses", Operation.GENERATE),
    *_proxy("/responses/compact", Operation.COMPACT),
    *_proxy("/models", Operation.PASS, "GET", endpoint="models"),
    *_proxy("/models/<path:model>", Operation.PASS, "GET", endpoint="models"),
    Route("/health", "health", surface=Surface.OPEN),
    Route("/ready", "ready"),
    Route("/status", "status"),
    Route("/use", "use", ("POST",)),
    Route("/strategy", "strategy", ("GET", "PUT", "DELETE")),
    Route("/model", "model", ("GET", "PUT", "DELETE")),
    Route("/passes", "passes", ("POST", "DELETE")),
    Route("/accounts/reload", "reload", ("POST",)),
    Route("/accounts/<name>/clear", "clear", ("POST",)),
    Route("/accounts/<name>/pause", "pause", ("POST",)),
    Route("/accounts/<name>/resume", "resume", ("POST",)),
    Route("/events", "events"),
    Route("/history", "history"),
    Route("/history/windows", "history windows"),
    Route("/forecast", "forecast"),
    Route("/explain", "explain"),
    Route("/explain/<request>", "explained"),
    Route("/metrics", "metrics"),
    Route("/openapi.json", "openapi"),
    Route("/debug/stats", "debug stats"),
    Route("/debug/active", "debug active"),
    Route("/debug/health", "debug health"),
    Route("/debug/traces", "debug traces"),
    Route("/debug/traces/<request>", "debug trace"),
    Route("/debug/errors", "debug errors"),
    Route("/debug/errors/<request>", "debug error"),
    Route("/debug/logs", "debug logs"),
    Route("/sessions", "sessions"),
    Route("/sessions/cleanup", "sessions cleanup", ("POST",)),
    Route("/", "front", surface=Surface.OPEN),
    Route("/dashboard", "dashboard", surface=Surface.OPEN),
    Route("/dashboard/codes", "codes", ("POST",)),
    Route("/dashboard/session", "session", ("POST", "DELETE"), Surface.OPEN),
    Route("/dashboard/<name>", "asset", surface=Surface.OPEN),
)

PASSED: Final = Route(
    "/<path:rest>", ANSWERED, ("GET", "POST", "PUT", "PATCH", "DELETE"), Surface.PROXY, Operation.PASS
)
"""Whatever else an allow-list of a provider names."""


@frozen
class Match:
    """What a path leads to."""

    route: Route | None
    """None when nothing is there."""
    allowed: tuple[str, ...] = ()
    """Methods the path takes; empty when nothing is there."""


def find(path: str) -> Match:
    """The route of a raw path."""
    for route in ROUTES:
        if route.pattern.fullmatch(path):
            return Match(route, route.allowed)
    return Match(None)


def vendor_path(path: str) -> str:
    """The vendor's own path behind one of ours."""
    return path if path.startswith("/v1/") or find(path).route is None else f"/v1{path}"


def protocol_of(path: str, headers: Headers) -> str:
    """The protocol of a caller, told by where it knocks; CONTROL when it is none of the three."""
    bare = path.removeprefix("/v1")
    for stem, protocol in (("/messages", MESSAGES), ("/chat/completions", CHAT), ("/responses", RESPONSES)):
        if bare == stem or bare.startswith(f"{stem}/"):
            return protocol
    if get(headers, b"anthropic-version") is not None:
        return MESSAGES
    return CHAT if path.startswith("/v1/") or bare == "/models" or bare.startswith("/models/") else CONTROL
