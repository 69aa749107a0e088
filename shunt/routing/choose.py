"""Which account takes a request: one pure decision over one frozen view, with its reasons.

In this order: the account asked for by header (it or nothing), the pin (it or nothing, unless pins
spill), the account this conversation is on, the strategy. Every account is in the answer exactly
once, so that explanations, error messages and the decision itself tell the same story.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple

from shunt.accounts.account import Account
from shunt.accounts.eligibility import Obstacle, hindrance
from shunt.accounts.state import AccountState
from shunt.routing.strategies import STRATEGIES
from shunt.routing.strategies.base import Contender, Scene, Score, Strategy
from shunt.routing.view import Candidate, Candidates, Choice, Demand, Refusal, View

BY_NAME: Final = {strategy.name: strategy for strategy in STRATEGIES}

_REFUSALS: Final = {
    Obstacle.NO_CREDENTIAL: Refusal.NO_CREDENTIAL,
    Obstacle.REAUTH_REQUIRED: Refusal.REAUTH_REQUIRED,
    Obstacle.PAUSED: Refusal.PAUSED,
    Obstacle.COOLING: Refusal.COOLING,
    Obstacle.WINDOW_SPENT: Refusal.WINDOW_SPENT,
}
_PASSING: Final = frozenset(
    {
        # About this one request: the conversation's next may be carried again.
        Refusal.CANNOT_CARRY,
        Refusal.OTHER_POOL,
        Refusal.NOT_THEIRS,
        Refusal.MODEL_NOT_ALLOWED,
        # Over soon, while the prompt cache is still there.
        Refusal.BUSY,
        Refusal.TRIED,
    }
)
_UNKNOWN: Final = AccountState("")


class _Refused(NamedTuple):
    candidate: Candidate
    lasting: bool
    """The conversation had better move for good."""


class _Ask(NamedTuple):
    """One request for a decision."""

    view: View
    demand: Demand
    tried: frozenset[str]
    now: float


def choose(view: View, demand: Demand, tried: frozenset[str], now: float) -> Choice:
    """Choose the account for a request that has `tried` some already. `now` is epoch seconds."""
    ask = _Ask(view, demand, tried, now)
    only, why = _restriction(view, demand)
    if only is not None:
        return _strict(ask, only, why)
    pinned = view.state.pinned
    if pinned is not None and pinned in view.accounts and _refusal(ask, view.accounts[pinned]) is None:
        return Choice(pinned, "pinned", Candidates(partial(_explained, ask)))
    strategy = strategy_of(view)
    borrowed = False
    if demand.bound in view.accounts:
        account = view.accounts[demand.bound]
        refused = _refusal(ask, account)
        if refused is None:
            tier = strategy.tier(account, view.state.accounts[demand.bound], now)
            if tier <= strategy.best_tier(view.accounts.values()):
                return Choice(demand.bound, "sticky", Candidates(partial(_explained, ask)))
        borrowed = refused is not None and not refused.lasting
    return _by_strategy(ask, strategy, borrowed=borrowed)


def strategy_of(view: View) -> Strategy:
    """The strategy in force: the owner's override, else the configured one."""
    return BY_NAME.get(view.state.strategy or view.tuning.strategy, STRATEGIES[0])


# ── who is asked ──────────────────────────────────────────────────────────────────────────────────


def _restriction(view: View, demand: Demand) -> tuple[str | None, str]:
    """(the one account that may serve, why); None when several may, empty when none can."""
    if demand.wanted:
        return demand.wanted, "asked for"
    tied = demand.bound if demand.bound_hard else ""
    pin = view.state.pinned
    if pin is not None and not view.tuning.pin_spills:
        if tied and tied != pin:
            return "", f"{pin} is pinned, but what this conversation refers to exists only on {tied}"
        return pin, "pinned"
    return (tied, "bound") if tied else (None, "")


