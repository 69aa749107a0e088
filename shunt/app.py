"""The composition root: builds every part, owns the nurseries. Nothing else constructs.

Lifetimes are nested the way the parts need each other: upstream connections outlive the watchers,
the watchers outlive the server. At the end the server drains its streams first, then the watchers
stop (each with a last act: state and history are written), then the connections are closed.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from socket import socket as Socket  # noqa: N812 - a class

import trio
from attrs import define, evolve, field, frozen

from shunt import __version__
from shunt.accounts.account import Account
from shunt.accounts.credential import Login
from shunt.accounts.state import Custody as Presence
from shunt.accounts.state import PoolState, RequestRecord
from shunt.config.exposure import bind_problem
from shunt.config.keys import configured_keys, missing_variables
from shunt.config.structure import with_overrides
from shunt.config.types import Config
from shunt.custody import Custody
from shunt.demo.setup import Demo, open_demo
from shunt.errors import ConfigError, ShuntError, StoreError
from shunt.gateway.attempt import Attempts
from shunt.gateway.carriers import Carriers
from shunt.gateway.exchange import Means
from shunt.gateway.gateway import Gateway
from shunt.gateway.hold import WaitingRoom
from shunt.gateway.listing import Listing
from shunt.pool import AccountPool, Snapshot
from shunt.providers import PROVIDERS
from shunt.providers.accounts import account_from
from shunt.routing.tuning import tuning_of
from shunt.server.access import Access
from shunt.server.app import create_app
from shunt.server.bounds import bounds_of
from shunt.server.greeting import greeting
from shunt.server.parts import ServerParts
from shunt.server.serve import serve
from shunt.server.signals import AT_ONCE, obey_signals
from shunt.server.sockets import listen
from shunt.store import snapshots
from shunt.store.config import ConfigFile
from shunt.store.credentials import CredentialStore
from shunt.store.foreign_logins import login_at
from shunt.store.history import History, open_history
from shunt.store.locations import Locations, locate
from shunt.store.lock import InstanceLock, own
from shunt.store.logs import Redactor, open_logs
from shunt.upstream.client import Timeouts, Upstream, open_upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewals
from shunt.upstream.usage import UsageEndpoint
from shunt.watchers import WATCHERS
from shunt.watchers.bell import Bell
from shunt.watchers.health import Health
from shunt.watchers.notices import Notifier
from shunt.watchers.parts import Parts
from shunt.watchers.records import Records
from shunt.watchers.supervisor import supervise

log = logging.getLogger(__name__)
CLOSE_WITHIN = 5.0
"""Seconds that closing the history may hold up the end."""


Story = Callable[[str], Awaitable[None]]
"""The demo's guide; takes the base URL."""


@frozen
class RunOptions:
    """What `shunt run` was asked for."""

    environ: Mapping[str, str] = field(repr=False)
    home: str | None = None
    config: str | None = None
    host: str | None = None
    port: int | None = None
    log_level: str | None = None
    demo: bool = False
    write: Callable[[str], None] = partial(print, flush=True)
    """Takes lines for the terminal."""


def main(options: RunOptions) -> int:
    """Run until a signal; returns the exit status.

    Raises ShuntError when it cannot start: bad configuration, port taken, files that cannot be trusted.
    """
    try:
        trio.run(_run, options)
    except KeyboardInterrupt:
        return AT_ONCE
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is not None:
            return AT_ONCE
        error: BaseException = group.subgroup(ShuntError) or group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
    return 0


async def _run(options: RunOptions) -> None:
    async with AsyncExitStack() as stack, trio.open_nursery() as outermost:
        demo: Demo | None = None
        if options.demo:
            demo = await stack.enter_async_context(open_demo(outermost, time.time))
            environ = {**_without_ours(options.environ), **demo.environment}
            options = evolve(options, environ=environ, home=None, config=None)
        program = Program(options)
        program.prepare()
        try:
            await program.run(partial(demo.tell, write=options.write) if demo is not None else None)
        finally:
            program.instance.release()
        outermost.cancel_scope.cancel()


def _without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of shunt: a demo must not touch the user's own files."""
    return {key: value for key, value in environ.items() if not key.startswith("SHUNT_")}


