"""The application behind the one port: the front door, and Quart with its handlers behind it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from quart_trio import QuartTrio

from shunt.providers import PROVIDERS
from shunt.server.control import Control
from shunt.server.conversations import Conversations
from shunt.server.debug import Debug
from shunt.server.events import Events
from shunt.server.guard import FrontDoor
from shunt.server.inference import Inference
from shunt.server.openapi import described
from shunt.server.page import Page
from shunt.server.parts import ServerParts
from shunt.server.past import Past
from shunt.server.relayed import HttpConnection
from shunt.server.routes import ANSWERED, ROUTES


class App(QuartTrio):
    """Quart, without what it does of its own accord.

    It runs without its lifespan: there is no `nursery`, whose tasks would take each other down and leave
    the server answering. What has to live longer than a request lives in the composition root.
    """

    asgi_http_class = HttpConnection


def create_app(parts: ServerParts, new_id: Callable[[], str] | None = None) -> FrontDoor:
    """Build the ASGI application. `new_id` makes request ids; None means random ones."""
    return FrontDoor(
        quart_app(parts),
        parts.access,
        answer=Inference(parts).handle,
        config=parts.config,
        carried=carried,
        now=parts.now,
        new_id=new_id or partial(next, request_ids()),
        tally=parts.tally,
    )


def quart_app(parts: ServerParts) -> App:
    """Quart with all handlers. Only to be called through a front door."""
    # A root path is named because Quart would look for one by importing; folders, because it would
    # serve what it finds in them.
    app = App("shunt", root_path="/", static_folder=None, template_folder=None)
    app.config.update(
        RESPONSE_TIMEOUT=None,  # 60 s by default, after which a healthy stream is cut without a word
        BODY_TIMEOUT=None,  # the front door paces bodies
        MAX_CONTENT_LENGTH=None,  # and bounds them
        PROVIDE_AUTOMATIC_OPTIONS=False,  # no answers that a browser could take for permission
        PROPAGATE_EXCEPTIONS=True,  # to the front door, the one place that turns errors into answers
    )
    handlers = _handlers(parts)
    for route in ROUTES:
        if route.endpoint == ANSWERED:
            continue
        app.add_url_rule(
            route.rule,
            endpoint=f"{route.endpoint} {route.rule}",
            view_func=handlers[route.endpoint],
            methods=list(route.methods),
            strict_slashes=True,
            merge_slashes=False,
        )
    return app


def _handlers(parts: ServerParts) -> dict[str, Callable[..., Awaitable[Any]]]:
    inference, control, page, past = Inference(parts), Control(parts), Page(parts), Past(parts)
    conversations = Conversations(parts.local)
    return {
        **_sight(parts, past),
        "models": inference.models,
        "health": control.health,
        "ready": control.ready,
        "status": control.status,
        "front": page.front,
        "dashboard": page.dashboard,
        "asset": page.asset,
        "codes": page.codes,
        "session": page.session,
        "use": control.use,
        "strategy": control.strategy,
        "model": control.model,
        "passes": control.passes,
        "clear": control.clear,
        "pause": control.pause,
        "resume": control.resume,
        "reload": control.reload,
        "sessions": conversations.sessions,
        "sessions cleanup": conversations.cleanup,
    }


def _sight(parts: ServerParts, past: Past) -> dict[str, Callable[..., Awaitable[Any]]]:
    """Handlers of the routes that only look."""
    debug = Debug(parts, past)
    return {
        "events": Events(parts).stream,
        "history": past.history,
        "history windows": past.windows,
        "forecast": past.forecast,
        "explain": past.explain,
        "explained": past.explained,
        "metrics": debug.metrics,
        "openapi": described,
        "debug stats": debug.stats,
        "debug active": debug.active,
        "debug health": debug.health,
        "debug traces": debug.traces,
        "debug trace": debug.trace,
        "debug errors": debug.errors,
        "debug error": debug.error,
        "debug logs": debug.logs,
    }


def carried(method: str, path: str) -> tuple[str, ...]:
    """The protocols of the providers that have this call on their allow-list."""
    able = (
        provider.protocol
        for provider in PROVIDERS
        if any(route.matches(method, path) for route in provider.routes)
    )
    return tuple(dict.fromkeys(able))


def request_ids() -> Iterator[str]:
    """Fresh request ids for ever. The system is asked for randomness once for many."""
    while True:
        digits = secrets.token_hex(12 * 64)
        yield from (f"req_{digits[at : at + 24]}" for at in range(0, len(digits), 24))
