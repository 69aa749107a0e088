"""AccountPool: decisions and facts meet here, and everybody who waits is told."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import cattrs
import pytest
import trio
import trio.testing
from attrs import evolve

from shunt.accounts.account import Account
from shunt.accounts.credential import Identity
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import AccountState, Custody, PoolState, RequestRecord
from shunt.errors import InvalidRequest, NotFound
from shunt.inference.inbound import Outline
from shunt.inference.usage import Usage
from shunt.pool import AccountPool, Snapshot
from shunt.routing.view import Demand, Tuning
from tests.fakes.pools import DAY, HOUR, T0, account, known, outcome, pool_state, window

NONE: frozenset[str] = frozenset()


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make(
    clock: Clock, *states: AccountState | str, accounts: Iterable[Account] | None = None, **tuning: Any
) -> AccountPool:
    """A pool of these accounts, with what is known of them."""
    state = pool_state(*states)
    return AccountPool(
        accounts if accounts is not None else [account(name) for name in state.accounts],
        state=state,
        tuning=Tuning(**tuning),
        sticky_ttl=HOUR,
        now=clock,
        jitter=lambda: 0.5,
    )


def demand(pool: AccountPool, **fields: Any) -> Demand:
    return Demand(**{"model": "claude-opus-9", "families": dict.fromkeys(pool.accounts, "opus"), **fields})


def limited(pool: AccountPool, name: str, seconds: float) -> None:
    spent = window("5h", 1.0, pool._now() - T0 + seconds, rejected=True, seen_at=pool._now())
    pool.record(outcome(name, Verdict.LIMITED, pool._now(), windows=(spent,), scope="opus"))


# ── choosing ──────────────────────────────────────────────────────────────────────────────────────


def test_the_carousel_moves_with_new_conversations_only(clock: Clock) -> None:
    """Strategy's choices turn it; sticky ones and mere considering do not."""
    pool = make(clock, "a", "b", strategy="carousel")
    assert pool.consider(demand(pool)).account == "a"
    first = pool.choose(demand(pool), NONE).account
    sticky = pool.choose(demand(pool, bound="a"), NONE).account
    assert (first, sticky, pool.choose(demand(pool), NONE).account) == ("a", "a", "b")


def test_an_account_is_back_when_its_time_has_come_without_a_tick(clock: Clock) -> None:
    """No decision depends on the watcher being on time, and the return is dated to the end."""
    pool = make(clock, "a", "b")
    limited(pool, "a", 60)
    assert pool.choose(demand(pool, wanted="a"), NONE).account is None
    clock.now += 70
    assert pool.choose(demand(pool, wanted="a"), NONE).account == "a"
    assert pool.state.accounts["a"].cooled_until == pytest.approx(T0 + 60, abs=6)


def test_a_request_sees_one_picture(clock: Clock) -> None:
    """What was looked at stays as it was, whatever happens meanwhile."""
    pool = make(clock, "a", "b")
    before, choice = pool.view(), pool.consider(demand(pool))
    limited(pool, "a", HOUR)
    pool.pin("b")
    assert before.state.accounts["a"].cooldowns == {}
    assert before.state.pinned is None
    assert [candidate.refusal for candidate in choice.candidates] == [None, None]


# ── recording ─────────────────────────────────────────────────────────────────────────────────────


def test_a_recorded_cooldown_is_told_once_per_beginning(clock: Clock) -> None:
    """Whoever records learns of the cooldown it began, for a notification."""
    pool = make(clock, "a")
    began = pool.record(outcome("a", Verdict.FORBIDDEN, message="organisation disabled"))
    assert began is not None
    assert (began.until, began.cause) == (T0 + 1800, Verdict.FORBIDDEN)
    assert pool.record(outcome("a", Verdict.BROKEN)) is None  # within the longer one
    assert pool.record(outcome("a", Verdict.SERVED)) is None
    assert pool.record(outcome("gone", Verdict.BROKEN)) is None


