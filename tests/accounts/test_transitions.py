"""Transitions of the whole pool, and what no sequence of them may bring about."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shunt.accounts import transitions
from shunt.accounts.credential import Identity
from shunt.accounts.eligibility import hindrance, next_deadline, status_of
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import (
    AccountState,
    Cooldown,
    Custody,
    DayTotals,
    PoolState,
    RequestRecord,
    Status,
)
from shunt.inference.usage import Usage
from shunt.limits.cooldown import LONGEST
from shunt.limits.windows import Standing
from tests.fakes.pools import DAY, HOUR, T0, known, outcome, pool_state, window

ALL, OPUS = "", "opus"


def apply(state: PoolState, account: str, verdict: Verdict, at: float = T0, *, peers: int = 1) -> PoolState:
    told = outcome(account, verdict, at, scope=OPUS)
    return transitions.apply(state, told, jitter=0.5, provider="anthropic", peers=peers)


def statuses(state: PoolState, now: float = T0) -> list[Status]:
    return [status_of(account, now) for account in state.accounts.values()]


# ── answers ───────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_changes_its_account_alone() -> None:
    """Other accounts stay the very same records."""
    before = pool_state("a", "b")
    after = apply(before, "a", Verdict.BROKEN)
    assert statuses(after) == [Status.COOLING, Status.AVAILABLE]
    assert after.accounts["b"] is before.accounts["b"]
    assert after.accounts["a"].last_used == T0


@pytest.mark.parametrize(
    ("verdict", "used"),
    [(Verdict.SERVED, "a"), (Verdict.REFUSED, "a"), (Verdict.CUT, "a"), (Verdict.LIMITED, None)],
)
def test_the_account_that_served_last_is_remembered(verdict: Verdict, used: str | None) -> None:
    """Only an answer that reached a client makes its account the last used one."""
    assert apply(pool_state("a"), "a", verdict).last_used == used


def test_a_refusal_changes_nothing_but_the_time_of_use() -> None:
    """A 400 is the request's business."""
    before = pool_state(known("a", window("5h"), breaks=2))
    after = apply(before, "a", Verdict.REFUSED)
    assert after.accounts["a"] == evolve(before.accounts["a"], last_used=T0)


def test_answers_of_removed_accounts_are_ignored() -> None:
    """A stream that outlives its account leaves no trace."""
    state = pool_state("a")
    assert apply(state, "gone", Verdict.BROKEN) is state
    assert transitions.started(state, "gone") is state
    assert transitions.ended(state, "gone") is state
    assert transitions.paused(state, "gone", paused=True) is state
    assert transitions.cleared(state, "gone") is state
    assert transitions.learned(state, "gone", ()) is state
    assert transitions.custody_changed(state, "gone", Custody.PRESENT) is state


def test_an_overloaded_account_is_benched_briefly() -> None:
    """One of several overloaded accounts rests for 30 s."""
    state = apply(pool_state("a", "b", "c"), "a", Verdict.OVERLOADED, peers=3)
    assert state.accounts["a"].cooldowns[ALL].until == T0 + 30


def test_an_overloaded_vendor_benches_nobody() -> None:
    """When most accounts are overloaded within a minute it is the vendor: all benches are lifted."""
    state = apply(pool_state("a", "b", "c"), "a", Verdict.OVERLOADED, peers=3)
    state = apply(state, "b", Verdict.OVERLOADED, T0 + 20, peers=3)
    assert statuses(state, T0 + 20) == [Status.AVAILABLE] * 3
    assert transitions.is_overloaded(state.overloads, "anthropic", 3, T0 + 20)
    assert not transitions.is_overloaded(state.overloads, "openai", 3, T0 + 20)


