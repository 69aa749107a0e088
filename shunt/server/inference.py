"""The proxy routes: from a call to what the gateway takes, and back."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import partial
from typing import Final
from urllib.parse import unquote

import trio

from shunt.accounts.allowance import next_day, spent, used_today
from shunt.errors import AllowanceSpent, InvalidRequest, NotAllowed
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.threads import in_thread
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.limits.durations import parse_duration
from shunt.protocols import protocol_named
from shunt.routing.affinity import batch_key
from shunt.server.bounds import MIB, body_limit
from shunt.server.call import Call, current_call, current_lifetime
from shunt.server.errors import TurnedAway
from shunt.server.parts import ServerParts
from shunt.server.relayed import RelayedResponse
from shunt.server.routes import vendor_path
from shunt.wire import headers as header
from shunt.wire.encoding import decoded

LOOKED_INTO: Final = frozenset({Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT})
"""Operations whose body is a request to a model."""
USED: Final = frozenset({Operation.GENERATE, Operation.COMPACT})
"""Operations that count against a client's day."""
LARGE: Final = MIB
"""Bytes above which a body is read in a thread, so that nobody else's stream stops meanwhile."""
LARGE_COMPRESSED: Final = MIB // 16
READERS: Final = trio.CapacityLimiter(2)
"""Threads for large bodies. The default ones are shared with name resolution."""


class Inference:
    """Handlers of the proxy routes.

    `handle` is called by the front door itself: Quart's request, its contexts and its response would be a tenth
    of a plain request's time, and nothing of them is used.
    """

    def __init__(self, parts: ServerParts) -> None:
        self._parts = parts

    async def handle(self, call: Call, lifetime: Lifetime) -> Delivery | None:
        """Answer a request to a model, or one that only passes through; None when `lifetime` was given the answer.

        Raises InvalidRequest, BodyTooLarge, NotAllowed, AllowanceSpent and TurnedAway.
        """
        return await self._parts.gateway.handle(await self._inbound(call), lifetime)

    async def models(self, model: str = "") -> RelayedResponse:
        """Answer what the pool can serve, or whether it has one model."""
        inbound = await self._inbound(current_call())
        return RelayedResponse(await self._parts.gateway.models(inbound, current_lifetime(), model))

    async def _inbound(self, call: Call) -> Inbound:
        operation = call.route.operation or Operation.PASS
        path = vendor_path(call.path)
        batch = batch_key(call.caller.name, path) if operation is Operation.BATCHES else ""
        outline = await self._outline(call) if operation in LOOKED_INTO else Outline(chained=bool(batch))
        check_grant(call, operation, outline.model)
        if operation in USED:
            self._check_allowance(call)
        return Inbound(
            id=call.id,
            protocol=call.protocol,
            operation=operation,
            method=call.method,
            path=path,
            query=call.query,
            headers=call.headers,
            body=call.body,
            outline=outline,
            arrived_at=call.arrived_at,
            client=call.caller.name,
            pools=call.caller.pools,
            logins=call.caller.logins,
            models=call.caller.models,
            local=call.local,
            wanted_account=self._wanted(call),
            wait=_wait(call),
            conversation=batch or self._parts.pool.conversation_of(call.headers, outline, call.caller.name),
        )

    def _wanted(self, call: Call) -> str:
        """The account that is asked for, by a name that is percent-encoded where it is not ASCII."""
        named = header.text(call.headers, b"x-shunt-account") or ""
        return (named if named in self._parts.pool.accounts else unquote(named)) or call.caller.account

    def _check_allowance(self, call: Call) -> None:
        """Refuse a client that has used up its day; raises AllowanceSpent."""
        caller, now = call.caller, self._parts.now()
        if not caller.allowance:
            return
        used = used_today(self._parts.pool.state.clients, caller.name, now)
        limit = spent(caller.allowance, used, self._parts.access.running(caller))
        if limit is not None:
            raise AllowanceSpent(
                f'The key of client "{caller.name}" has used up {limit}; the next day begins at 00:00 UTC.',
                next_day(now),
            )

    async def _outline(self, call: Call) -> Outline:
        """The facts of a body. Raises InvalidRequest, BodyTooLarge or TurnedAway."""
        encoding = header.text(call.headers, b"content-encoding") or ""
        limit = body_limit(self._parts.config())
        read = partial(outline_of, call.protocol, call.body, encoding, limit)
        if len(call.body) > (LARGE_COMPRESSED if encoding else LARGE):
            return await in_thread(read, READERS)
        return read()


def check_grant(call: Call, operation: Operation, model: str) -> None:
    """Refuse what the caller's key is not for; raises NotAllowed."""
    caller = call.caller
    if operation is Operation.BATCHES and (caller.models or caller.allowance):
        raise NotAllowed(
            f'The key of client "{caller.name}" is limited in models or use, and batches cannot be counted here.'
        )
    if caller.models and model and not any(fnmatchcase(model, glob) for glob in caller.models):
        raise NotAllowed(
            f'The key of client "{caller.name}" is not for the model "{model[:100]}"; it is for '
            f"{', '.join(caller.models)}."
        )


def outline_of(protocol: str, body: bytes, encoding: str, limit: int) -> Outline:
    """The facts of a body that may be compressed to `limit` bytes at most.

    Raises InvalidRequest, BodyTooLarge or TurnedAway.
    """
    if encoding:
        plain = decoded(body, encoding, limit)
        if plain is None:
            raise TurnedAway(
                f"The content encoding {encoding[:40]} is not read here; send the body plain, gzip or zstd.",
                415,
            )
        body = plain
    if not body:
        raise InvalidRequest("The request has no body.")
    return protocol_named(protocol).outline(body)


def _wait(call: Call) -> float | None:
    text = header.text(call.headers, b"x-shunt-wait")
    if text is None:
        return None
    wait = parse_duration(text)
    if wait is None:
        raise InvalidRequest("x-shunt-wait has to be a length of time such as 30s, 5m or 0s.")
    return wait
