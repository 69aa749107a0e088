"""A gateway on a scripted vendor over real sockets, without the server in front."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import trio
from attrs import define, evolve, field

from shunt.accounts.account import Account
from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.accounts.state import RequestRecord
from shunt.custody import Custody
from shunt.gateway.attempt import Attempts
from shunt.gateway.carriers import Carriers
from shunt.gateway.delivery import Delivery
from shunt.gateway.exchange import Means
from shunt.gateway.gateway import Gateway
from shunt.gateway.hold import WaitingRoom
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.listing import Listing
from shunt.gateway.measure import Measure
from shunt.inference.inbound import Inbound, Operation
from shunt.pool import AccountPool
from shunt.protocols import protocol_named
from shunt.upstream.client import Upstream, open_upstream
from shunt.upstream.timeouts import Timeouts
from tests.fakes.stores import MemoryStore
from tests.fakes.upstream import Script, ScriptedUpstream, scripted_upstream
from tests.gateway.rooms import account, pool_of, wall


@define(eq=False)
class Stage:
    """What a gateway test works with."""

    gateway: Gateway
    pool: AccountPool
    up: ScriptedUpstream
    upstream: Upstream
    records: list[RequestRecord] = field(factory=list)

    async def ask(self, inbound: Inbound | None = None) -> Answered:
        """One request, its answer read to the end."""
        async with self.asking(inbound or message()) as (delivery, _):
            return await read(delivery)

    @asynccontextmanager
    async def asking(self, inbound: Inbound) -> AsyncIterator[tuple[Delivery, Lifetime]]:
        """One request, as the front door runs it: its tasks end and its closers run at the end."""
        lifetime: Lifetime | None = None
        try:
            async with trio.open_nursery() as nursery:
                given, deliveries = trio.open_memory_channel[Delivery](1)

                async def commit(delivery: Delivery) -> None:
                    await given.send(delivery)
                    await trio.sleep_forever()  # whoever asks reads it

                async def handle(lifetime: Lifetime) -> None:
                    if (delivery := await self.gateway.handle(inbound, lifetime)) is not None:
                        await given.send(delivery)

                lifetime = Lifetime(nursery, commit)
                nursery.start_soon(handle, lifetime)
                yield await deliveries.receive(), lifetime
                nursery.cancel_scope.cancel()
        finally:
            if lifetime is not None:
                with trio.move_on_after(10) as scope:
                    scope.shield = True
                    await lifetime.close()


def unasked(_: Delivery) -> NoReturn:
    """What `Lifetime.commit` is where nothing has to begin early."""
    raise AssertionError


@define(eq=False)
class Answered:
    """A delivery that was read."""

    delivery: Delivery
    body: bytes
    broken: bool = False
    """The body ended with an exception: the connection would be cut."""

    @property
    def status(self) -> int:
        """Its status."""
        return self.delivery.status

    @property
    def json(self) -> Any:
        """Its body as JSON."""
        return json.loads(self.body)

    def header(self, name: bytes) -> str | None:
        """First value of a header."""
        return next((v.decode() for k, v in self.delivery.headers if k.lower() == name), None)


async def read(delivery: Delivery) -> Answered:
    """Read a delivery to its end."""
    if isinstance(delivery.body, bytes):
        return Answered(delivery, delivery.body)
    got = bytearray()
    try:
        async for chunk in delivery.body:
            got += chunk
    except Exception:  # noqa: BLE001 - what the server would cut the connection for
        return Answered(delivery, bytes(got), broken=True)
    return Answered(delivery, bytes(got))


COUNT = iter(range(1, 1_000_000))


def message(text: str = "hi", *, stream: bool = False, **fields: Any) -> Inbound:
    """A Messages request of a conversation of its own."""
    document = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": text}],
        "stream": stream,
    }
    body = json.dumps(document).encode()
    inbound = Inbound(
        id=f"req_{next(COUNT):024x}",
        protocol="anthropic-messages",
        operation=Operation.GENERATE,
        method="POST",
        path="/v1/messages",
        query=b"",
        headers=((b"content-type", b"application/json"), (b"anthropic-version", b"2023-06-01")),
        body=body,
        outline=protocol_named("anthropic-messages").outline(body),
        arrived_at=wall(),
        conversation=text,
        wait=0.0,
    )
    return evolve(inbound, **fields)


@asynccontextmanager
async def stage(
    script: Script,
    *names: str,
    silent: float | None = None,
    every: float = 15.0,
    build: Callable[[str, str], Account] = account,
    timeouts: Timeouts | None = None,
    measure: Measure | None = None,
    strict: bool = False,
) -> AsyncIterator[Stage]:
    """Accounts `names` with keys `sk-test-NAME` at one scripted vendor."""
    async with (
        scripted_upstream(script) as up,
        open_upstream(timeouts or Timeouts(2, 2, 5)) as upstream,
        trio.open_nursery() as services,
    ):
        pool = pool_of(*(build(name, up.url) for name in names))
        keys = {name: ApiKey(Secret(f"sk-test-{name}")) for name in names}
        custody = Custody(
            MemoryStore(), lambda _: None, services, wall, lambda: 0.5, pool.custody_changed, keys=keys
        )
        await custody.load()
        room = WaitingRoom(pool, limit=lambda: 8, now=wall, jitter=lambda: 0.0)
        means = Means(
            pool=pool,
            custody=custody,
            attempts=Attempts(upstream, wall),
            room=room,
            wait=lambda: 0.0,
            now=wall,
            jitter=lambda: 0.0,
            measure=lambda: measure or Measure(),
            strict=lambda: strict,
        )
        records: list[RequestRecord] = []
        gateway = Gateway(
            means=means,
            carriers=Carriers(pool),
            keep=records.append,
            listing=Listing(means),
            hold_silent=lambda: silent,
            keepalive_every=lambda: every,
        )
        services.start_soon(room.attend)
        yield Stage(gateway, pool, up, upstream, records)
        services.cancel_scope.cancel()