@pytest.mark.parametrize(
    ("second", "later", "peers"),
    [("a", 1, 3), ("b", 61, 3), ("b", 1, 4)],
    ids=["the same account twice", "not together", "only half of them"],
)
def test_what_is_no_overload_of_the_vendor(second: str, later: float, peers: int) -> None:
    """One account, events a minute apart, or half of the accounts prove nothing about the vendor."""
    state = apply(pool_state("a", "b", "c", "d"), "a", Verdict.OVERLOADED, peers=peers)
    state = apply(state, second, Verdict.OVERLOADED, T0 + later, peers=peers)
    assert statuses(state, T0 + later)[0 if second == "a" else 1] is Status.COOLING


def test_a_single_account_is_benched_when_overloaded() -> None:
    """With one account there is nothing to compare: it rests like any other."""
    assert statuses(apply(pool_state("a"), "a", Verdict.OVERLOADED)) == [Status.COOLING]


def test_an_account_that_serves_is_not_overloaded() -> None:
    """A success in between takes its account out of the count."""
    state = apply(pool_state("a", "b"), "a", Verdict.OVERLOADED, peers=2)
    state = apply(state, "a", Verdict.SERVED, T0 + 5, peers=2)
    state = apply(state, "b", Verdict.OVERLOADED, T0 + 6, peers=2)
    assert statuses(state, T0 + 6) == [Status.AVAILABLE, Status.COOLING]


def test_other_trouble_survives_an_overload_of_the_vendor() -> None:
    """Only benches for overload are lifted."""
    state = apply(pool_state("a", "b"), "a", Verdict.FORBIDDEN)
    for name in ("a", "b"):
        state = apply(state, name, Verdict.OVERLOADED, T0 + 1, peers=2)
    assert statuses(state, T0 + 1) == [Status.COOLING, Status.AVAILABLE]


# ── requests ──────────────────────────────────────────────────────────────────────────────────────


def test_requests_in_flight_are_counted() -> None:
    """Each start has one end, and a stray end does not go below zero."""
    state = transitions.started(transitions.started(pool_state("a"), "a"), "a")
    assert state.accounts["a"].in_flight == 2
    for _ in range(3):
        state = transitions.ended(state, "a")
    assert state.accounts["a"].in_flight == 0


def record(number: int = 0, at: float = T0, account: str = "a") -> RequestRecord:
    return RequestRecord(
        id=f"req_{number}",
        at=at,
        client="",
        conversation="",
        account=account,
        attempts=(),
        protocol_in="anthropic-messages",
        protocol_out="anthropic-messages",
        model="claude-opus-5-5",
        served_model="",
        status=200,
        outcome="served",
        usage=Usage(
            input=10,
            cache_read=100,
            cache_write_5m=3,
            cache_write_1h=4,
            output=5,
            reasoning=2,
            web_searches=1,
        ),
        cost_usd=0.25,
        rebilled=7,
    )


def test_a_finished_request_is_counted_everywhere_once() -> None:
    """Recent requests, the account, the day and the total have it."""
    state = transitions.finished(pool_state("a"), record())
    state = transitions.finished(state, record(1))
    totals = DayTotals(
        input=20, output=10, cost_usd=0.5, requests=2, cache_read=200, cache_write=14, rebilled=14
    )
    assert state.total == totals
    assert state.days == {"2026-09-21": totals}
    assert [kept.id for kept in state.recent] == ["req_0", "req_1"]
    assert state.accounts["a"].usage == Usage(20, 200, 6, 8, 10, 4, 2)


def test_what_was_really_paid_is_counted_apart() -> None:
    """Of an account that pays per token; it stays a part of the whole price."""
    state = transitions.finished(pool_state("a"), record())
    state = transitions.finished(state, evolve(record(1), metered=True))
    assert (state.total.cost_usd, state.total.metered_usd) == (0.5, 0.25)
    assert state.days["2026-09-21"] == state.total


def test_requests_that_no_account_served_count_too() -> None:
    """A request refused for want of accounts is in the totals."""
    state = transitions.finished(pool_state("a"), record(account=""))
    assert (state.total.requests, state.accounts["a"].usage) == (1, Usage())


