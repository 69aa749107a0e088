"""The front door: every request passes here first, on the raw ASGI scope, before Quart sees it.

In this order: the server's state, the request target, Host, Origin, the key, the route, the size of the
body. Nothing is looked up by anything a caller wrote until its key has been found right.

The front door also owns the request's lifetime. Whatever a handler opens is closed here, however the
call ends: a response body that was never begun would close nothing. Requests to models go from here straight
to their handler; everything else goes through Quart.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, cast

import trio
from attrs import define, evolve, field
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope

from shunt.config.addresses import is_loopback
from shunt.config.types import Config, ServerConfig
from shunt.errors import BodyTooLarge, InvalidRequest, Kind, NotAuthenticated, NotFound
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.server.access import Access, Caller, Visit, Withdrawn
from shunt.server.answer import Answer
from shunt.server.asgi import AT_HAND, WHEN_GONE
from shunt.server.bounds import Bounds, bounds_of
from shunt.server.call import CALL, LIFETIME, Call
from shunt.server.drain import DRAIN, Drain
from shunt.server.errors import TurnedAway, failure_of
from shunt.server.intake import ClientGone, Intake, Share, Store, discard, expects_body
from shunt.server.origin import check_host, check_origin, is_local, read_host
from shunt.server.relayed import relay
from shunt.server.routes import ANSWERED, PASSED, RESPONSES, Match, Route, Surface, find, protocol_of
from shunt.server.tally import Refusal, Tally
from shunt.server.target import check_method, check_target
from shunt.wire.headers import Headers, get

log = logging.getLogger(__name__)

PRINTABLE: Final = re.compile(rb"[\t -~]*")


@define(eq=False)
class Visitor:
    """A request on its way in."""

    id: str
    method: str
    path: str
    """Raw, read as Latin-1."""
    query: bytes
    headers: Headers = field(repr=False)
    peer: str
    """Address of the other end of its connection."""
    local: tuple[str, int]
    """Address and port of our end."""
    match: Match
    protocol: str
    """The caller's protocol, or CONTROL."""
    intake: Intake


