"""Opening what outlives the requests: the pool with its custody, and the history."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import trio

from shunt.accounts.credential import ApiKey, Identity, Login
from shunt.accounts.state import Custody as Presence
from shunt.accounts.state import PoolState
from shunt.config.keys import configured_keys
from shunt.config.types import Config
from shunt.custody import Custody
from shunt.errors import StoreError
from shunt.pool import AccountPool, Snapshot
from shunt.providers.accounts import keyless
from shunt.routing.tuning import tuning_of
from shunt.store import snapshots
from shunt.store.credentials import CredentialStore
from shunt.store.files import findings
from shunt.store.foreign_logins import ForeignLogins
from shunt.store.history import History, open_history
from shunt.store.locations import Locations
from shunt.store.sealing import Sealing
from shunt.upstream.claude_code.driver import Driver
from shunt.upstream.claude_code.memory import Memory
from shunt.upstream.claude_code.program import Program as LocalProgram
from shunt.upstream.claude_code.sessions import Sessions
from shunt.upstream.client import Upstream
from shunt.upstream.oauth import TokenEndpoint
from shunt.upstream.renewal import Renewals

if TYPE_CHECKING:
    from shunt.app.program import Program

log = logging.getLogger(__name__)


def new_pool(program: Program) -> AccountPool:
    """A pool that knows no account yet."""
    routing = program.config.routing
    return AccountPool(
        (),
        state=PoolState(),
        tuning=tuning_of(routing),
        sticky_ttl=routing.sticky_ttl_minutes * 60,
        now=time.time,
        jitter=random.random,
    )


def new_custody(program: Program, upstream: Upstream, services: trio.Nursery) -> Custody:
    """The keeper of credentials, nothing loaded yet. `services` outlives every request."""
    return Custody(
        program.credentials,
        Renewals(
            TokenEndpoint(upstream, time.time),
            lambda: program.pool.accounts,
            lambda: program.config.endpoints,
            lambda: program.config.logins,
        ),
        services,
        time.time,
        random.random,
        partial(_credential_changed, program),
        keys=keys_of(program.config, program.options.environ),
        shared=ForeignLogins(program.options.environ, time.time, lambda: program.config.logins.write_back),
    )


def new_credentials(locations: Locations, config: Config) -> CredentialStore:
    """The file of logins and keys, sealed if that is wanted."""
    path = locations.credentials_file
    return CredentialStore(path, sealing=Sealing(path, wanted=config.credentials.store == "keychain"))


def _credential_changed(program: Program, name: str, presence: Presence, identity: Identity | None) -> None:
    """Tell the pool; and from now on no log shows the new tokens, whatever they look like."""
    credential = program.custody.credential(name)
    if isinstance(credential, Login):
        program.redactor.learn([credential.access.reveal(), credential.refresh.reveal()])
    program.pool.custody_changed(name, presence, identity)


def keys_of(config: Config, environ: Mapping[str, str]) -> dict[str, ApiKey]:
    """The API keys of a configuration, and the empty ones of servers that ask for none."""
    return keyless(config.accounts) | configured_keys(config, environ)


async def look_after_files(program: Program) -> None:
    """Close and tidy up what other users could read, and say what else is doubtful about where secrets lie."""
    store, places = program.credentials, program.locations
    paths = (store.path, store.backup, store.path.parent, places.state_dir)

    def look() -> tuple[str, ...]:
        done = store.sweep()
        store.settle()
        return (*done, *(finding for path in paths for finding in findings(path)))

    try:
        for said in await trio.to_thread.run_sync(look):
            log.warning("%s", said)
    except StoreError as error:
        log.warning("the files of credentials could not be tidied up: %s", error)


async def restore(pool: AccountPool, locations: Locations) -> None:
    """Give the pool what the last run knew; a state file that cannot be read is warned of."""
    loaded = await trio.to_thread.run_sync(snapshots.load, locations.state_file, Snapshot, time.time())
    if loaded.warning:
        log.warning(loaded.warning)
    if loaded.snapshot is not None:
        pool.restore(loaded.snapshot)


async def history_at(locations: Locations) -> History | None:
    """The history, or None where the disk has no place for one: requests go on without it."""
    try:
        opened = await trio.to_thread.run_sync(open_history, locations.history_file, time.time())
    except StoreError as error:
        log.warning("running without a history: %s", error)
        return None
    if opened.warning:
        log.warning(opened.warning)
    return opened.history


async def claude_code(program: Program, services: trio.Nursery) -> Driver:
    """What drives the local Claude Code; starts nothing before an account needs it."""
    folder, environ = program.locations.state_dir / "claude-code", program.options.environ
    memory = Memory(
        folder,
        environ,
        lambda: {name: account.config_dir for name, account in program.pool.accounts.items()},
        Sessions(program.config.claude_code.max_sessions),
    )
    await trio.to_thread.run_sync(memory.load)
    return Driver(
        settings=lambda: program.config.claude_code,
        accounts=lambda: program.pool.accounts,
        learned=program.pool.learned,
        memory=memory,
        program=LocalProgram(environ),
        environ=environ,
        folder=folder,
        nursery=services,
        now=time.time,
        clean=program.redactor.clean,
    )