def test_what_is_kept_of_the_past_is_bounded() -> None:
    """200 requests and 100 days are remembered, the newest ones; the total forgets nothing."""
    state = pool_state("a")
    for number in range(250):
        state = transitions.finished(state, record(number, T0 + number * DAY))
    assert len(state.recent) == transitions.MOST_RECENT
    assert state.recent[-1].id == "req_249"
    assert len(state.days) == transitions.MOST_DAYS
    assert min(state.days) == "2027-02-18"
    assert state.total.requests == 250


# ── commands and news ─────────────────────────────────────────────────────────────────────────────


def test_the_owners_commands() -> None:
    """Pin, strategy and pause are taken back by their opposites."""
    start = pool_state("a")
    state = transitions.pinned(transitions.strategy_set(start, "reaper"), "a")
    state = transitions.paused(state, "a", paused=True)
    assert (state.pinned, state.strategy, statuses(state)) == ("a", "reaper", [Status.DISABLED])
    state = transitions.paused(state, "a", paused=False)
    assert transitions.pinned(transitions.strategy_set(state, None), None) == start


def test_clear_makes_an_account_a_candidate_again() -> None:
    """Cooldowns, refusals and counters are forgotten; what was used is not."""
    cooldowns = {OPUS: Cooldown(T0 + 60, T0, "x")}
    spent = known(
        "a", window("5h", 1.0, rejected=True), window("7d", 0.3), cooldowns=cooldowns, breaks=3, throttles=2
    )
    account = transitions.cleared(pool_state(spent), "a").accounts["a"]
    assert hindrance(account, OPUS, T0) is None
    assert (account.breaks, account.throttles, account.windows["5h"].used) == (0, 0, 1.0)
    assert account.windows["7d"].standing is Standing.ALLOWED


def test_a_new_credential_ends_what_the_old_one_was_benched_for() -> None:
    """After a new login nobody waits for the end of the cooldowns that the dead one earned."""
    state = apply(apply(pool_state("a", "b"), "a", Verdict.UNAUTHORIZED), "b", Verdict.FORBIDDEN)
    state = transitions.custody_changed(state, "a", Custody.REAUTH_REQUIRED)
    state = transitions.custody_changed(state, "b", Custody.REAUTH_REQUIRED)
    assert statuses(state) == [Status.REAUTH_REQUIRED] * 2
    who = Identity(email="p@example.test", plan="max")
    for name in ("a", "b"):
        state = transitions.custody_changed(state, name, Custody.PRESENT, who)
    assert statuses(state) == [Status.AVAILABLE] * 2
    assert (state.accounts["a"].email, state.accounts["a"].plan) == ("p@example.test", "max")


def test_a_renewed_token_does_not_lift_a_ban() -> None:
    """Refreshing a login that was there all along says nothing about a 403."""
    state = apply(pool_state("a"), "a", Verdict.FORBIDDEN)
    assert statuses(transitions.custody_changed(state, "a", Custody.PRESENT)) == [Status.COOLING]


def test_limits_do_not_vanish_with_a_new_credential() -> None:
    """A spent window is the account's, not the token's."""
    state = apply(pool_state("a"), "a", Verdict.LIMITED)
    state = transitions.custody_changed(state, "a", Custody.MISSING)
    state = transitions.custody_changed(state, "a", Custody.PRESENT)
    assert OPUS in state.accounts["a"].cooldowns


def test_a_new_configuration_keeps_what_is_known() -> None:
    """Accounts that stay keep their state, new ones begin empty, removed ones go with their pin."""
    state = evolve(pool_state(known("a", window("5h")), "b", last_used="b"), pinned="b")
    after = transitions.with_accounts(state, ["c", "a"])
    assert list(after.accounts) == ["c", "a"]
    assert after.accounts["a"] is state.accounts["a"]
    assert after.accounts["c"] == AccountState("c")
    assert (after.pinned, after.last_used) == (None, None)
    assert transitions.with_accounts(state, ["b", "a"]).pinned == "b"


