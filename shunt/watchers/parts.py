"""What watchers work with, handed to each of them by the composition root.

The rooms below appear here as the few calls that watchers make of them, so that a test can put a
small stand-in in their place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Credential, Login
from shunt.accounts.secret import Secret
from shunt.accounts.state import PoolState, RequestRecord
from shunt.config.types import Config
from shunt.limits.samples import Sample
from shunt.limits.windows import Window
from shunt.pool import Snapshot
from shunt.providers.base import Provider, UpstreamCall
from shunt.watchers.bell import Bell
from shunt.watchers.boot_clock import find_boot_clock
from shunt.watchers.lookout import Lookout, listen
from shunt.watchers.notices import Notice
from shunt.watchers.records import Records
from shunt.watchers.worker import Worker, own_thread
from shunt.wire.headers import Headers


class Pool(Protocol):
    """The AccountPool."""

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The configured accounts."""

    @property
    def state(self) -> PoolState:
        """What is known now."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    async def changed(self, since: int) -> int:
        """Wait for a version above `since`."""

    def next_deadline(self) -> float | None:
        """Epoch seconds at which `tick` has something to do."""

    def tick(self) -> tuple[str, ...]:
        """Drop what is over; the accounts that came back from a long cooldown."""

    def wake(self) -> None:
        """Have everybody who waits for a moment compare it with the clock anew."""

    def learned(self, name: str, windows: Iterable[Window]) -> None:
        """Take facts about an account's windows."""

    def snapshot(self) -> Snapshot:
        """What has to survive a restart."""


class Custody(Protocol):
    """The Custody of logins and keys."""

    def credential(self, name: str) -> Credential | None:
        """What proves that a request of this account may be made."""

    def expiring(self, within: float) -> Iterable[str]:
        """Accounts whose access token ends within so many seconds and that may be renewed now."""

    async def refresh(self, name: str, sent: Secret) -> Credential:
        """Renew the login whose access token is `sent`. Raises CredentialError."""

    async def recheck(self, name: str) -> bool:
        """Whether a login that was refused has been replaced on disk and can be used again."""

    async def adopt(self, name: str, login: Login) -> bool:
        """Take over a login of the same account if it is newer. Raises StoreError."""

    async def give_back(self, name: str) -> bool:
        """Write a renewed login back for the program that has a spent one; whether that was done."""

    async def load(self) -> None:
        """Take over what another process stored. Raises StoreError."""


class Reply(Protocol):
    """An upstream's answer."""

    @property
    def headers(self) -> Headers:
        """As received."""

    async def read(self, limit: int, within: float) -> bytes:
        """Read its body and close it."""


@frozen
class Parts:
    """Everything a watcher may need."""

    pool: Pool
    custody: Custody
    send: Callable[[UpstreamCall], Awaitable[Reply]]
    """Sends a call to an upstream. Raises UpstreamError."""
    drop_idle: Callable[[], Awaitable[None]]
    """Closes connections that nobody uses."""
    close_old: Callable[[], None]
    """Closes those that nobody has used for long."""
    tidy: Callable[[], None]
    """Gives back memory in the first quiet moment after a burst. Quick."""
    fetch_usage: Callable[[Account, Provider, Credential], Awaitable[tuple[Window, ...]]]
    """Asks the free usage endpoint. Raises UpstreamError."""
    read_login: Callable[[str], Credential | None]
    """Reads another program's login, by the source it was imported from. Blocks. Raises StoreError."""
    save_state: Callable[[Snapshot], None]
    """Writes the state file. Blocks. Raises StoreError or OSError."""
    insert_records: Callable[[Sequence[RequestRecord]], None]
    """Adds to the history; a record whose id is there already is left out. Blocks. Raises StoreError."""
    prune_history: Callable[[float, int, int], object]
    """Bounds the history, given epoch seconds, days and MiB. Blocks. Raises StoreError."""
    records: Records
    """Where finished requests are handed in."""
    config: Callable[[], Config]
    """The configuration in force."""
    config_path: Path
    credentials_path: Path
    load_config: Callable[[], Config]
    """Reads config.toml as at start, with the environment and the command line. Blocks. Raises
    ConfigError or StoreError."""
    apply: Callable[[Config], Awaitable[None]]
    """Puts a configuration in force. Raises ShuntError when it cannot be."""
    reload: Bell
    """Rung to have config.toml read at once, changed or not (SIGHUP, a command)."""
    notify: Callable[[Notice], None]
    now: Callable[[], float]
    """Epoch seconds."""
    jitter: Callable[[], float]
    """Numbers from 0 to 1."""
    sample: Callable[[], Sequence[Sample]] = tuple
    """What is new about the accounts' windows."""
    insert_samples: Callable[[Sequence[Sample]], None] = lambda _: None
    """Adds to the history. Blocks. Raises StoreError."""
    vitals: Callable[[], Mapping[str, Any]] = dict
    """Figures about the program itself."""
    failed: Bell = field(factory=Bell)
    """Rung when there are failed requests to be written down."""
    dump_failures: Callable[[], None] = lambda: None
    """Writes them down. Blocks. Raises StoreError."""
    boot: Callable[[], float] | None = field(factory=find_boot_clock)
    """Seconds on a clock that counts the machine's sleep, where the system has one."""
    lookout: Lookout = field(default=listen)
    """Hears of changes of files."""
    worker: Callable[[], Worker] = field(default=own_thread)
    """Makes a thread for blocking work, one per watcher that has such work."""
