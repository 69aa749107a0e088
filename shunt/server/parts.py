"""What the handlers work with, handed over by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from typing import Protocol as Shape

from attrs import field, frozen

from shunt.config.types import Config
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.limits.forecast import Forecast
from shunt.pool import AccountPool
from shunt.server.access import Access
from shunt.server.local import LocalSessions, NoSessions
from shunt.server.tally import Tally
from shunt.store.discovery import Finding
from shunt.store.history_search import Archive
from shunt.telemetry.observatory import Observatory
from shunt.watchers.health import Health


class Carrier(Shape):
    """The two verbs of the gateway that are needed here."""

    async def handle(self, inbound: Inbound, lifetime: Lifetime) -> Delivery | None:
        """Answer a request; raises nothing but cancellation."""

    async def models(self, inbound: Inbound, lifetime: Lifetime, name: str = "") -> Delivery:
        """Answer with the list of models, or the entry of the one that is named."""


@frozen
class ServerParts:
    """One object for the server's life."""

    gateway: Carrier
    pool: AccountPool
    access: Access
    config: Callable[[], Config]
    """The configuration now in force."""
    health: Health
    """How the watchers are doing."""
    waiting: Callable[[], int]
    """Requests held now."""
    reload: Callable[[], Awaitable[None]]
    """Read configuration and credentials again. Raises ConfigError or StoreError, changing nothing."""
    now: Callable[[], float]
    """Epoch seconds."""
    version: str
    started_at: float
    """Epoch seconds."""
    observatory: Observatory
    """What is seen of requests."""
    tally: Tally = field(factory=Tally)
    """What was refused so far."""
    local: LocalSessions = field(factory=NoSessions)
    """The conversations that a local program holds."""
    archive: Archive | None = None
    """The history for reading; None where there is none."""
    records: Callable[[], tuple[int, int]] = lambda: (0, 0)
    """Records that wait for the history, and records lost."""
    forecasts: Callable[[str, float], Sequence[Forecast]] = lambda _name, _now: ()
    """What becomes of an account's windows, given its name and epoch seconds."""
    log_lines: Callable[[int, str], list[dict[str, Any]]] = lambda _limit, _level: []
    """The last lines of the log, newest last, of a level or above."""
    dumped: Callable[[str], dict[str, Any] | None] = lambda _: None
    """The dump of an earlier failure, by request id. Blocks."""
    troubles: Callable[[], Mapping[str, str]] = dict
    """What the owner should know: logins that the disk refuses, records that were lost."""
    keeping: Callable[[], Mapping[str, str]] = dict
    """Where logins and stored keys are kept: `file`, and `kept_in` (`file`, or `keychain` when sealed with its key)."""
    findings: Callable[[], Sequence[Finding]] = tuple
    """What this machine has that could become an account. Looks at a few files."""