class FrontDoor:
    """The outermost ASGI application."""

    _looked_at: Config | None = None
    """The configuration that the next two were read off."""
    _bounds: Bounds
    _names: frozenset[str]

    def __init__(
        self,
        app: ASGIFramework,
        access: Access,
        *,
        answer: Callable[[Call, Lifetime], Awaitable[Delivery | None]],
        config: Callable[[], Config],
        carried: Callable[[str, str], tuple[str, ...]],
        now: Callable[[], float],
        new_id: Callable[[], str],
        tally: Tally,
    ) -> None:
        """Wrap `app`.

        Args:
            app: Quart's.
            access: who may call.
            answer: handles requests to models; gives None when it has sent the answer through the lifetime.
            config: the configuration now in force.
            carried: the protocols of the providers that have a method and path on their allow-list.
            now: epoch seconds.
            new_id: a fresh request id.
            tally: counts what is refused.
        """
        self._app = app
        self._access = access
        self._answer = answer
        self._config = config
        self._carried = carried
        self._now = now
        self._new_id = new_id
        self._tally = tally
        self._store = Store(0)
        self._look_at(config())

    def _look_at(self, config: Config) -> None:
        """Read off a configuration what every request needs of it, once."""
        if config is self._looked_at:
            return
        self._looked_at = config
        self._bounds = bounds_of(config)
        self._names = own_names(config.server)
        self._store.capacity = self._bounds.bodies

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one request; raises nothing but cancellation."""
        facts = cast("dict[str, Any]", scope)
        if facts["type"] != "http":  # there is no other kind: see connection.py
            return
        drain: Drain = facts.get("state", {}).get(DRAIN) or Drain()
        visitor = self._meet(facts)
        answer = Answer(send, visitor.id, visitor.protocol, closing=drain.refusing)
        self._look_at(self._config())
        bounds = self._bounds
        deadline = trio.current_time() + bounds.request
        route = visitor.match.route
        with drain.call(awaited=route is not None and route.surface is Surface.PROXY) as window:
            window.deadline = deadline
            await self._receive(facts, visitor, receive, answer)
        if window.cancelled_caught:
            answer.closing = True
            error = too_long(bounds) if trio.current_time() >= deadline else shutting_down()
            await self._refuse(error, visitor, receive, answer)

    def _meet(self, scope: dict[str, Any]) -> Visitor:
        """Read an ASGI scope. Nothing in it is trusted yet, and nothing is decided."""
        headers = tuple(scope["headers"])
        method, path = scope["method"], scope["raw_path"].decode("latin1")
        protocol, match = protocol_of(path, headers), find(path)
        if match.route is None:
            allowed = tuple(verb for verb in PASSED.methods if self._carried(verb, path))
            match = Match(PASSED if allowed else None, allowed)
            speakers = self._carried(method, path)
            if speakers and protocol not in speakers:
                protocol = speakers[0]
        return Visitor(
            id=self._new_id(),
            method=method,
            path=path,
            query=bytes(scope["query_string"]),
            headers=headers,
            peer=scope["client"][0] if scope["client"] else "",
            local=scope["server"] or ("", 0),
            match=match,
            protocol=protocol,
            intake=Intake(headers, not expects_body(headers), scope["extensions"][AT_HAND]),
        )

    async def _receive(
        self, scope: dict[str, Any], visitor: Visitor, receive: ASGIReceiveCallable, answer: Answer
    ) -> None:
        try:
            with self._store.share() as share:
                call = scope[CALL] = await self._admit(visitor, receive, share, closing=answer.closing)
                with self._access.stay(call.caller):
                    await self._serve(scope, receive, answer)
        except* ClientGone:
            pass
        except* Exception as errors:  # noqa: BLE001 - this is where every error becomes an answer
            await self._refuse(_first(errors), visitor, receive, answer)

    async def _admit(
        self, visitor: Visitor, receive: ASGIReceiveCallable, share: Share, *, closing: bool
    ) -> Call:
        """Look a request over and take its body in. Raises what stands against it."""
        if closing:
            raise shutting_down()
        check_method(visitor.method)
        check_target(visitor.path, visitor.query)
        host = read_host(visitor.headers)
        check_host(host, visitor.local, self._names)
        check_origin(visitor.headers, visitor.method, visitor.path)
        _check_upgrade(visitor)
        local = is_local(visitor.headers, host, visitor.peer)
        surface = visitor.match.route.surface if visitor.match.route else Surface.PROXY
        caller = self._access.admit(Visit(surface, visitor.headers, local, visitor.peer, visitor.method))
        route = _route(visitor)
        _check_headers(visitor.headers)
        bounds = self._bounds
        self._check_share(caller, bounds)
        limit = bounds.body if surface is Surface.PROXY else bounds.control_body
        arrived_at = self._now()
        body = await visitor.intake.read(receive, limit, bounds, self._store, share)
        return Call(
            id=visitor.id,
            protocol=visitor.protocol,
            route=route,
            caller=caller,
            local=local,
            arrived_at=arrived_at,
            method=visitor.method,
            path=visitor.path,
            query=visitor.query,
            headers=visitor.headers,
            body=body,
        )

    def _check_share(self, caller: Caller, bounds: Bounds) -> None:
        """Refuse one client more than its part; raises TurnedAway."""
        if bounds.per_client and self._access.running(caller) >= bounds.per_client:
            raise TurnedAway(
                f"This client has {bounds.per_client} requests running, which is as many as it may "
                "(requests_per_client in [limits]).",
                429,
                kind=Kind.RATE_LIMITED,
                retry_after=5,
                refusal=Refusal.PER_CLIENT,
            )

    async def _serve(self, scope: dict[str, Any], receive: ASGIReceiveCallable, answer: Answer) -> None:
        call: Call = scope[CALL]
        lifetime: Lifetime | None = None
        try:
            async with trio.open_nursery() as nursery:
                lifetime = scope[LIFETIME] = Lifetime(nursery, partial(relay, send=answer))
                if call.route.endpoint == ANSWERED:
                    scope["extensions"][WHEN_GONE](nursery.cancel_scope.cancel)
                    if (delivery := await self._answer(call, lifetime)) is not None:
                        await relay(delivery, answer)
                else:
                    await self._app(cast("Scope", scope), _without_body(receive), answer)
                if nursery.child_tasks:  # as hardly ever
                    nursery.cancel_scope.cancel()
        finally:
            # When the request's tasks have ended: nothing is closed under somebody.
            if lifetime is not None:
                await lifetime.close()  # noqa: ASYNC102 - shields itself, within bounds

    async def _refuse(
        self, error: Exception, visitor: Visitor, receive: ASGIReceiveCallable, answer: Answer
    ) -> None:
        """Tell the caller of an error, and log one that is our own mistake."""
        failure = evolve(failure_of(error, visitor.id, self._now()), request_id=visitor.id)
        if failure.kind is Kind.INTERNAL:
            log.error("request %s failed", visitor.id, exc_info=error)
        if (refusal := _counted(error)) is not None:
            self._tally.add(refusal)
        log.info("request %s refused: %d %s", visitor.id, failure.http_status, failure.message)
        answer.closing = answer.closing or not visitor.intake.complete
        async with trio.open_nursery() as nursery:
            if not visitor.intake.complete:
                # Somebody has to go on receiving, or the connection would wait for that.
                nursery.start_soon(discard, receive)
            await answer.fail(failure, error.headers if isinstance(error, TurnedAway) else ())
            nursery.cancel_scope.cancel()


def shutting_down() -> TurnedAway:
    """What new requests are told at the end, and those that did not finish in time."""
    return TurnedAway(
        "shunt is shutting down; try again in a moment.",
        503,
        kind=Kind.UNAVAILABLE,
        retry_after=5,
        refusal=Refusal.SHUTDOWN,
    )


def too_long(bounds: Bounds) -> TurnedAway:
    """What a request is told that has been here for longer than any may."""
    return TurnedAway(
        f"The request took longer than {bounds.request / 3600:g} h and was ended (request_hours in [limits]).",
        504,
        kind=Kind.TIMEOUT,
        refusal=Refusal.TOO_LONG,
    )


def _counted(error: Exception) -> Refusal | None:
    """What a refusal is counted as; None for errors that are no refusal."""
    if isinstance(error, TurnedAway):
        return error.refusal
    for kind, refusal in (
        (Withdrawn, Refusal.WITHDRAWN),
        (NotAuthenticated, Refusal.KEY),
        (BodyTooLarge, Refusal.BODY),
    ):
        if isinstance(error, kind):
            return refusal
    return None


def own_names(server: ServerConfig) -> frozenset[str]:
    """Names this server is known by, besides its addresses and the loopback names."""
    names = {name.lower() for name in server.allowed_hosts}
    if not is_loopback(server.host) and not _is_address(server.host):
        names.add(server.host.lower())
    return frozenset(names)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _check_upgrade(visitor: Visitor) -> None:
    """Codex tries a WebSocket first and falls back at once at a 426; other upgrades are ignored."""
    if visitor.protocol == RESPONSES and get(visitor.headers, b"upgrade") is not None:
        raise TurnedAway(
            "WebSockets are not served here; use HTTP.",
            426,
            # RFC 9110 §15.5.22 wants to know what to change to.
            headers=((b"upgrade", b"HTTP/1.1"), (b"connection", b"upgrade")),
        )


def _check_headers(headers: Headers) -> None:
    """Refuse header values that another program might read differently; raises InvalidRequest."""
    for name, value in headers:
        if not PRINTABLE.fullmatch(value):
            raise InvalidRequest(
                f"The header {name.decode('ascii', 'replace')} holds characters other than visible ASCII."
            )


def _route(visitor: Visitor) -> Route:
    match, path = visitor.match, visitor.path[:200]
    if match.route is None:
        raise NotFound(f"There is nothing at {path} here.")
    if visitor.method not in match.allowed:
        allow = ", ".join(match.allowed).encode()
        raise TurnedAway(f"{path} does not take {visitor.method}.", 405, headers=((b"allow", allow),))
    return match.route


def _without_body(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A `receive` for Quart: an empty body, then the disconnect. Handlers read `Call.body`.

    Quart would copy the body once more, and from 0.23 on looks at its own limit only afterwards.
    """
    given = False

    async def next_event() -> Any:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await receive()
        while message["type"] == "http.request":
            message = await receive()
        return message

    return next_event


def _first(errors: BaseExceptionGroup[BaseException]) -> Exception:
    """The first real error of a group."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("Exception", error)
