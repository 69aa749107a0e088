"""AccountPool: the sole owner of what is known about the accounts.

The state is a frozen record that is replaced whole. Every method but `changed` is synchronous: nothing
is awaited between reading the state and replacing it, so no other task can come between, and no lock is
needed. Whoever adds an `await` to one of them breaks that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from math import inf
from types import MappingProxyType
from typing import Final, Self

import trio
from attrs import evolve, frozen

from shunt.accounts import transitions
from shunt.accounts.account import Account
from shunt.accounts.credential import Identity
from shunt.accounts.eligibility import deadline_of, hindrance, next_deadline
from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import AccountState, Cooldown, Custody, PoolState, RequestRecord
from shunt.config.spelling import hint, quoted
from shunt.config.types import STRATEGY_ALIASES
from shunt.errors import InvalidRequest, NotFound
from shunt.inference.inbound import Outline
from shunt.limits.windows import ALL_MODELS, Window
from shunt.routing.affinity import Affinity, Binding, Sharing, conversation_key
from shunt.routing.choose import BY_NAME, choose
from shunt.routing.view import Choice, Demand, Tuning, View
from shunt.wire.headers import Headers

LOG: Final = logging.getLogger(__name__)


@frozen
class Snapshot:
    """Everything of the pool that survives a restart, as plain data. Saved through cattrs."""

    state: PoolState = PoolState()
    bindings: tuple[Binding, ...] = ()
    """Conversations and their accounts, least recently used first."""


LONGEST_MODEL: Final = 200
"""Characters of a model's name that may be put in place of others."""


class Lease:
    """One running request of an account: from the beginning of a block to its end, or later."""

    __slots__ = ("_kept", "_name", "_pool")

    def __init__(self, pool: AccountPool, name: str) -> None:
        self._pool = pool
        self._name = name
        self._kept = False

    def __enter__(self) -> Self:
        self._pool.started(self._name)
        return self

    def __exit__(self, *_: object) -> None:
        if not self._kept:
            self._pool.ended(self._name)

    def keep(self) -> Callable[[], None]:
        """Let it outlive the block; returns what ends it, to be called once."""
        self._kept = True
        return lambda: self._pool.ended(self._name)