@define(eq=False)
class Program:
    """One running shunt."""

    options: RunOptions
    redactor: Redactor = field(factory=Redactor)
    reload: Bell = field(factory=Bell)
    stop: trio.Event = field(factory=trio.Event)
    locations: Locations = field(init=False)
    config: Config = field(init=False)
    instance: InstanceLock = field(init=False)
    sockets: list[Socket] = field(init=False, factory=list)
    pool: AccountPool = field(init=False)
    custody: Custody = field(init=False)
    access: Access = field(init=False)

    # ── before anything runs ──────────────────────────────────────────────────────────────────

    def prepare(self) -> None:
        """Read the configuration, own the state folder, bind the port. Raises ShuntError."""
        self.locations = locate(self.options.environ, home=self.options.home, config=self.options.config)
        self.config = self.load_config()
        problem = bind_problem(self.config)
        if problem is not None:
            raise ConfigError(problem)
        os.umask(0o077)
        open_logs(self.locations.log_file, self.config.server.log_level, self.redactor)
        self.instance = own(self.locations.state_dir)
        try:
            server = self.config.server
            self.sockets = listen(server.host, server.port)
            self.instance.note(server.port)
        except BaseException:
            self.instance.release()
            raise
        self.access = Access(self.config, trio.current_time)

    def load_config(self) -> Config:
        """Read config.toml with the environment and the command line over it. Blocks."""
        file = ConfigFile(self.locations.config_file, [provider.name for provider in PROVIDERS])
        config = with_overrides(
            file.load(self.options.environ),
            host=self.options.host,
            port=self.options.port,
            log_level=self.options.log_level,
        )
        self.redactor.learn(
            [
                config.server.remote_key.reveal(),
                *(key.key.reveal() for key in configured_keys(config, self.options.environ).values()),
            ]
        )
        return config

    # ── the run ───────────────────────────────────────────────────────────────────────────────

    async def run(self, story: Story | None) -> None:
        """Serve until a signal; everything is written and closed when this returns."""
        server = self.config.server
        timeouts = Timeouts(connect=server.connect_timeout_secs, silence=server.request_timeout_secs)
        async with open_upstream(timeouts) as upstream, trio.open_nursery() as services:
            await self._open_pool(upstream, services)
            health, records = Health(time.time), Records()
            gateway = self._gateway(upstream, records)
            services.start_soon(obey_signals, self.stop, self.reload.ring)
            services.start_soon(gateway.means.room.attend)
            async with self._watching(upstream, records, health):
                for line in greeting(self.base_url, self.config, self.options.environ):
                    self.options.write(line)
                await self._serve(gateway, health, records, services, story)
            services.cancel_scope.cancel()

    async def _serve(
        self,
        gateway: Gateway,
        health: Health,
        records: Records,
        services: trio.Nursery,
        story: Story | None,
    ) -> None:
        parts = ServerParts(
            gateway=gateway,
            pool=self.pool,
            access=self.access,
            config=lambda: self.config,
            health=health,
            waiting=lambda: len(gateway.means.room),
            reload=self._reload,
            now=time.time,
            version=__version__,
            started_at=time.time(),
            troubles=lambda: self._troubles(records),
        )
        if story is not None:
            services.start_soon(story, self.base_url)
        await serve(create_app(parts), self.sockets, bounds=bounds_of(self.config.server), shutdown=self.stop)

    @property
    def base_url(self) -> str:
        """Where this machine reaches the server."""
        host, port = self.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def _open_pool(self, upstream: Upstream, services: trio.Nursery) -> None:
        routing = self.config.routing
        self.pool = AccountPool(
            (),
            state=PoolState(),
            tuning=tuning_of(routing),
            sticky_ttl=routing.sticky_ttl_minutes * 60,
            now=time.time,
            jitter=random.random,
        )
        self.custody = Custody(
            CredentialStore(self.locations.credentials_file),
            Renewals(
                TokenEndpoint(upstream, time.time), lambda: self.pool.accounts, lambda: self.config.endpoints
            ),
            services,
            time.time,
            random.random,
            self.pool.custody_changed,
            keys=configured_keys(self.config, self.options.environ),
            source=partial(login_at, self.options.environ),
        )
        await self.custody.load()
        self._take_accounts(self.config)
        loaded = await trio.to_thread.run_sync(
            snapshots.load, self.locations.state_file, Snapshot, time.time()
        )
        if loaded.warning:
            log.warning(loaded.warning)
        if loaded.snapshot is not None:
            self.pool.restore(loaded.snapshot)

    def _gateway(self, upstream: Upstream, records: Records) -> Gateway:
        room = WaitingRoom(
            self.pool, limit=lambda: self.config.routing.max_waiting, now=time.time, jitter=random.random
        )
        means = Means(
            pool=self.pool,
            custody=self.custody,
            attempts=Attempts(upstream, time.time),
            room=room,
            wait=lambda: self.config.routing.wait,
            now=time.time,
            jitter=random.random,
            mappings=lambda: self.config.models,
        )

        def keep(record: RequestRecord) -> None:
            self.pool.finished(record)
            records.offer(record)

        return Gateway(
            means=means,
            carriers=Carriers(self.pool, lambda: self.config.models),
            keep=keep,
            listing=Listing(means),
            hold_silent=lambda: self.config.routing.hold_silent,
            keepalive_every=lambda: self.config.routing.keepalive_every,
        )

    @asynccontextmanager
    async def _watching(self, upstream: Upstream, records: Records, health: Health) -> AsyncIterator[None]:
        """Run the watchers for the time of the block, and wait for their last acts."""
        history = await self._open_history()
        parts = Parts(
            pool=self.pool,
            custody=self.custody,
            send=upstream.send,
            drop_idle=upstream.drop_idle,
            fetch_usage=UsageEndpoint(upstream, time.time).fetch,
            read_login=partial(login_at, self.options.environ),
            save_state=partial(snapshots.save, self.locations.state_file),
            insert_records=history.insert if history else lambda _: None,
            prune_history=history.prune if history else lambda *_: None,
            records=records,
            config=lambda: self.config,
            config_path=self.locations.config_file,
            credentials_path=self.locations.credentials_file,
            load_config=self.load_config,
            apply=self._apply,
            reload=self.reload,
            notify=Notifier(now=time.time).notify,
            now=time.time,
            jitter=random.random,
        )
        try:
            async with trio.open_nursery() as watchers:
                for watch in WATCHERS:
                    watchers.start_soon(partial(supervise, watch(parts), health, jitter=random.random))
                yield
                watchers.cancel_scope.cancel()
            await self.custody.flush()
        finally:
            if history:
                with trio.move_on_after(CLOSE_WITHIN) as scope:
                    scope.shield = True
                    await trio.to_thread.run_sync(history.close, abandon_on_cancel=True)

    async def _open_history(self) -> History | None:
        """The history, or None where the disk has no place for one: requests go on without it."""
        try:
            opened = await trio.to_thread.run_sync(open_history, self.locations.history_file, time.time())
        except StoreError as error:
            log.warning("running without a history: %s", error)
            return None
        if opened.warning:
            log.warning(opened.warning)
        return opened.history

    # ── changes while running ─────────────────────────────────────────────────────────────────

    async def _reload(self) -> None:
        """Take over what the command line changed. Raises ConfigError or StoreError, changing nothing."""
        config = await trio.to_thread.run_sync(self.load_config)
        await self.custody.load()
        await self._apply(config)

    async def _apply(self, config: Config) -> None:
        """Put a configuration in force. Raises ConfigError when it cannot be."""
        problem = bind_problem(config)
        if problem is not None:
            raise ConfigError(problem)
        await trio.lowlevel.checkpoint()
        before = self.config.server
        self.custody.configure(configured_keys(config, self.options.environ))
        self.config = config
        self._take_accounts(config)
        self.access.configure(config)
        if (config.server.host, config.server.port) != (before.host, before.port):
            log.warning(
                "the new address is taken at the next start; shunt still listens at %s", self.base_url
            )

    def _take_accounts(self, config: Config) -> None:
        accounts = [
            account_from(account, config.endpoints, subscription=self._is_login(account.name))
            for account in config.accounts
        ]
        self.pool.reconfigure(accounts, tuning_of(config.routing), config.routing.sticky_ttl_minutes * 60)
        for account in accounts:
            self._announce(account)
        for name, variable in missing_variables(config, self.options.environ).items():
            log.warning("account %s has no key: the environment variable %s is not set", name, variable)

    def _announce(self, account: Account) -> None:
        """Tell the pool about a credential that custody has known for longer than the pool the account."""
        credential = self.custody.credential(account.name)
        if credential is not None and self.pool.state.accounts[account.name].custody is Presence.MISSING:
            identity = credential.identity if isinstance(credential, Login) else None
            self.pool.custody_changed(account.name, Presence.PRESENT, identity)

    def _troubles(self, records: Records) -> dict[str, str]:
        troubles = {f"login of {name}": f"not saved: {why}" for name, why in self.custody.unsaved.items()}
        if records.dropped:
            troubles["history"] = f"{records.dropped} records were lost: the disk was too slow or full"
        return troubles

    def _is_login(self, name: str) -> bool:
        return isinstance(self.custody.credential(name), Login)
