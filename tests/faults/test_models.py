"""Pool, router, cooldowns and waiting room under any order of events, against models that are simpler."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shunt.accounts.outcomes import Outcome, Verdict
from shunt.accounts.state import Custody
from shunt.gateway.hold import Admission, Claim, admissions, is_proven, worth_waiting
from shunt.pool import AccountPool
from shunt.routing.last_resort import last_resort
from tests.gateway.rooms import T0, account, demand, limited, pool_of, served

pytestmark = pytest.mark.quick
NAMES = ("coral", "reef", "lagoon")
DAY = 86_400.0
LONGEST = 32 * DAY
"""No account may be out for longer by itself: the longest windows are a month's."""
names = st.sampled_from(NAMES)
odd_moments = st.sampled_from(
    [-1e300, -1.0, 0.0, 1.0, 59.0, 3600.0, 5 * 3600.0, 7 * DAY, 400 * DAY, 4e12, 1e300]
)


class Routing(RuleBasedStateMachine):
    """An AccountPool, and what a person would know of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.pool = self._new()
        self.paused: set[str] = set()
        self.out: set[str] = set()
        """Accounts whose login is gone."""
        self.running: list[tuple[str, ExitStack]] = []

    def _new(self) -> AccountPool:
        return pool_of(*(account(name) for name in NAMES), now=lambda: self.now)

    @rule(seconds=st.one_of(st.floats(0, 10), odd_moments.filter(lambda s: abs(s) < 30 * DAY)))
    def clock(self, seconds: float) -> None:
        """Time passes, or the clock is set."""
        self.now = max(0.0, self.now + seconds)
        self.pool.tick()

    @rule(
        name=names, verdict=st.sampled_from(Verdict), until=st.none() | odd_moments, repeat=st.integers(1, 30)
    )
    def answer(self, name: str, verdict: Verdict, until: float | None, repeat: int) -> None:
        """An account answers, perhaps again and again, and may name any moment."""
        status = {Verdict.SERVED: 200, Verdict.UNAUTHORIZED: 401, Verdict.FORBIDDEN: 403}.get(verdict, 500)
        outcome = Outcome(name, verdict, self.now, status, until=until and self.now + until, reason="r")
        for _ in range(repeat):
            self.pool.record(outcome)

    @rule(name=names, until=odd_moments)
    def spend(self, name: str, until: float) -> None:
        """A window is rejected until some moment."""
        self.pool.record(limited(name, self.now, self.now + until))

    @rule(name=names)
    def serve(self, name: str) -> None:
        """An account serves."""
        self.pool.record(served(name, self.now))

    @rule(name=names)
    def pause(self, name: str) -> None:
        """Its owner takes it out."""
        self.pool.pause(name)
        self.paused.add(name)

    @rule(name=names)
    def resume(self, name: str) -> None:
        """And back in."""
        self.pool.resume(name)
        self.paused.discard(name)

    @rule(name=names, gone=st.booleans())
    def login(self, name: str, gone: bool) -> None:
        """Its login is refused, or renewed by a person."""
        self.pool.custody_changed(name, Custody.REAUTH_REQUIRED if gone else Custody.PRESENT)
        (self.out.add if gone else self.out.discard)(name)

    @rule(name=names)
    def lease(self, name: str) -> None:
        """A request begins."""
        held = ExitStack()
        held.enter_context(self.pool.lease(name))
        self.running.append((name, held))

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 99))
    def end(self, which: int) -> None:
        """A request ends."""
        self.running.pop(which % len(self.running))[1].close()

    @rule()
    def restart(self) -> None:
        """The process is killed and comes back with its last snapshot."""
        snapshot = self.pool.snapshot()
        self.running.clear()
        self.pool = self._new()
        self.pool.restore(snapshot)
        for name in NAMES:
            self.pool.custody_changed(name, Custody.REAUTH_REQUIRED if name in self.out else Custody.PRESENT)

    @rule(name=names)
    def clear(self, name: str) -> None:
        """Its owner says it is well: nothing but a pause or a lost login stands in the way then."""
        self.pool.clear(name)
        if name not in self.paused | self.out:
            wanted = evolve(demand(*NAMES), wanted=name)
            assert self.pool.consider(wanted).account == name

    @invariant()
    def only_those_who_can(self) -> None:
        """Nobody is sent to an account that is paused, without login, or cooling."""
        for tried in (frozenset[str](), frozenset({"coral"})):
            choice = self.pool.consider(demand(*NAMES), tried)
            assert {candidate.account for candidate in choice.candidates} == set(NAMES)
            chosen = choice.account or last_resort(self.pool.view(), demand(*NAMES), choice, tried, self.now)
            assert chosen not in self.paused | self.out
            if choice.account is not None:
                assert choice.account not in tried
                state = self.pool.state.accounts[choice.account]
                assert all(
                    cooldown.until <= self.now for scope, cooldown in state.cooldowns.items() if not scope
                )

    @invariant()
    def everybody_comes_back(self) -> None:
        """However absurd what a vendor said: no account is out for longer than a window can be."""
        for state in self.pool.state.accounts.values():
            for cooldown in state.cooldowns.values():
                assert cooldown.until - self.now <= LONGEST, (cooldown, self.now)

    @invariant()
    def requests_are_counted(self) -> None:
        """As many run at an account as were begun and have not ended."""
        for name in NAMES:
            count = sum(running == name for running, _ in self.running)
            assert self.pool.state.accounts[name].in_flight == count


class Waiting(RuleBasedStateMachine):
    """The line of the waiting room; a claim's answer is what the pool says."""

    def __init__(self) -> None:
        super().__init__()
        self.now = T0
        self.pool = pool_of(*(account(name) for name in NAMES), now=lambda: self.now)
        for name in NAMES:
            self.pool.record(limited(name, self.now, self.now + 600))
        self.line: list[tuple[int, float]] = []
        self.tickets = 0
        self.probes: dict[str, int] = {}

    @rule(patience=st.floats(1, 5000))
    def arrive(self, patience: float) -> None:
        """Somebody stands in line."""
        self.line.append((self.tickets, self.now + patience))
        self.tickets += 1

    @precondition(lambda self: self.line)
    @rule(which=st.integers(0, 99))
    def leave(self, which: int) -> None:
        """Somebody gives up."""
        del self.line[which % len(self.line)]

    @rule(seconds=st.floats(0, 900))
    def clock(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds
        self.pool.tick()

    @rule(name=names, good=st.booleans())
    def probe_ends(self, name: str, good: bool) -> None:
        """A probe is served, or refused again."""
        if self.probes.pop(name, None) is not None:
            answer = served(name, self.now) if good else limited(name, self.now, self.now + 600)
            self.pool.record(answer)

    @rule()
    def admit(self) -> None:
        """Let go whoever may."""
        before = [
            Claim(ticket, self.pool.consider(demand(*NAMES)), until) for ticket, until in sorted(self.line)
        ]
        called = admissions(before, self._proven, frozenset(self.probes), self.now)
        self._check(before, called)
        for admission in called:
            if admission.probe and admission.account:
                self.probes[admission.account] = admission.ticket
        gone = {admission.ticket for admission in called}
        self.line = [(ticket, until) for ticket, until in self.line if ticket not in gone]

    def _check(self, before: list[Claim], called: list[Admission]) -> None:
        admitted = admissions(before, self._proven, frozenset(self.probes), self.now)
        assert [one.ticket for one in admitted] == sorted(one.ticket for one in admitted)
        for name in NAMES:
            probes = [one for one in admitted if one.account == name and one.probe]
            assert len(probes) + (name in self.probes) <= 1, "two probes at one account"
            if not self._proven(name):
                assert all(one.probe for one in admitted if one.account == name)
        kept = {claim.ticket for claim in before} - {one.ticket for one in admitted}
        for claim in before:
            if claim.ticket in kept and claim.choice.account is None:
                assert worth_waiting(claim.choice, claim.until, self.now)
            if claim.ticket in kept and claim.choice.account is not None:
                assert not self._proven(claim.choice.account)

    def _proven(self, name: str) -> bool:
        return is_proven(self.pool.state.accounts[name])

    def teardown(self) -> None:
        """When all accounts are well, everybody's turn comes, in order."""
        self.probes.clear()
        for name in NAMES:
            self.pool.clear(name)
            self.pool.record(served(name, self.now))
        line = [
            Claim(ticket, self.pool.consider(demand(*NAMES)), self.now + 99)
            for ticket, _ in sorted(self.line)
        ]
        called = admissions(line, self._proven, frozenset(), self.now)
        assert [one.ticket for one in called] == [claim.ticket for claim in line]
        assert all(one.account for one in called)


def test_routing_keeps_its_promises() -> None:
    """In any order of answers, clocks, pauses, lost logins and restarts."""
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415 - a runner, only here

    run_state_machine_as_test(
        Routing, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )


def test_waiting_room_is_fair() -> None:
    """One probe at a time, first come first served, nobody kept who cannot be helped."""
    from hypothesis.stateful import run_state_machine_as_test  # noqa: PLC0415

    run_state_machine_as_test(
        Waiting, settings=settings(max_examples=60, stateful_step_count=30, deadline=None)
    )
