"""The parts a watcher works with: a real pool, and stand-ins for what lies outside, on a simulated clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import trio
from attrs import define, evolve, field

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import AccountState, RequestRecord
from shunt.config.types import Config, PrefetchConfig
from shunt.errors import ShuntError
from shunt.limits.windows import Window
from shunt.pool import AccountPool, Snapshot
from shunt.providers.base import Provider, UpstreamCall
from shunt.routing.view import Tuning
from shunt.watchers.bell import Bell
from shunt.watchers.health import Health
from shunt.watchers.notices import Notice
from shunt.watchers.parts import Parts
from shunt.watchers.records import Records
from shunt.watchers.supervisor import Watcher, supervise
from shunt.watchers.worker import Result, Worker
from shunt.wire.headers import Headers
from tests.fakes.pools import T0, account, pool_state


@define
class WallClock:
    """A wall clock that goes with Trio's, until somebody sets it."""

    ahead: float = 0.0

    def now(self) -> float:
        return T0 + self.ahead + trio.current_time()


def login(access: str = "sk-test-access", **fields: Any) -> Login:
    return Login(
        **{
            "access": Secret(access),
            "refresh": Secret(f"{access}-refresh"),
            "expires_at": T0 + 8 * 3600,
            **fields,
        }
    )


def inline() -> Worker:
    """A worker without a thread: threads and simulated clocks do not go together."""

    async def run(job: Callable[[], Result], /) -> Result:
        await trio.lowlevel.checkpoint()
        return job()

    return run


@define
class FakeCustody:
    """Holds logins; renewing and adopting always work unless told otherwise."""

    held: dict[str, Credential] = field(factory=dict)
    ending: list[str] = field(factory=list)
    renewed: list[tuple[str, str]] = field(factory=list)
    """(account, fingerprint of the access token that was sent)."""
    adopted: list[tuple[str, str]] = field(factory=list)
    given_back: list[str] = field(factory=list)
    rechecked: list[str] = field(factory=list)
    loads: int = 0
    error: ShuntError | None = None
    """What every call that can fail raises."""
    on_load: Callable[[], None] = lambda: None

    def credential(self, name: str) -> Credential | None:
        return self.held.get(name)

    def expiring(self, within: float) -> Iterable[str]:
        return tuple(self.ending)

    async def refresh(self, name: str, sent: Secret) -> Credential:
        await self._fail()
        self.renewed.append((name, sent.reveal()))
        return self.held[name]

    async def recheck(self, name: str) -> bool:
        await self._fail()
        self.rechecked.append(name)
        return False

    async def adopt(self, name: str, login: Login) -> bool:
        await self._fail()
        self.adopted.append((name, login.access.reveal()))
        self.held[name] = login
        return True

    async def give_back(self, name: str) -> bool:
        await self._fail()
        self.given_back.append(name)
        return True

    async def load(self) -> None:
        self.loads += 1
        await self._fail()
        self.on_load()

    async def _fail(self) -> None:
        await trio.lowlevel.checkpoint()
        if self.error is not None:
            raise self.error


@define
class FakeReply:
    headers: Headers
    closed: bool = False

    async def read(self, limit: int, within: float) -> bytes:
        await trio.lowlevel.checkpoint()
        self.closed = True
        return b"{}"


