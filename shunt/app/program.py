"""One running shunt: its lifetimes, and the changes it takes up while it runs.

Lifetimes are nested the way the parts need each other: upstream connections outlive the watchers,
the watchers outlive the server. At the end the server drains its streams first, then the watchers
stop (each with a last act: state and history are written), then the connections are closed.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from secrets import token_hex
from socket import socket as Socket  # noqa: N812 - a class

import trio
from attrs import define, field

from shunt.accounts.account import Account
from shunt.accounts.credential import Login
from shunt.accounts.state import Custody as Presence
from shunt.app import memory, opening, wiring
from shunt.app.options import RunOptions
from shunt.app.sight import Sight
from shunt.app.succession import Succession
from shunt.config.addresses import is_loopback
from shunt.config.exposure import bind_problem
from shunt.config.keys import configured_keys, missing_variables
from shunt.config.structure import with_overrides
from shunt.config.types import Config
from shunt.custody import Custody
from shunt.desktop.announcer import Announcer, sender_of
from shunt.desktop.service_notices import ServiceNotices
from shunt.errors import ConfigError, StoreError
from shunt.pool import AccountPool
from shunt.providers import PROVIDERS
from shunt.providers.accounts import account_from
from shunt.routing.tuning import tuning_of
from shunt.server.access import Access
from shunt.server.app import create_app
from shunt.server.bounds import bounds_of
from shunt.server.certificate import Certificate
from shunt.server.greeting import greeting
from shunt.server.parts import ServerParts
from shunt.server.serve import serve
from shunt.server.signals import obey_leash, obey_signals
from shunt.server.situation import situation
from shunt.server.sockets import inherit, listen
from shunt.store.config import ConfigFile
from shunt.store.confinement import confine
from shunt.store.credentials import CredentialStore
from shunt.store.files import write_private
from shunt.store.locations import PROOF_FILE, Locations, beside, locate
from shunt.store.lock import InstanceLock, own
from shunt.store.logs import Redactor, open_logs
from shunt.store.starts import EARLY, MANY, Starts
from shunt.upstream.client import Upstream, open_upstream
from shunt.upstream.timeouts import Timeouts
from shunt.watchers import NEEDED, WATCHERS
from shunt.watchers.bell import Bell
from shunt.watchers.health import Health
from shunt.watchers.records import Records
from shunt.watchers.supervisor import supervise

log = logging.getLogger(__name__)
CLOSE_WITHIN = 5.0
"""Seconds that closing the history may hold up the end."""


Story = Callable[[str], Awaitable[None]]
"""The demo's guide; takes the base URL."""