# ── time ──────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_over_is_dropped() -> None:
    """An ended cooldown leaves the moment it ended, an ended refusal nothing."""
    cooldowns = {OPUS: Cooldown(T0 + 60, T0, "x"), ALL: Cooldown(T0 + 99, T0, "y")}
    state = pool_state(known("a", window("5h", 1.0, 60, rejected=True), cooldowns=cooldowns), "b")
    assert transitions.expired(state, T0) is state
    after = transitions.expired(state, T0 + 61)
    assert set(after.accounts["a"].cooldowns) == {ALL}
    assert after.accounts["a"].cooled_until == T0 + 60
    assert after.accounts["a"].windows["5h"].standing is Standing.UNKNOWN
    assert after.accounts["b"] is state.accounts["b"]
    assert next_deadline(transitions.expired(after, T0 + 100)) is None


@pytest.mark.parametrize(("length", "told"), [(60, ()), (299, ()), (300, ("a",)), (HOUR, ("a",))])
def test_long_cooldowns_that_end_are_told(length: float, told: tuple[str, ...]) -> None:
    """An end is news when the account was away for five minutes or more."""
    state = pool_state(known("a", cooldowns={ALL: Cooldown(T0 + length, T0, "x")}), "b")
    assert transitions.long_ended(state, T0 + length - 1) == ()
    assert transitions.long_ended(state, T0 + length) == told


@pytest.mark.parametrize("jump", [-3 * DAY, 3 * DAY])
def test_a_clock_that_jumps_strands_no_account(jump: float) -> None:
    """Set back or forward by days: everything lasts at most as long as before, and new facts count."""
    limited = outcome("a", Verdict.LIMITED, windows=(window("5h", 1.0, rejected=True),))
    state = transitions.apply(pool_state("a"), limited, jitter=1.0)
    now = T0 + jump
    state = transitions.expired(state, now)
    deadline = next_deadline(state)
    assert deadline is None or deadline <= now + 5 * HOUR + 60
    state = transitions.learned(state, "a", [window("5h", 0.1, seen_at=now + 1)])
    assert state.accounts["a"].windows["5h"].used == 0.1


def test_a_return_dated_in_the_future_is_dated_now() -> None:
    """After the clock was set back, an account that had just returned is not held back for days."""
    state = transitions.expired(pool_state(known("a", cooled_until=T0 + 3 * DAY)), T0)
    assert state.accounts["a"].cooled_until == T0


# ── no sequence whatever ──────────────────────────────────────────────────────────────────────────

