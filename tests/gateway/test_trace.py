"""Phases and decisions of one request: bounded, explained when somebody asks."""

from __future__ import annotations

from shunt.gateway.trace import MOST_DECISIONS, MOST_MARKS, Phase, Trace
from shunt.routing.choose import choose
from tests.fakes.pools import T0, demand, known, view, window


def decided(trace: Trace, count: int = 1) -> None:
    picture = view(known("a", window("5h", 1.0, rejected=True)), "b")
    wish = demand(picture)
    for number in range(count):
        choice = choose(picture, wish, frozenset(), T0 + number)
        trace.decided(choice, picture.state, wish.families, T0 + number)


def test_a_decision_marks_its_account_and_tells_why() -> None:
    """The short reason is there at once, the rest when asked for."""
    trace = Trace()
    assert trace.phase is Phase.ARRIVED
    decided(trace)
    assert (trace.phase, trace.marks[-1][2], trace.why) == (Phase.CHOSEN, "b", "strategy maximus")
    (told,) = trace.decisions
    assert (told.account, [one.account for one in told.candidates]) == ("b", ["a", "b"])


def test_everything_is_bounded() -> None:
    """A request that waits for days keeps its first and its last decisions."""
    trace = Trace()
    decided(trace, 1000)
    told = trace.decisions
    assert len(told) == MOST_DECISIONS
    assert (told[0].at, told[-1].at) == (T0, T0 + 999)
    assert len(trace.marks) == MOST_MARKS


def test_what_told_decisions_were_made_from_is_let_go_of() -> None:
    """Only the words stay."""
    trace = Trace()
    decided(trace, 2)
    trace.settle(b"[]")
    assert (trace.told, trace._noted, trace.decisions) == (b"[]", [], ())
    assert trace.why == "strategy maximus"