@define(eq=False)
class Program:
    """One running shunt."""

    options: RunOptions
    redactor: Redactor = field(factory=Redactor)
    reload: Bell = field(factory=Bell)
    stop: trio.Event = field(factory=trio.Event)
    succession: Succession = field(factory=Succession)
    locations: Locations = field(init=False)
    config: Config = field(init=False)
    instance: InstanceLock = field(init=False)
    sockets: list[Socket] = field(init=False, factory=list)
    pool: AccountPool = field(init=False)
    credentials: CredentialStore = field(init=False)
    custody: Custody = field(init=False)
    access: Access = field(init=False)
    certificate: Certificate = field(factory=lambda: Certificate(time.monotonic))
    announcer: Announcer = field(init=False)
    asked: Bell = field(factory=Bell)
    """Rung when somebody wants to know what goes on."""
    starts: Starts = field(init=False)
    crashes: int = 0
    """How many starts before this one, in a row, came to an early end."""

    # ── before anything runs ──────────────────────────────────────────────────────────────────

    def prepare(self) -> None:
        """Read the configuration, own the state folder, bind the port. Raises ShuntError."""
        self.locations = locate(self.options.environ, home=self.options.home, config=self.options.config)
        self.config = self.load_config()
        problem = bind_problem(self.config)
        if problem is not None:
            raise ConfigError(problem)
        self._take_certificate(self.config)
        self.credentials = opening.new_credentials(self.locations, self.config)
        os.umask(0o077)
        confine()
        open_logs(self.locations.log_file, self.config.server.log_level, self.redactor)
        self.instance = own(self.locations.state_dir)
        self.starts = Starts(self.locations.state_dir / "starts.json")
        self.crashes = self.starts.begin(time.time())
        if self.is_careful:
            log.warning("%s", self._careful)
        try:
            server = self.config.server
            self.sockets = inherit(self.options.environ, server.host, server.port)
            self.sockets = self.sockets or listen(server.host, server.port)
            self.instance.note(server.port)
        except BaseException:
            self.instance.release()
            raise
        self.access = Access(self.config, trio.current_time)
        self.access.proof = token_hex(32)
        write_private(self.locations.state_dir / PROOF_FILE, self.access.proof.encode())
        self.announcer = Announcer(sender_of(self.options.environ), self.options.write)

    def _take_certificate(self, config: Config) -> None:
        """Show the configured certificate from now on. Raises ConfigError, changing nothing."""
        cert, key = (
            beside(self.locations.config_file, name) if name else None
            for name in (config.server.tls_cert, config.server.tls_key)
        )
        if key is not None and cert is None:
            raise ConfigError("server.tls_key is set, but server.tls_cert is not")
        self.certificate.configure(cert, key)

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
        timeouts = Timeouts(
            connect=server.connect_timeout_secs,
            write=self.config.limits.upstream_write_seconds,
            silence=server.request_timeout_secs,
        )
        async with open_upstream(timeouts) as upstream, trio.open_nursery() as services:
            self.pool = opening.new_pool(self)
            self.custody = opening.new_custody(self, upstream, services)
            await self.custody.load()
            await opening.look_after_files(self)
            self._take_accounts(self.config)
            await opening.restore(self.pool, self.locations)
            health, records = Health(time.time), Records()
            local = await opening.claude_code(self, services)
            sight = Sight(self, records)
            gateway = wiring.gateway(self, upstream, local, records, sight)
            services.start_soon(
                partial(
                    obey_signals,
                    self.stop,
                    self.reload.ring,
                    give_way=self.succession.asked.set,
                    tell=self.asked.ring,
                )
            )
            services.start_soon(self._give_way)
            services.start_soon(self._stand)
            if self.options.leash is not None:
                services.start_soon(obey_leash, self.stop, self.options.leash)
            services.start_soon(self.announcer.run, lambda: self.config.notify.desktop)
            services.start_soon(gateway.means.room.attend)
            services.start_soon(sight.let_readers_go)
            async with self._watching(upstream, records, health, sight):
                for line in greeting(self.base_url, self.config, self.options.environ):
                    self.options.write(line)
                if story is not None:
                    services.start_soon(story, self.base_url)
                parts = wiring.server_parts(self, gateway, local, health, records, sight)
                services.start_soon(partial(supervise, sight.teller(parts), health, jitter=random.random))
                services.start_soon(self._tell_manager)
                services.start_soon(self._tell_when_asked, parts)
                await self._serve(parts)
            await sight.close()
            services.cancel_scope.cancel()

    @property
    def is_careful(self) -> bool:
        """Whether only what serving needs is run, because the last starts came to an early end."""
        return self.crashes >= MANY

    @property
    def _careful(self) -> str:
        return (
            f"the last {self.crashes} starts came to an early end: nothing runs beside serving (no prefetch, "
            "no renewal ahead of time, no history); once it has run for a minute, a restart brings all back"
        )

    async def _stand(self) -> None:
        """Once this start has lived long enough, those before it count no more."""
        await trio.sleep(EARLY)
        await trio.to_thread.run_sync(self.starts.good)

    async def _tell_when_asked(self, parts: ServerParts) -> None:
        """Write down what goes on, each time somebody asks for it."""
        path = self.locations.state_dir / "situation.json"
        while True:
            if await self.asked.within(3600):
                text = situation(parts, self.redactor.clean)
                try:
                    await trio.to_thread.run_sync(write_private, path, text.encode())
                except StoreError as error:
                    log.warning("what goes on could not be written down: %s", error)
                else:
                    log.warning("what goes on was written to %s", path)

    async def _give_way(self) -> None:
        """When asked to, end in a quiet moment and leave the listening sockets to the next version."""
        await self.succession.come(self.config.update.patience_minutes * 60)
        self.succession.keep(self.sockets)
        ServiceNotices.from_environment(self.options.environ).handing_over()
        self.stop.set()

    async def _tell_manager(self) -> None:
        """Keep the service manager informed, if one started us: ready, alive, ending."""
        notices = ServiceNotices.from_environment(self.options.environ)
        notices.serving()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(notices.show_life)
            await self.stop.wait()
            if not self.succession.kept:  # else the service goes on, as another version
                notices.stopping()
            # Signs of life go on until the end.

    async def _serve(self, parts: ServerParts) -> None:
        app = create_app(parts)
        memory.settle()
        await serve(
            app,
            self.sockets,
            bounds=bounds_of(self.config),
            shutdown=self.stop,
            tally=parts.tally,
            drain=self.succession.drain,
            tls=self.certificate.current,
        )

    @asynccontextmanager
    async def _watching(
        self, upstream: Upstream, records: Records, health: Health, sight: Sight
    ) -> AsyncIterator[None]:
        """Run the watchers for the time of the block, and wait for their last acts."""
        history = None if self.is_careful else await opening.history_at(self.locations)
        await sight.remember()
        parts = wiring.watcher_parts(self, upstream, records, history, sight)
        try:
            async with trio.open_nursery() as watchers:
                for watch in NEEDED if self.is_careful else WATCHERS:
                    watchers.start_soon(partial(supervise, watch(parts), health, jitter=random.random))
                yield
                watchers.cancel_scope.cancel()
            await self.custody.flush()
        finally:
            if history:
                with trio.move_on_after(CLOSE_WITHIN) as scope:
                    scope.shield = True
                    await trio.to_thread.run_sync(history.close, abandon_on_cancel=True)

    @property
    def base_url(self) -> str:
        """Where this machine reaches the server."""
        host, port = self.sockets[0].getsockname()[:2]
        scheme = "https" if self.certificate.current() and not is_loopback(host) else "http"
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    # ── changes while running ─────────────────────────────────────────────────────────────────

    async def read_again(self) -> None:
        """Take over what the command line changed. Raises ConfigError or StoreError, changing nothing."""
        config = await trio.to_thread.run_sync(self.load_config)
        await self.custody.load()
        await self.apply(config)

    async def apply(self, config: Config) -> None:
        """Put a configuration in force. Raises ConfigError when it cannot be."""
        problem = bind_problem(config)
        if problem is not None:
            raise ConfigError(problem)
        await trio.lowlevel.checkpoint()
        self._take_certificate(config)
        before = self.config.server
        self.custody.configure(opening.keys_of(config, self.options.environ))
        self.config = config
        self.credentials.sealing.wanted = config.credentials.store == "keychain"
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

    def troubles(self, records: Records) -> dict[str, str]:
        """What the owner should know, by what it is about."""
        troubles = {f"login of {name}": f"not saved: {why}" for name, why in self.custody.unsaved.items()}
        if self.credentials.sealing.trouble:
            troubles["keychain"] = self.credentials.sealing.trouble
        if self.is_careful:
            troubles["start"] = self._careful
        if records.dropped:
            troubles["history"] = f"{records.dropped} records were lost: the disk was too slow or full"
        return troubles

    def keeping(self) -> dict[str, str]:
        """Where logins and stored keys are kept."""
        kept_in = "keychain" if self.credentials.sealing.sealed else "file"
        return {"file": str(self.locations.credentials_file), "kept_in": kept_in}

    def _is_login(self, name: str) -> bool:
        return isinstance(self.custody.credential(name), Login)