NAMES = ("a", "b", "c")
FAMILIES = st.sampled_from([ALL, OPUS, "haiku"])
WINDOWS = st.lists(
    st.builds(
        lambda name, used, ahead, rejected: (name, used, ahead, rejected),
        st.sampled_from(["5h", "7d", "7d_opus", "7d_oi", "overage", "requests"]),
        st.none() | st.floats(0, 1.5),
        st.none() | st.floats(-DAY, 5 * HOUR),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda told: told[0],
)


class PoolMachine(RuleBasedStateMachine):
    """Answers, commands, news and a clock that runs and jumps, in any order."""

    @initialize()
    def begin(self) -> None:
        self.now = T0
        self.state = pool_state(*NAMES)

    def change(self, step: Callable[[PoolState], PoolState]) -> None:
        before = self.state
        self.state = step(before)
        for name in NAMES:
            for key, seen in before.accounts[name].windows.items():
                newer = self.state.accounts[name].windows.get(key)
                assert newer is None or newer.seen_at >= min(seen.seen_at, self.now)

    @rule(
        name=st.sampled_from(NAMES),
        verdict=st.sampled_from(Verdict),
        family=FAMILIES,
        told=WINDOWS,
        ahead=st.none() | st.floats(-DAY, 40 * DAY),
        jitter=st.floats(0, 1),
    )
    def answer(
        self,
        name: str,
        verdict: Verdict,
        family: str,
        told: list[tuple[str, float | None, float | None, bool]],
        ahead: float | None,
        jitter: float,
    ) -> None:
        windows = tuple(
            evolve(
                window(key, used, rejected=rejected, seen_at=self.now),
                resets_at=None if reset is None else self.now + reset,
            )
            for key, used, reset, rejected in told
        )
        given = outcome(
            name,
            verdict,
            self.now,
            scope=family,
            windows=windows,
            until=None if ahead is None else self.now + ahead,
        )
        before = self.state.accounts[name]
        self.change(lambda state: transitions.apply(state, given, jitter=jitter, provider="v", peers=3))
        after = self.state.accounts[name]
        if verdict is Verdict.SERVED:
            assert (after.throttles, after.breaks) == (0, 0)
            assert hindrance(after, family, self.now) is None
        if verdict in (Verdict.REFUSED, Verdict.CUT):
            assert after == evolve(before, last_used=self.now)
        refusing = [one.resets_at for one in windows if one.rejects(one.scope, self.now)]
        if verdict is Verdict.LIMITED and refusing:
            until = max(cooling.until for cooling in after.cooldowns.values())
            assert until > max(end for end in refusing if end is not None)

    @rule(name=st.sampled_from(NAMES), used=st.floats(0, 1.2))
    def usage_read(self, name: str, used: float) -> None:
        news = [evolve(window("5h", used, seen_at=self.now), resets_at=self.now + HOUR)]
        self.change(lambda state: transitions.learned(state, name, news))

    @rule(name=st.sampled_from(NAMES))
    def clear(self, name: str) -> None:
        self.change(lambda state: transitions.cleared(state, name))
        assert hindrance(self.state.accounts[name], OPUS, self.now) is None

    @rule(seconds=st.floats(0, 2 * HOUR))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.change(lambda state: transitions.expired(state, self.now))

    @rule(days=st.floats(-5, 5))
    def clock_jumps(self, days: float) -> None:
        self.now += days * DAY
        self.change(lambda state: transitions.expired(state, self.now))

    @invariant()
    def no_cooldown_exceeds_its_maximum(self) -> None:
        most = {
            Verdict.THROTTLED: 300.0,
            Verdict.OVERLOADED: 30.0,
            Verdict.UNAUTHORIZED: 3600.0,
            Verdict.FORBIDDEN: 1800.0,
            Verdict.BROKEN: 120.0,
            Verdict.UNREACHABLE: 120.0,
            Verdict.TIMED_OUT: 120.0,
            Verdict.LIMITED: LONGEST,
        }
        for account in self.state.accounts.values():
            for cooling in account.cooldowns.values():
                assert cooling.cause is not None
                assert cooling.until - self.now <= most[cooling.cause] + 1e-3

    @invariant()
    def every_account_comes_back_by_itself(self) -> None:
        later = self.now + LONGEST + 120
        state = transitions.expired(self.state, later)
        assert statuses(state, later) == [Status.AVAILABLE] * len(NAMES)
        assert next_deadline(state) is None


TestPoolMachine = PoolMachine.TestCase
TestPoolMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(Verdict), st.floats(0, 120)), max_size=20))
def test_a_success_always_makes_an_account_usable(answers: list[tuple[str, Verdict, float]]) -> None:
    """Whatever went before, an account that serves is a candidate for what it served."""
    state, now = pool_state(*NAMES), T0
    for name, verdict, later in answers:
        now += later
        state = apply(state, name, verdict, now, peers=3)
    for name in NAMES:
        state = apply(state, name, Verdict.SERVED, now, peers=3)
        assert hindrance(state.accounts[name], OPUS, now) is None