@define
class Bench:
    """Everything a watcher touches, and what it did with it."""

    pool: AccountPool
    clock: WallClock
    custody: FakeCustody = field(factory=FakeCustody)
    config: Config = Config()
    windows: tuple[Window, ...] = ()
    """What the usage endpoint tells."""
    trouble: Exception | None = None
    """What asking, saving, inserting, reading and loading raise."""
    found: Credential | None = None
    """What other programs' files hold."""
    edited: Config | None = None
    """What config.toml holds; None is the configuration in force."""
    reply: FakeReply = field(factory=lambda: FakeReply(()))
    asked: list[tuple[str, float]] = field(factory=list)
    """(account, Trio time) of questions to the usage endpoint."""
    sent: list[UpstreamCall] = field(factory=list)
    saved: list[tuple[float, Snapshot]] = field(factory=list)
    """(Trio time, snapshot)."""
    inserted: list[tuple[float, list[RequestRecord]]] = field(factory=list)
    pruned: list[tuple[float, int, int]] = field(factory=list)
    applied: list[Config] = field(factory=list)
    notices: list[Notice] = field(factory=list)
    drops: list[float] = field(factory=list)
    looks: list[float] = field(factory=list)
    """Trio times at which idle connections were dropped."""
    reads: int = 0
    tidied: int = 0
    listened: list[frozenset[Path]] = field(factory=list)
    """Files whose changes are told of, by every lookout so far."""
    ring: Callable[[], None] = lambda: None
    """Tells that one of them changed."""
    deafness: Exception | None = None
    """What listening comes to."""

    def parts(self, folder: Path | None = None, **changes: Any) -> Parts:
        """The parts; `folder` is where the watched files are."""
        folder = folder or Path("nowhere")
        parts = Parts(
            pool=self.pool,
            custody=self.custody,
            send=self.send,
            drop_idle=self.drop_idle,
            close_old=lambda: self.looks.append(trio.current_time()),
            tidy=self.tidy,
            fetch_usage=self.fetch_usage,
            read_login=self.read_login,
            save_state=self.save,
            insert_records=self.insert,
            prune_history=self.prune,
            records=Records(),
            config=lambda: self.config,
            config_path=folder / "config.toml",
            credentials_path=folder / "credentials.json",
            load_config=self.load_config,
            apply=self.apply,
            reload=Bell(),
            notify=self.notices.append,
            now=self.clock.now,
            jitter=lambda: 0.5,
            boot=None,
            lookout=self.listen,
            worker=inline,
        )
        return evolve(parts, **changes)

    async def listen(self, files: Collection[Path], ring: Callable[[], None]) -> None:
        if self.deafness is not None:
            raise self.deafness
        self.listened.append(frozenset(files))
        self.ring = ring
        try:
            await trio.sleep_forever()
        finally:
            self.ring = lambda: None

    async def send(self, call: UpstreamCall) -> FakeReply:
        await trio.lowlevel.checkpoint()
        self.sent.append(call)
        self._fail()
        return self.reply

    def tidy(self) -> None:
        """Count it."""
        self.tidied += 1

    async def drop_idle(self) -> None:
        await trio.lowlevel.checkpoint()
        self.drops.append(trio.current_time())

    async def fetch_usage(
        self, account: Account, provider: Provider, credential: Credential
    ) -> tuple[Window, ...]:
        await trio.lowlevel.checkpoint()
        self.asked.append((account.name, trio.current_time()))
        self._fail()
        return tuple(evolve(window, seen_at=self.clock.now()) for window in self.windows)

    def read_login(self, source: str) -> Credential | None:
        self.reads += 1
        self._fail()
        return self.found

    def save(self, snapshot: Snapshot) -> None:
        self._fail()
        self.saved.append((trio.current_time(), snapshot))

    def insert(self, records: Sequence[RequestRecord]) -> None:
        self._fail()
        self.inserted.append((trio.current_time(), list(records)))

    def prune(self, now: float, keep_days: int, max_mb: int) -> None:
        self._fail()
        self.pruned.append((now, keep_days, max_mb))

    def load_config(self) -> Config:
        self.reads += 1
        self._fail()
        return self.edited or self.config

    async def apply(self, config: Config) -> None:
        await trio.lowlevel.checkpoint()
        self.applied.append(config)
        self.config = config

    def told(self) -> list[tuple[str, str]]:
        """(category, account) of every notice so far."""
        return [(notice.category.value, notice.account) for notice in self.notices]

    def _fail(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def bench(*states: AccountState | str, mode: str = "usage", **fields: Any) -> Bench:
    """A bench with these accounts, each a subscription whose login is held."""
    clock = WallClock()
    state = pool_state(*states)
    accounts = [account(name) for name in state.accounts]
    pool = AccountPool(
        accounts, state=state, tuning=Tuning(), sticky_ttl=3600.0, now=clock.now, jitter=lambda: 0.0
    )
    custody = FakeCustody({name: login(f"sk-test-{name}") for name in state.accounts})
    config = Config(prefetch=PrefetchConfig(mode=mode))
    return Bench(pool, clock, **{"custody": custody, "config": config, **fields})


def start(nursery: trio.Nursery, watcher: Watcher, bench: Bench) -> Health:
    """Run a watcher under its supervisor."""
    health = Health(bench.clock.now)
    nursery.start_soon(partial(supervise, watcher, health, jitter=lambda: 1.0))
    return health


def record(number: int = 1) -> RequestRecord:
    """A finished request."""
    return RequestRecord(
        id=f"req_{number}",
        at=T0,
        client="",
        conversation="",
        account="a",
        attempts=(),
        protocol_in="anthropic-messages",
        protocol_out="anthropic-messages",
        model="claude-opus-9",
        served_model="claude-opus-9",
        status=200,
        outcome="served",
    )