def test_a_vendor_overloaded_as_a_whole_benches_nobody(clock: Clock) -> None:
    """Accounts of other vendors, paused and spent ones do not count when most are overloaded."""
    accounts = [account(name) for name in "abcd"] + [account("o", provider="openai")]
    pool = make(clock, "a", "b", known("c", paused=True), "d", "o", accounts=accounts)
    limited(pool, "d", HOUR)
    pool.record(outcome("a", Verdict.OVERLOADED))
    assert not pool.is_overloaded("a")
    assert pool.consider(demand(pool, wanted="a")).account is None
    pool.record(outcome("b", Verdict.OVERLOADED))
    assert pool.is_overloaded("a")
    assert not pool.is_overloaded("o")
    assert not pool.is_overloaded("gone")
    assert pool.consider(demand(pool, wanted="a")).account == "a"


def test_leases_count_running_requests(clock: Clock) -> None:
    """Also when the request fails, and when its account is removed meanwhile."""
    pool = make(clock, "a", accounts=[account("a", max_concurrent=1)])
    with pytest.raises(ValueError, match="x"), pool.lease("a"):  # noqa: PT012 - the count inside is the point
        assert pool.consider(demand(pool)).account is None
        raise ValueError("x")
    assert pool.consider(demand(pool)).account == "a"
    with pool.lease("a"):
        pool.reconfigure([account("b")], Tuning(), HOUR)
    assert pool.state.accounts["b"].in_flight == 0


def test_a_finished_request_is_accounted_for(clock: Clock) -> None:
    """With the price that its record names."""
    pool = make(clock, "a")
    for cost in (5.0, 3.0, 0.0):
        pool.finished(
            RequestRecord(
                id="req_1",
                at=T0,
                client="",
                conversation="",
                account="a",
                attempts=(),
                protocol_in="p",
                protocol_out="p",
                model="opus",
                served_model="",
                status=200,
                outcome="served",
                usage=Usage(input=100_000),
                cost_usd=cost,
            )
        )
    assert pool.state.total.cost_usd == pytest.approx(8.0)
    assert pool.state.total.requests == 3


