"""Replaying recorded requests against another strategy or other accounts: pure, with its assumptions.

What a window holds no vendor tells. It is worked out from the past: the price of the requests that an
account served between two sights of a window, divided by how much fuller the window was at the second.
A window begins with its first request and lasts its length, as the vendors' own do. A request that no
account can take waits for the first to come back, as long as requests may wait. Not simulated: failures,
how long answers take, and that people work differently when they have to wait.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from statistics import median
from typing import Final

from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.state import AccountState, Custody, PoolState
from shunt.limits.forecast import periods
from shunt.limits.headers import scope_of
from shunt.limits.samples import Sample
from shunt.limits.windows import OVERAGE, Source, Standing, Window
from shunt.models.families import family_of
from shunt.routing.affinity import Affinity
from shunt.routing.choose import choose
from shunt.routing.view import Demand, Tuning, View

LEAST_FILLED: Final = 0.02
"""Share of a window that must have been seen to fill before its size is believed."""


@frozen
class Recorded:
    """One request of the past."""

    at: float
    """Epoch seconds."""
    conversation: str
    account: str
    model: str
    cost: float
    """US dollars at API prices."""
    metered: bool = False
    """Its account paid per token."""


@frozen
class Size:
    """What one window of an account holds."""

    dollars: float
    """At API prices."""
    length: float
    """Seconds."""
    guessed: bool = False
    """Taken from the other accounts: this one's own was never seen to fill."""


Sizes = Mapping[str, Mapping[str, Size]]
"""Account → window → size."""


@frozen
class Plan:
    """What is tried."""

    accounts: tuple[Account, ...]
    sizes: Sizes
    tuning: Tuning
    sticky_ttl: float = 3600.0
    """Seconds."""
    wait: float = 5 * 3600.0
    """Seconds a request may be held."""


@frozen
class Share:
    """One account's part."""

    account: str
    requests: int
    cost: float
    limits: int
    """How often one of its windows was spent."""


@frozen
class Report:
    """What would have happened."""

    strategy: str
    requests: int
    limits: int
    held: int
    """Requests that had to wait."""
    refused: int
    """Requests that would have had to wait too long."""
    waited: float
    """Seconds, of all held requests together."""
    longest: float
    moves: int
    """Requests whose conversation changed account."""
    shares: tuple[Share, ...]


# ── what windows hold ─────────────────────────────────────────────────────────────────────────────


def sizes_of(samples: Iterable[Sample], requests: Sequence[Recorded], accounts: Iterable[str]) -> Sizes:
    """What each account's windows hold, from what was seen of them; median of the others where not."""
    seen: dict[str, dict[str, Size]] = {}
    for (account, window), pieces in _by_window(samples).items():
        size = _size(account, window, pieces, requests)
        if size is not None:
            seen.setdefault(account, {})[window] = size
    usual = {
        window: Size(
            median(sizes[window].dollars for sizes in seen.values() if window in sizes),
            next(sizes[window].length for sizes in seen.values() if window in sizes),
            guessed=True,
        )
        for window in {name for sizes in seen.values() for name in sizes}
    }
    metered = {request.account for request in requests if request.metered}
    return {
        name: {} if name in metered and name not in seen else {**usual, **seen.get(name, {})}
        for name in accounts
    }


def _by_window(samples: Iterable[Sample]) -> dict[tuple[str, str], list[list[Sample]]]:
    found: dict[tuple[str, str], list[list[Sample]]] = {}
    for period in periods(samples):
        found.setdefault((period[0].account, period[0].window), []).append(period)
    return found


def _size(
    account: str, window: str, pieces: Iterable[Sequence[Sample]], requests: Sequence[Recorded]
) -> Size | None:
    scope = scope_of(window)
    own = [
        (request.at, request.cost)
        for request in requests
        if request.account == account and (not scope or family_of(request.model) == scope)
    ]
    moments = [at for at, _ in own]
    sums = [0.0, *accumulate(cost for _, cost in own)]
    filled = spent = 0.0
    length: float | None = None
    for period in pieces:
        for before, after in pairwise(period):
            grown = (after.used or 0.0) - (before.used or 0.0)
            if grown <= 0:
                continue
            filled += grown
            spent += sums[bisect_right(moments, after.at)] - sums[bisect_left(moments, before.at)]
            length = after.length or length
    if filled < LEAST_FILLED or spent <= 0 or length is None or window == OVERAGE:
        return None
    return Size(spent / filled, length)


# ── the replay ────────────────────────────────────────────────────────────────────────────────────


def simulate(requests: Iterable[Recorded], plan: Plan) -> Report:
    """Replay `requests` (oldest first)."""
    run = _Run(plan)
    for request, arrived in run.in_turn(requests):
        run.place(request, arrived)
    return run.report()