def _strict(ask: _Ask, only: str, why: str) -> Choice:
    account = ask.view.accounts.get(only)
    refused = _refusal(ask, account) if account is not None else None
    candidates = Candidates(partial(_explained, ask, only))
    if account is not None and refused is None:
        return Choice(only, why, candidates)
    if refused is not None:
        why = f"{only} ({why}) {refused.candidate.refusal}"
    elif only:
        why = f"no account is named {only} ({why})"
    return Choice(None, why, candidates, retry_at=refused.candidate.back_at if refused else None)


def _by_strategy(ask: _Ask, strategy: Strategy, *, borrowed: bool) -> Choice:
    view, now = ask.view, ask.now
    contenders: list[tuple[float, Contender]] = []
    groups: dict[float, int] = {}
    ends: list[float] = []
    for name, account in view.accounts.items():
        refused = _refusal(ask, account)
        if refused is not None:
            if refused.candidate.back_at is not None:
                ends.append(refused.candidate.back_at)
            continue
        state = view.state.accounts[name]
        tier = strategy.tier(account, state, now)
        place = groups.get(tier, 0)
        groups[tier] = place + 1
        contenders.append((tier, Contender(account, state, ask.demand.families[name], place)))
    scenes = {tier: Scene(now, view.tuning, view.state.carousel, places) for tier, places in groups.items()}
    scores: dict[str, Score] = {}
    winner: str | None = None
    for tier, contender in contenders:
        name = contender.account.name
        scores[name] = score = (-tier, *strategy.score(contender, scenes[tier]))
        # Only a greater score wins, so that equals go in the order of the configuration.
        if winner is None or score > scores[winner]:
            winner = name
    candidates = Candidates(partial(_explained, ask, scores=scores))
    bound = ask.demand.bound
    if winner is None:
        return Choice(None, "no account can serve this now", candidates, retry_at=min(ends, default=None))
    if winner == bound or (bound in scores and scores[bound][0] == scores[winner][0]):
        # Nothing better than where the conversation is.
        return Choice(bound, "sticky", candidates)
    return Choice(winner, f"strategy {strategy.name}", candidates, borrowed=borrowed, by_strategy=True)


# ── what stands in the way ────────────────────────────────────────────────────────────────────────


def _explained(
    ask: _Ask, only: str | None = None, scores: Mapping[str, Score] | None = None
) -> tuple[Candidate, ...]:
    """Every account once: why not, or with which score."""
    candidates = []
    for name, account in ask.view.accounts.items():
        if only is not None and name != only:
            candidates.append(Candidate(name, Refusal.NOT_CHOSEN))
        elif scores and name in scores:
            candidates.append(Candidate(name, score=scores[name]))
        else:
            refused = _refusal(ask, account)
            candidates.append(_able(name) if refused is None else refused.candidate)
    return tuple(candidates)


@lru_cache(1024)
def _able(name: str) -> Candidate:
    """An account that could serve and was not compared."""
    return Candidate(name)


def _refusal(ask: _Ask, account: Account) -> _Refused | None:
    """Why the account is no candidate. What lasts is told first: it decides whether waiting helps."""
    view, demand, tried, now = ask
    name = account.name
    state = view.state.accounts.get(name, _UNKNOWN)
    family = demand.families.get(name)
    if family is None:
        return _refuse(name, Refusal.CANNOT_CARRY)
    if demand.pools is not None and account.pool not in demand.pools:
        return _refuse(name, Refusal.OTHER_POOL, account.pool)
    if account.subscription and not demand.logins:
        return _refuse(name, Refusal.NOT_THEIRS)
    if account.models and demand.model and not account.serves(demand.model):
        return _refuse(name, Refusal.MODEL_NOT_ALLOWED, demand.model)
    hindered = hindrance(state, family, now)
    if hindered is not None:
        candidate = Candidate(name, _REFUSALS[hindered.obstacle], hindered.detail, hindered.until)
        return _Refused(candidate, hindered.lasting)
    if 0 < account.max_concurrent <= state.in_flight:
        return _refuse(name, Refusal.BUSY, f"{state.in_flight} requests running")
    if name in tried:
        return _refuse(name, Refusal.TRIED)
    return None


def _refuse(name: str, refusal: Refusal, detail: str = "") -> _Refused:
    return _Refused(Candidate(name, refusal, detail), refusal not in _PASSING)
