"""The waiting room: requests that no account can take yet, in order of arrival.

When an account comes back, one request goes first as its probe; only when that one was served do
the others follow, spread over a second. A client that gives up keeps its place for two minutes
under its conversation, because agents give up and ask again.

Deciding is `admissions`, a pure function; `WaitingRoom` carries it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import count

import trio
from attrs import define, field, frozen

from shunt.accounts.state import AccountState
from shunt.errors import AllCooling
from shunt.pool import AccountPool
from shunt.routing.view import Choice, Demand, Refusal

PROVEN = nullcontext()
"""An attempt at an account that need not prove itself."""
PLACE_KEPT = 120.0
"""Seconds a place is kept for a client that left."""
PLACES = 1_000
"""Places remembered at most; the oldest go first."""
PROBE_PATIENCE = 30.0
"""Seconds after which a probe that has neither succeeded nor failed no longer holds up the line."""
SPREAD = 1.0
"""Seconds over which those behind a successful probe are let go."""
PASSING = frozenset({Refusal.COOLING, Refusal.WINDOW_SPENT, Refusal.BUSY})
"""Refusals that end by themselves."""
NAP = 30.0
"""Longest sleep between two looks at the wall clock, which may jump."""


@frozen
class Claim:
    """One waiting request, as the decision sees it."""

    ticket: int
    choice: Choice
    """What routing would answer it now."""
    until: float
    """Epoch seconds until which it may be held."""


@frozen
class Admission:
    """One request let go, or sent away."""

    ticket: int
    account: str | None
    """The account it may try; None means it waits for nothing and gets an error."""
    probe: bool = False


def is_proven(state: AccountState) -> bool:
    """Whether the account has served since its last cooldown ended (or never had one)."""
    return state.cooled_until is None or (
        state.last_success is not None and state.last_success >= state.cooled_until
    )


def worth_waiting(choice: Choice, until: float, now: float) -> bool:
    """Whether holding a request until `until` can help it."""
    if now >= until or not any(candidate.refusal in PASSING for candidate in choice.candidates):
        return False
    return choice.retry_at is None or choice.retry_at <= until


def admissions(
    line: Sequence[Claim], proven: Callable[[str], bool], probing: frozenset[str], now: float
) -> list[Admission]:
    """Who leaves the line now, in order of tickets.

    `probing` names the accounts that a request is trying out at this moment.
    """
    out: list[Admission] = []
    busy = set(probing)
    for claim in line:
        account = claim.choice.account
        if account is None:
            if not worth_waiting(claim.choice, claim.until, now):
                out.append(Admission(claim.ticket, None))
        elif proven(account):
            out.append(Admission(claim.ticket, account))
        elif account not in busy:
            busy.add(account)
            out.append(Admission(claim.ticket, account, probe=True))
    return out


@define(eq=False)
class _Waiter:
    ticket: int
    demand: Demand
    until: float
    called: trio.Event = field(factory=trio.Event)
    admission: Admission | None = None
    pause: float = 0.0
    """Seconds between being let go and going."""


@define(eq=False)
class _Probe:
    account: str
    since: float


class WaitingRoom:
    """Holds requests while their accounts cool. `attend` must be running for anybody to leave it."""

    def __init__(
        self,
        pool: AccountPool,
        *,
        limit: Callable[[], int],
        now: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        """`limit` tells the most requests held at once; `jitter` gives numbers from 0 to 1."""
        self._limit = limit
        self._pool = pool
        self._now = now
        self._jitter = jitter
        self._tickets = count()
        self._line: dict[int, _Waiter] = {}
        self._places: dict[str, tuple[int, float]] = {}
        self._probes: dict[int, _Probe] = {}
        self._probe_ids = count()
        self._arrived = trio.Event()

    def __len__(self) -> int:
        """How many requests are held now."""
        return len(self._line)

    @property
    def full(self) -> bool:
        """Whether another request would be one too many."""
        return len(self._line) >= self._limit()

    def must_queue(self, account: str) -> bool:
        """Whether a request that could go to `account` has to stand behind others first."""
        state = self._pool.state.accounts.get(account)
        if state is None or is_proven(state):
            return False
        return account in self._probing() or any(
            self._choice(waiter).account == account for waiter in self._line.values()
        )

    def trying(self, account: str) -> AbstractContextManager[None]:
        """Mark one attempt. It counts as a probe while the account has yet to prove itself."""
        state = self._pool.state.accounts.get(account)
        return PROVEN if state is None or is_proven(state) else self._as_probe(account)

    @contextmanager
    def _as_probe(self, account: str) -> Iterator[None]:
        probe = next(self._probe_ids)
        self._probes[probe] = _Probe(account, self._now())
        try:
            yield
        finally:
            del self._probes[probe]
            self._look_again()

    async def wait(self, demand: Demand, conversation: str, until: float) -> None:
        """Return when it is this request's turn to try again.

        Raises AllCooling when no account will be back before `until` (epoch seconds).
        """
        waiter = _Waiter(self._ticket(conversation), demand, until)
        self._line[waiter.ticket] = waiter
        self._look_again()
        try:
            await waiter.called.wait()
        except trio.Cancelled:
            self._keep_place(conversation, waiter.ticket)
            raise
        finally:
            self._line.pop(waiter.ticket, None)
            self._look_again()
        admission = waiter.admission
        if admission is None or admission.account is None:
            raise AllCooling("no account will be back in time", self._choice(waiter).retry_at)
        await trio.sleep(waiter.pause)

    async def attend(self) -> None:
        """Let people go as accounts come back. Runs as long as the program."""
        while True:
            self._arrived = trio.Event()
            if not self._line:  # nobody to look after: the pool's changes are none of our business
                await self._arrived.wait()
                continue
            version = self._pool.version
            self._admit()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._until_change, version, nursery.cancel_scope)
                with trio.move_on_after(self._nap()):
                    await self._arrived.wait()
                nursery.cancel_scope.cancel()

    # ── deciding ──────────────────────────────────────────────────────────────────────────────

    def _admit(self) -> None:
        line = [
            Claim(waiter.ticket, self._choice(waiter), waiter.until)
            for waiter in sorted(self._line.values(), key=lambda waiter: waiter.ticket)
            if waiter.admission is None
        ]
        called = admissions(line, self._is_proven, self._probing(), self._now())
        following = [admission.ticket for admission in called if admission.account and not admission.probe]
        for admission in called:
            waiter = self._line[admission.ticket]
            waiter.admission = admission
            if waiter.ticket in following:  # in their order, spread out
                place = following.index(waiter.ticket) + self._jitter()
                waiter.pause = SPREAD * place / len(following)
            waiter.called.set()

    def _choice(self, waiter: _Waiter) -> Choice:
        return self._pool.consider(waiter.demand)

    def _is_proven(self, account: str) -> bool:
        state = self._pool.state.accounts.get(account)
        return state is None or is_proven(state)

    def _probing(self) -> frozenset[str]:
        """Accounts being tried out, and those that somebody was just let go to try out."""
        stale = self._now() - PROBE_PATIENCE
        running = {probe.account for probe in self._probes.values() if probe.since > stale}
        called = {
            waiter.admission.account
            for waiter in self._line.values()
            if waiter.admission is not None
            and waiter.admission.account is not None
            and waiter.admission.probe
        }
        return frozenset(running | called)

    # ── waking ────────────────────────────────────────────────────────────────────────────────

    def _look_again(self) -> None:
        self._arrived.set()

    async def _until_change(self, version: int, scope: trio.CancelScope) -> None:
        await self._pool.changed(version)
        scope.cancel()

    def _nap(self) -> float:
        """Seconds until the next moment at which somebody might leave."""
        now = self._now()
        held = [waiter for waiter in self._line.values() if waiter.admission is None]
        moments = [waiter.until for waiter in held]
        moments += [back for waiter in held if (back := self._choice(waiter).retry_at) is not None]
        return max(0.0, min([*(moment - now for moment in moments), NAP]))

    # ── places ────────────────────────────────────────────────────────────────────────────────

    def _ticket(self, conversation: str) -> int:
        kept = self._places.pop(conversation, None) if conversation else None
        if kept is not None and kept[1] > self._now() and kept[0] not in self._line:
            return kept[0]
        return next(self._tickets)

    def _keep_place(self, conversation: str, ticket: int) -> None:
        if not conversation:
            return
        self._places.pop(conversation, None)
        self._places[conversation] = (ticket, self._now() + PLACE_KEPT)
        while len(self._places) > PLACES:
            self._places.pop(next(iter(self._places)))
