"""A gateway that does as it is told, and a server around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import cycle

import trio
from attrs import define, evolve, field

from shunt.accounts.account import Account
from shunt.accounts.state import Custody, PoolState
from shunt.config.types import Config, ServerConfig
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.pool import AccountPool
from shunt.routing.view import Tuning
from shunt.server.access import Access
from shunt.server.app import create_app
from shunt.server.bounds import Bounds
from shunt.server.local import LocalSessions, NoSessions
from shunt.server.parts import ServerParts
from shunt.server.tally import Tally
from shunt.store.discovery import Finding
from shunt.store.history_search import Archive
from shunt.telemetry.observatory import Observatory
from shunt.watchers.health import Health
from shunt.wire.headers import Headers
from tests.fakes.client import RawClient, RawResponse, raw_client, request
from tests.fakes.serving import Running, running

T0 = 1_800_000_000.0
"""Epoch seconds at which tests begin."""
MESSAGE = b'{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"input":"hi"}'
"""A request in all three protocols at once."""
STREAMED = b'{"stream":true,' + MESSAGE[1:]
JSON: Headers = ((b"content-type", b"application/json"),)
SSE: Headers = ((b"content-type", b"text/event-stream"),)

Answering = Callable[[Inbound, Lifetime], Awaitable[Delivery]]


@define
class Chunks(AsyncIterator[bytes]):
    """A body that follows a script: bytes are sent, numbers are seconds of silence, events are waited
    for, errors are raised."""

    _steps: Iterator[bytes | float | trio.Event | Exception]

    async def __anext__(self) -> bytes:
        await trio.lowlevel.checkpoint()
        for step in self._steps:
            if isinstance(step, bytes):
                return step
            if isinstance(step, trio.Event):
                await step.wait()
            elif isinstance(step, Exception):
                raise step
            else:
                await trio.sleep(step)
        raise StopAsyncIteration


def answering(delivery: Callable[[Inbound], Delivery] | Exception) -> Answering:
    """A gateway's answer that takes no time: what `delivery` makes of the request, or an error."""

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await trio.lowlevel.checkpoint()
        if isinstance(delivery, Exception):
            raise delivery
        return delivery(inbound)

    return answer


def streaming(*steps: bytes | float | trio.Event | Exception, over: bool = True) -> Answering:
    """A gateway's answer that is a stream of these steps, again and again unless it is `over` then."""
    return answering(lambda _: Delivery(200, SSE, Chunks(iter(steps) if over else cycle(steps))))


async def echo(inbound: Inbound, lifetime: Lifetime) -> Delivery:
    """Give the body back."""
    await trio.lowlevel.checkpoint()
    return Delivery(200, JSON, inbound.body)


@define
class ScriptedGateway:
    """Answers as `answer` says, and remembers what it was asked."""

    answer: Answering = echo
    asked: list[Inbound] = field(factory=list)
    named: list[str] = field(factory=list)
    """Models asked for by name."""
    listed: Answering = field(factory=lambda: answering(lambda _: Delivery(200, JSON, b'{"data":[]}')))
    """Answers questions for models."""

    async def handle(self, inbound: Inbound, lifetime: Lifetime) -> Delivery:
        """Answer a request."""
        self.asked.append(inbound)
        return await self.answer(inbound, lifetime)

    async def models(self, inbound: Inbound, lifetime: Lifetime, name: str = "") -> Delivery:
        """Answer a question for models."""
        self.asked.append(inbound)
        self.named.append(name)
        return await self.listed(inbound, lifetime)


@define
class Setting:
    """The parts of a server, and what tests change about them."""

    gateway: ScriptedGateway = field(factory=ScriptedGateway)
    config: Config = Config()
    accounts: tuple[str, ...] = ("a", "b")
    now: Callable[[], float] = lambda: T0
    health: Health = field(factory=lambda: Health(lambda: T0))
    observatory: Observatory = field(factory=lambda: Observatory(lambda: T0))
    archive: Archive | None = None
    reloaded: int = 0
    reload_error: Exception | None = None
    findings: tuple[Finding, ...] = ()
    tally: Tally = field(factory=Tally)
    local: LocalSessions = field(factory=NoSessions)
    pool: AccountPool = field(init=False)
    access: Access = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pool = AccountPool(
            [Account(name, "anthropic", "https://vendor.example", False) for name in self.accounts],
            state=PoolState(),
            tuning=Tuning(),
            sticky_ttl=3600,
            now=self.now,
            jitter=lambda: 0.0,
        )
        for name in self.accounts:
            self.pool.custody_changed(name, Custody.PRESENT)
        self.access = Access(self.config, lambda: trio.current_time())  # noqa: PLW0108 - only once trio runs

    def parts(self) -> ServerParts:
        """Everything a server needs."""
        return ServerParts(
            gateway=self.gateway,
            pool=self.pool,
            access=self.access,
            tally=self.tally,
            local=self.local,
            config=lambda: self.config,
            health=self.health,
            waiting=lambda: 3,
            reload=self._reload,
            now=self.now,
            version="9.9",
            started_at=T0 - 60,
            observatory=self.observatory,
            archive=self.archive,
            findings=lambda: self.findings,
        )

    async def _reload(self) -> None:
        self.reloaded += 1
        if self.reload_error is not None:
            raise self.reload_error


@define
class House:
    """A running server."""

    setting: Setting
    server: Running

    @property
    def host(self) -> bytes:
        """What its clients call it."""
        return b"127.0.0.1:%d" % self.server.port

    @property
    def gateway(self) -> ScriptedGateway:
        """The gateway behind it."""
        return self.setting.gateway

    async def ask(
        self, method: bytes, target: bytes, headers: Headers = (), body: bytes = b""
    ) -> RawResponse:
        """Send one request on a connection of its own. JSON is what a body is, unless a header says."""
        async with self.client() as client:
            await client.send(self.request(method, target, headers, body))
            return await client.response(method)

    def client(self) -> AbstractAsyncContextManager[RawClient]:
        """A connection."""
        return raw_client(self.server.port)

    def request(self, method: bytes, target: bytes, headers: Headers = (), body: bytes = b"") -> bytes:
        """A request's bytes."""
        names = {name.lower() for name, _ in headers}
        kind = JSON if body and b"content-type" not in names else ()
        return request(method, target, (*headers, *kind), body, host=self.host)


@asynccontextmanager
async def house(
    answer: Answering = echo,
    server: ServerConfig | None = None,
    *,
    config: Config | None = None,
    bounds: Bounds | None = None,
    setting: Setting | None = None,
) -> AsyncIterator[House]:
    """Run a server on a free port."""
    if setting is None:
        config = config or Config()
        if server is not None:
            config = evolve(config, server=server)
        setting = Setting(ScriptedGateway(answer), config)
    async with running(create_app(setting.parts()), bounds) as served:
        yield House(setting, served)