@define(eq=False)
class _Fill:
    """One window while it is being spent."""

    size: Size
    scope: str
    spent: float = 0.0
    resets_at: float = 0.0

    def add(self, cost: float, family: str, now: float) -> bool:
        """Spend; whether this spent the window."""
        if self.scope and self.scope != family:
            return False
        if now >= self.resets_at:
            self.spent, self.resets_at = 0.0, now + self.size.length
        before = self.spent
        self.spent += cost
        return before < self.size.dollars <= self.spent


@define(eq=False)
class _Run:
    plan: Plan
    _now: float = 0.0
    _waiting: list[tuple[float, int, Recorded]] = field(factory=list)
    """(when to try again, order of arrival, request)."""
    _state: PoolState = PoolState()
    _affinity: Affinity = field(init=False)
    _fills: dict[str, dict[str, _Fill]] = field(init=False)
    _accounts: Mapping[str, Account] = field(init=False)
    _families: dict[str, Mapping[str, str]] = field(factory=dict)
    _totals: dict[str, list[float]] = field(init=False)
    """Account → requests, dollars, limits."""
    _requests: int = 0
    _held: int = 0
    _refused: int = 0
    _waited: float = 0.0
    _longest: float = 0.0
    _moves: int = 0
    _order: int = 0
    _last: dict[str, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._accounts = {account.name: account for account in self.plan.accounts}
        self._affinity = Affinity(self.plan.sticky_ttl)
        self._fills = {
            name: {w: _Fill(size, scope_of(w)) for w, size in self.plan.sizes.get(name, {}).items()}
            for name in self._accounts
        }
        self._totals = {name: [0, 0.0, 0] for name in self._accounts}
        states = {name: AccountState(name, custody=Custody.PRESENT) for name in self._accounts}
        self._state = PoolState(accounts=states)

    def in_turn(self, requests: Iterable[Recorded]) -> Iterator[tuple[Recorded, float]]:
        """Requests as they come, and those that waited when it is their time: (request, now)."""
        for request in requests:
            while self._waiting and self._waiting[0][0] <= request.at:
                moment, _, held = heapq.heappop(self._waiting)
                yield held, moment
            self._requests += 1
            yield request, request.at
        while self._waiting:
            moment, _, held = heapq.heappop(self._waiting)
            yield held, moment

    def place(self, request: Recorded, now: float) -> None:
        """Give a request to an account, or let it wait."""
        self._now = max(now, self._now)
        families = self._families.get(request.model)
        if families is None:
            family = family_of(request.model)
            families = self._families[request.model] = dict.fromkeys(self._accounts, family)
        bound, _ = self._affinity.bound(request.conversation, self._now) if request.conversation else ("", 0)
        view = View(self._accounts, self._state, self.plan.tuning)
        demand = Demand(request.model, families, bound=bound)
        choice = choose(view, demand, frozenset(), self._now)
        if choice.account is None:
            self._wait(request, choice.retry_at)
            return
        if choice.by_strategy:
            self._state = evolve(self._state, carousel=self._state.carousel + 1)
        self._serve(request, choice.account, families[choice.account], borrowed=choice.borrowed)

    def _wait(self, request: Recorded, retry_at: float | None) -> None:
        if retry_at is None or retry_at - request.at > self.plan.wait:
            self._refused += 1
            return
        self._order += 1
        heapq.heappush(self._waiting, (max(retry_at, self._now + 1e-3), self._order, request))

    def _serve(self, request: Recorded, account: str, family: str, *, borrowed: bool) -> None:
        if self._now > request.at:
            self._held += 1
            self._waited += self._now - request.at
            self._longest = max(self._longest, self._now - request.at)
        totals = self._totals[account]
        totals[0] += 1
        totals[1] += request.cost
        if request.conversation:
            if self._last.get(request.conversation, account) != account:
                self._moves += 1
            self._last[request.conversation] = account
            if not borrowed:
                self._affinity.bind(request.conversation, account, self._now)
        fills = self._fills[account]
        for fill in fills.values():
            totals[2] += fill.add(request.cost, family, self._now)
        windows = {name: self._window(name, fill) for name, fill in fills.items() if fill.resets_at}
        state = evolve(self._state.accounts[account], windows=windows, last_used=self._now)
        self._state = evolve(self._state, accounts={**self._state.accounts, account: state})

    def _window(self, name: str, fill: _Fill) -> Window:
        used = fill.spent / fill.size.dollars
        standing = Standing.REJECTED if used >= 1 else Standing.ALLOWED
        return Window(
            name, used, fill.resets_at, standing, Source.HEADER, self._now, fill.size.length, fill.scope
        )

    def report(self) -> Report:
        """What happened."""
        shares = tuple(
            Share(name, int(requests), round(cost, 4), int(limits))
            for name, (requests, cost, limits) in self._totals.items()
        )
        return Report(
            strategy=self.plan.tuning.strategy,
            requests=self._requests,
            limits=sum(share.limits for share in shares),
            held=self._held,
            refused=self._refused,
            waited=self._waited,
            longest=self._longest,
            moves=self._moves,
            shares=shares,
        )