def test_an_absurd_reset_is_warned_of_once(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The log names account, window and both moments, not for every answer."""
    pool = make(clock, "a")
    far = window("5h", 0.1, 5 * HOUR, named_reset=T0 + 9 * DAY)
    for _ in range(3):
        pool.record(outcome("a", Verdict.SERVED, windows=(far,)))
    (warning,) = [entry for entry in caplog.records if entry.levelno == logging.WARNING]
    assert "account a" in warning.getMessage()
    assert f"{T0 + 9 * DAY:.0f}" in warning.getMessage()


# ── conversations ─────────────────────────────────────────────────────────────────────────────────


def test_conversations_stick_and_move(clock: Clock) -> None:
    """Bound, renewed by each look, forgotten after the time to live."""
    pool = make(clock, "a", "b")
    conversation = pool.conversation_of(((b"x-session-id", b"s"),), Outline(), "laptop")
    pool.bind(conversation, "b", hard=True)
    pool.bind("", "b")
    pool.bind("other", "gone")
    assert (pool.bound(conversation), pool.bound("other"), pool.bound("")) == (
        ("b", True),
        ("", False),
        ("", False),
    )
    clock.now += HOUR
    assert pool.bound(conversation) == ("b", True)
    clock.now += HOUR + 1
    assert pool.bound(conversation) == ("", False)


# ── commands ──────────────────────────────────────────────────────────────────────────────────────


def test_commands_name_what_they_do_not_know(clock: Clock) -> None:
    """A misspelt account or strategy is refused with the nearest right spelling; nothing changes."""
    pool = make(clock, "main", "work")
    before = pool.state
    for command in (pool.pin, pool.pause, pool.resume, pool.clear):
        with pytest.raises(NotFound, match=r'"mian"; did you mean "main"\? \(known: main, work\)'):
            command("mian")
    with pytest.raises(InvalidRequest, match=r'"maximal"; did you mean "maximus"\?'):
        pool.set_strategy("maximal")
    assert pool.state is before


def test_commands_take_effect_and_are_taken_back(clock: Clock) -> None:
    """Pin, pause, clear and strategy change the next decision."""
    pool = make(clock, "a", "b")
    pool.pin("b")
    assert pool.consider(demand(pool)).account == "b"
    pool.pin(None)
    pool.pause("a")
    assert pool.consider(demand(pool)).account == "b"
    pool.resume("a")
    limited(pool, "a", HOUR)
    assert pool.consider(demand(pool, wanted="a")).account is None
    pool.clear("a")
    assert pool.consider(demand(pool, wanted="a")).account == "a"
    pool.set_strategy("Round-Robin")
    assert pool.state.strategy == "carousel"
    pool.set_strategy(None)
    assert pool.state.strategy is None


@pytest.mark.parametrize("name", ["gpt-5.5", None])
def test_a_model_is_put_in_place_of_others(clock: Clock, name: str | None) -> None:
    """Set or ended; a name that no model can have is refused."""
    pool = make(clock, "a")
    pool.set_model("another")
    pool.set_model(name)
    assert pool.state.model == name
    with pytest.raises(InvalidRequest):
        pool.set_model("two\nlines")


def test_news_of_custody_and_usage(clock: Clock) -> None:
    """An account without a credential is no candidate until custody has one; usage reads rank accounts."""
    pool = make(clock, known("a", custody=Custody.MISSING), "b")
    assert pool.consider(demand(pool, wanted="a")).account is None
    pool.custody_changed("a", Custody.PRESENT, Identity(email="p@example.test"))
    assert pool.consider(demand(pool)).account == "a"
    pool.learned("a", iter([window("5h", 0.9, 4 * HOUR)]))
    pool.learned("gone", [])
    assert pool.consider(demand(pool)).account == "b"


# ── time ──────────────────────────────────────────────────────────────────────────────────────────


def test_ticks_tell_who_came_back_from_far(clock: Clock) -> None:
    """Once each, short absences not, and also when a decision noticed it first."""
    pool = make(clock, "a", "b", "c")
    limited(pool, "a", HOUR)
    limited(pool, "b", HOUR)
    pool.record(outcome("c", Verdict.BROKEN))
    assert pool.next_deadline() == T0 + 15
    assert pool.tick() == ()
    clock.now += HOUR + 10
    pool.consider(demand(pool))
    assert pool.tick() == ("a", "b")
    assert pool.tick() == ()
    assert pool.next_deadline() is None


def test_a_clock_set_back_by_days_strands_nobody(clock: Clock) -> None:
    """After the next tick an account is away no longer than its cooldown was to last."""
    pool = make(clock, "a")
    limited(pool, "a", HOUR)
    clock.now -= 3 * DAY
    pool.tick()
    deadline = pool.next_deadline()
    assert deadline is not None
    assert deadline <= clock.now + HOUR + 10


# ── configuration and persistence ─────────────────────────────────────────────────────────────────


def test_a_new_configuration_keeps_what_is_known(clock: Clock) -> None:
    """Accounts that stay keep cooldowns and conversations; removed ones go; numbers count at once."""
    pool = make(clock, "a", "b")
    limited(pool, "a", HOUR)
    pool.bind("c1", "a")
    pool.bind("c2", "b")
    pool.reconfigure([account("c"), account("a")], Tuning(strategy="priority"), 10)
    assert list(pool.accounts) == list(pool.state.accounts) == ["c", "a"]
    assert pool.state.accounts["a"].cooldowns
    assert (pool.bound("c1"), pool.bound("c2")) == (("a", False), ("", False))
    clock.now += 11
    assert pool.bound("c1") == ("", False)
    assert pool.view().tuning.strategy == "priority"


def test_snapshots_survive_a_restart(clock: Clock) -> None:
    """Through JSON and back: cooldowns, pin, strategy, totals and conversations; running requests not."""
    pool = make(clock, "a", "b")
    limited(pool, "a", HOUR)
    pool.record(outcome("b", Verdict.OVERLOADED))
    pool.pin("b")
    pool.set_strategy("reaper")
    pool.bind("c", "b", hard=True)
    with pool.lease("b"):
        saved = pool.snapshot()
    snapshot = cattrs.structure(json.loads(json.dumps(cattrs.unstructure(saved))), Snapshot)
    assert snapshot == saved
    assert snapshot.state.accounts["b"].in_flight == 0

    clock.now += 60
    again = make(clock, accounts=[account("b"), account("a"), account("new")])
    again.restore(snapshot)
    assert list(again.state.accounts) == ["b", "a", "new"]
    assert again.bound("c") == ("b", True)
    assert (again.state.pinned, again.state.strategy) == ("b", "reaper")
    assert set(again.state.accounts["a"].cooldowns) == {""}
    assert again.state.accounts["b"].cooldowns == {}  # over by now
    deadline = again.next_deadline()
    assert deadline == pytest.approx(T0 + HOUR, abs=6)


def test_custodys_own_word_counts_for_more_than_a_saved_one(clock: Clock) -> None:
    """What custody said before the snapshot was read is newer."""
    pool = make(clock, accounts=[account("a"), account("b")])
    pool.custody_changed("a", Custody.REAUTH_REQUIRED, Identity(email="new@example.test"))
    pool.restore(Snapshot(pool_state(known("a", email="old@example.test"), known("b", plan="max"))))
    a, b = pool.state.accounts.values()
    assert (a.custody, a.email) == (Custody.REAUTH_REQUIRED, "new@example.test")
    assert (b.custody, b.plan) == (Custody.PRESENT, "max")


def test_accounts_that_custody_has_not_spoken_of_have_no_credential(clock: Clock) -> None:
    """A new account is no candidate before its credential is known to be there."""
    pool = make(clock, accounts=[account("a")])
    assert pool.state == PoolState({"a": AccountState("a")})
    assert pool.choose(demand(pool), NONE).account is None


# ── waiting for changes ───────────────────────────────────────────────────────────────────────────


async def test_everybody_who_waits_is_told_of_a_change(clock: Clock) -> None:
    """Any number of waiters, each once per change; the version says what they have seen."""
    pool = make(clock, "a")
    seen: list[int] = []

    async def watch() -> None:
        seen.append(await pool.changed(pool.version))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(watch)
        await trio.testing.wait_all_tasks_blocked()
        before = pool.version
        pool.pause("a")
        await trio.testing.wait_all_tasks_blocked()
    assert seen == [before + 1] * 5


async def test_a_change_that_was_missed_is_told_at_once(clock: Clock) -> None:
    """Nothing is lost between looking and waiting."""
    pool = make(clock, "a")
    since = pool.version
    pool.pause("a")
    with trio.fail_after(1):
        assert await pool.changed(since) == pool.version


async def test_waiters_can_be_told_to_look_again(clock: Clock) -> None:
    """After a jump of the clock nothing has changed but the time: they are woken all the same."""
    pool = make(clock, "a")
    limited(pool, "a", HOUR)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pool.changed, pool.version)
        await trio.testing.wait_all_tasks_blocked()
        clock.now += 2 * HOUR
        pool.wake()
    assert pool.tick() == ("a",)


async def test_a_waiter_that_leaves_disturbs_nobody(clock: Clock) -> None:
    """Cancellation while waiting leaves the others waiting, and the pool as it was."""
    pool = make(clock, "a")
    told: list[int] = []

    async def watch() -> None:
        told.append(await pool.changed(pool.version))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        with trio.CancelScope() as leaving:
            leaving.cancel()
            await pool.changed(pool.version)
        assert leaving.cancelled_caught
        await trio.testing.wait_all_tasks_blocked()
        assert told == []
        pool.pause("a")


def test_what_changes_nothing_wakes_nobody(clock: Clock) -> None:
    """Choosing and ticking without effect leave the version alone; facts and leases raise it."""
    pool = make(clock, "a", "b")
    version = pool.version
    pool.choose(demand(pool), NONE)
    pool.tick()
    pool.record(outcome("gone", Verdict.BROKEN))
    assert pool.version == version
    with pool.lease("a"):
        assert pool.version == version + 1
    pool.record(outcome("a", Verdict.SERVED))
    assert pool.version == version + 3


def test_accounts_cannot_be_changed_from_outside(clock: Clock) -> None:
    """The pool alone owns them."""
    pool = make(clock, "a")
    with pytest.raises(TypeError):
        pool.accounts["b"] = account("b")  # type: ignore[index]
    with pytest.raises(AttributeError):
        evolve(pool.state).pinned = "a"  # type: ignore[misc]