class AccountPool:
    """Accounts, their state, and the conversations on them."""

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        state: PoolState,
        tuning: Tuning,
        sticky_ttl: float,
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        """`sticky_ttl` in seconds; `now` gives epoch seconds, `jitter` numbers from 0 to 1."""
        self._now = now
        self._jitter = jitter
        self._state = state
        self._affinity = Affinity(sticky_ttl)
        self._sharing = Sharing()
        self._version = 0
        self._waiting = trio.lowlevel.ParkingLot()
        self._deadline = -inf
        self._came_back: dict[str, None] = {}
        self.reconfigure(accounts, tuning, sticky_ttl)

    # ── looking ───────────────────────────────────────────────────────────────────────────────

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The configured accounts by name, in the order of the configuration."""
        return self._accounts

    @property
    def state(self) -> PoolState:
        """What is known now."""
        return self._state

    @property
    def version(self) -> int:
        """Grows with every change that somebody may wait for."""
        return self._version

    def view(self) -> View:
        """One consistent picture for a decision."""
        return View(self._accounts, self._state, self._tuning)

    def next_deadline(self) -> float | None:
        """Epoch seconds (perhaps past) at which `tick` has something to do; None when nothing is due."""
        return next_deadline(self._state)

    def is_overloaded(self, account: str) -> bool:
        """Whether the vendor of `account` seems overloaded as a whole."""
        known = self._accounts.get(account)
        if known is None or known.provider not in self._state.overloads:
            return False
        now = self._now()
        peers = self._peers(known.provider, now)
        return transitions.is_overloaded(self._state.overloads, known.provider, peers, now)

    async def changed(self, since: int) -> int:
        """Wait until `version` is above `since`; returns it. Any number of tasks may wait."""
        await trio.lowlevel.checkpoint()
        while self._version <= since:
            await self._waiting.park()
        return self._version

    # ── requests ──────────────────────────────────────────────────────────────────────────────

    def choose(self, demand: Demand, tried: frozenset[str]) -> Choice:
        """Choose the account for a request that has `tried` some already."""
        choice = self.consider(demand, tried)
        if choice.by_strategy:
            # Nobody waits for this: the version stays.
            self._state = evolve(self._state, carousel=self._state.carousel + 1)
        return choice

    def consider(self, demand: Demand, tried: frozenset[str] = frozenset()) -> Choice:
        """What `choose` would answer, without choosing."""
        now = self._now()
        if now >= self._deadline:
            self._expire(now)
        return choose(self.view(), demand, tried, now)

    def record(self, outcome: Outcome) -> Cooldown | None:
        """Account for an answer. Returns the cooldown it began or prolonged, if it did."""
        before = self._state.accounts.get(outcome.account)
        account = self._accounts.get(outcome.account)
        if before is None or account is None:
            return None  # removed while the request ran
        self._replace(
            transitions.apply(
                self._state,
                outcome,
                jitter=self._jitter(),
                provider=account.provider,
                peers=self._peers(account.provider, outcome.at)
                if outcome.verdict is Verdict.OVERLOADED
                else 1,
            )
        )
        after = self._state.accounts[outcome.account]
        self._deadline = min(self._deadline, _or_never(deadline_of(after)))
        self._report_cut_resets(outcome.account, outcome.windows, before)
        return self._report_cooldown(before, after)

    def lease(self, name: str) -> Lease:
        """Count one running request of an account, for the time of a block."""
        return Lease(self, name)

    def started(self, name: str) -> None:
        """A request to an account begins."""
        self._replace(transitions.started(self._state, name))

    def ended(self, name: str) -> None:
        """A request to an account has ended."""
        self._replace(transitions.ended(self._state, name))

    def finished(self, record: RequestRecord) -> None:
        """Take the record of a request that is over."""
        self._replace(transitions.finished(self._state, record))

    # ── conversations ─────────────────────────────────────────────────────────────────────────

    def conversation_of(self, headers: Headers, outline: Outline, client: str) -> str:
        """Key of the conversation a request belongs to; empty when nothing tells."""
        return conversation_key(headers, outline, client, self._sharing)

    def bound(self, conversation: str) -> tuple[str, bool]:
        """(account, hard) a conversation is on; its lifetime begins anew. Empty when it is on none."""
        return self._affinity.bound(conversation, self._now()) if conversation else ("", False)

    def bind(self, conversation: str, account: str, *, hard: bool = False) -> None:
        """Put a conversation on an account; `hard` when it refers to state that only this one holds."""
        if conversation and account in self._accounts:
            self._affinity.bind(conversation, account, self._now(), hard=hard)

    # ── the owner's commands ──────────────────────────────────────────────────────────────────

    def pin(self, name: str | None) -> None:
        """Send everything to one account, or (None) choose again. Raises NotFound."""
        if name is not None:
            self.known(name)
        self._replace(transitions.pinned(self._state, name))

    def pause(self, name: str) -> None:
        """Take an account out of use. Raises NotFound."""
        self._replace(transitions.paused(self._state, self.known(name), paused=True))

    def resume(self, name: str) -> None:
        """Take an account back into use. Raises NotFound."""
        self._replace(transitions.paused(self._state, self.known(name), paused=False))

    def clear(self, name: str) -> None:
        """End an account's cooldowns and forget that windows were rejected. Raises NotFound."""
        self._replace(transitions.cleared(self._state, self.known(name)))

    def set_strategy(self, name: str | None) -> None:
        """Override the configured strategy, or (None) go back to it. Raises InvalidRequest."""
        if name is not None:
            wanted = name.strip().lower()
            name = STRATEGY_ALIASES.get(wanted, wanted)
            if name not in BY_NAME:
                known = ", ".join(BY_NAME)
                raise InvalidRequest(
                    f"no strategy is named {quoted(wanted)}{hint(wanted, (*BY_NAME, *STRATEGY_ALIASES))}"
                    f" (known: {known})"
                )
        self._replace(transitions.strategy_set(self._state, name))

    def set_model(self, name: str | None) -> None:
        """Put one model in place of every model that clients ask for, or (None) end that. Raises InvalidRequest."""
        if name is not None and (not name.isprintable() or len(name) > LONGEST_MODEL):
            raise InvalidRequest(f"a model's name is at most {LONGEST_MODEL} printable characters")
        self._replace(transitions.model_set(self._state, name))

    # ── news ──────────────────────────────────────────────────────────────────────────────────

    def custody_changed(self, name: str, custody: Custody, identity: Identity | None = None) -> None:
        """Custody has, misses or lost an account's credential."""
        self._replace(transitions.custody_changed(self._state, name, custody, identity))

    def learned(self, name: str, windows: Iterable[Window]) -> None:
        """Take what the usage endpoint or a probe told about an account's windows."""
        windows = tuple(windows)
        before = self._state.accounts.get(name)
        if before is not None:
            self._replace(transitions.learned(self._state, name, windows))
            self._deadline = min(self._deadline, _or_never(deadline_of(self._state.accounts[name])))
            self._report_cut_resets(name, windows, before)

    def tick(self) -> tuple[str, ...]:
        """Drop what is over. Returns the accounts that came back from a long cooldown since last time."""
        self._expire(self._now())
        came_back = tuple(name for name in self._came_back if name in self._accounts)
        self._came_back.clear()
        return came_back

    def wake(self) -> None:
        """Have everybody who waits for a moment compare it with the clock anew: the clock jumped."""
        self._announce()

    def reconfigure(self, accounts: Iterable[Account], tuning: Tuning, sticky_ttl: float) -> None:
        """Take a new configuration; what is known of accounts that stay is kept."""
        self._accounts = MappingProxyType({account.name: account for account in accounts})
        self._tuning = tuning
        self._affinity.ttl = sticky_ttl
        self._affinity.keep_only(self._accounts)
        self._replace(transitions.with_accounts(self._state, self._accounts))

    def snapshot(self) -> Snapshot:
        """What has to survive a restart."""
        idle = {name: evolve(account, in_flight=0) for name, account in self._state.accounts.items()}
        self._affinity.expire(self._now())
        return Snapshot(evolve(self._state, accounts=idle), self._affinity.entries())

    def restore(self, snapshot: Snapshot) -> None:
        """Take up a saved snapshot: what it knows of configured accounts, and their conversations.

        What custody has said since the start counts for more than what it had said before.
        """
        state = transitions.with_accounts(snapshot.state, self._accounts)
        accounts = {
            name: _reconciled(saved, self._state.accounts[name]) for name, saved in state.accounts.items()
        }
        self._affinity.restore(snapshot.bindings)
        self._affinity.keep_only(self._accounts)
        self._replace(evolve(state, accounts=accounts))
        self._expire(self._now())

    # ── inside ────────────────────────────────────────────────────────────────────────────────

    def _replace(self, state: PoolState) -> None:
        # Synchronous from the caller's reading of the old state to here: see the module's docstring.
        if state is self._state:
            return
        self._state = state
        self._announce()

    def _announce(self) -> None:
        self._version += 1
        if self._waiting:
            self._waiting.unpark_all()

    def _expire(self, now: float) -> None:
        self._came_back |= dict.fromkeys(transitions.long_ended(self._state, now))
        self._replace(transitions.expired(self._state, now))
        self._deadline = _or_never(next_deadline(self._state))

    def _peers(self, provider: str, now: float) -> int:
        """How many accounts of a vendor serve, or would if the vendor were not overloaded."""

        def serves(state: AccountState) -> bool:
            cooling = state.cooldowns.get(ALL_MODELS)
            overloaded = cooling is not None and cooling.cause is Verdict.OVERLOADED
            return overloaded or hindrance(state, ALL_MODELS, now) is None

        return sum(
            serves(self._state.accounts[name])
            for name, account in self._accounts.items()
            if account.provider == provider
        )

    def known(self, name: str) -> str:
        """Return the name when an account is called so. Raises NotFound with the nearest one."""
        if name not in self._accounts:
            known = ", ".join(self._accounts) or "none"
            raise NotFound(f"no account is named {quoted(name)}{hint(name, self._accounts)} (known: {known})")
        return name

    def _report_cooldown(self, before: AccountState, after: AccountState) -> Cooldown | None:
        for scope, cooling in after.cooldowns.items():
            older = before.cooldowns.get(scope)
            if older is not None and cooling.until <= older.until:
                continue
            if older is None or cooling.since > older.since or cooling.cause is not older.cause:
                # A running one that is prolonged by fifty requests failing together is one line.
                what = f"{after.name} (models {quoted(scope)})" if scope else after.name
                LOG.info("account %s cools until %.0f: %s", what, cooling.until, cooling.reason)
            return cooling
        return None

    def _report_cut_resets(self, name: str, windows: Iterable[Window], before: AccountState) -> None:
        """Warn once per window of resets that lie absurdly far away."""
        for window in windows:
            older = before.windows.get(window.name)
            if window.named_reset is not None and (older is None or older.named_reset is None):
                LOG.warning(
                    "account %s: the vendor says that window %s resets at %.0f (epoch), which is further "
                    "away than the window is long; %.0f is assumed",
                    name,
                    window.name,
                    window.named_reset,
                    window.resets_at or 0,
                )


def _reconciled(saved: AccountState, live: AccountState) -> AccountState:
    return evolve(
        saved,
        in_flight=live.in_flight,
        custody=saved.custody if live.custody is Custody.MISSING else live.custody,
        email=live.email or saved.email,
        plan=live.plan or saved.plan,
    )


def _or_never(moment: float | None) -> float:
    return inf if moment is None else moment
