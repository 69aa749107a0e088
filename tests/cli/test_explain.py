"""`shunt explain`: reasons, for people."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from shunt.accounts.state import AttemptNote
from shunt.cli.explain import present_view, trace_view
from shunt.gateway.trace import Phase
from shunt.routing.explain import Considered, Decision, Fact
from shunt.telemetry.documents import of_decision, of_request, of_trace
from tests.cli.desk import Desk
from tests.cli.pasts import remember
from tests.cli.scripted_control import scripted_control
from tests.cli.test_past_views import shown
from tests.fakes.pools import T0
from tests.fakes.records import record, request_id

DECISION = Decision(
    T0,
    "b",
    "strategy maximus",
    retry_at=None,
    borrowed=False,
    candidates=(
        Considered(
            "a",
            chosen=False,
            refusal="has a spent window",
            fact=Fact("window", "5h window rejected, 100% used", "header", T0 - 12, T0 + 3600),
        ),
        Considered("b", chosen=True, score=(-0.0, 0.5)),
        Considered("c", chosen=False, score=(-0.0, 0.25)),
    ),
)


def traced(**fields: Any) -> dict[str, Any]:
    told = record(
        1, attempts=(AttemptNote("a", "limited", "x: rejected"), AttemptNote("b", "served", "")), **fields
    )
    marks = [(Phase.CHOSEN, T0 + 1.5, "b")]
    error = {"kind": "upstream", "message": "it broke", "cure": "try again"}
    return of_trace(of_request(told), marks, [of_decision(DECISION)], [(2.0, 12.0)], error)


def test_a_trace_in_words() -> None:
    """Who was considered, by what refused and how that is known; tries, silences, the cure."""
    text = shown(trace_view(traced(moved_from="a", rebilled=5000), T0))
    assert "decision 1: b (strategy maximus)" in text
    assert "a has a spent window: 5h window rejected, 100% used, told by a header 12 s before" in text
    assert "→ b  score -0, 0.5" in text
    assert "try 1: a limited: x: rejected" in text
    assert "5,000 tokens were paid for again" in text
    assert "silent for 12 s after 2.0 s" in text
    assert "→ try again" in text


def test_the_present_in_words() -> None:
    """Where the next request would go, or that it would wait."""
    text = shown(present_view({"now": of_decision(DECISION), "last": traced()}, T0))
    assert text.startswith("A new request would go to b (strategy maximus).")
    assert "The last one:" in text
    nobody = of_decision(evolve(DECISION, account="", why="no account can serve this now"))
    assert "would have to wait" in shown(present_view({"now": nobody, "last": None}, T0))


def test_the_command_asks_the_server_or_its_file(desk: Desk) -> None:
    """The beginning of an id is enough."""
    answers = {
        "GET /explain": (200, {"now": of_decision(DECISION), "last": None}),
        "GET /explain/req_1": (200, traced()),
    }
    with scripted_control(answers) as server:
        desk.serve(server)
        assert "would go to b" in desk.run("explain").stdout
        assert desk.document("explain", "req_1")["decisions"][0]["why"] == "strategy maximus"
    remember(desk, [record(1)])
    assert desk.run("explain").exit_code == 3
    result = desk.run("explain", request_id(1))
    assert result.exit_code == 0
    assert "decision 1: b" in result.stdout
    result = desk.run("explain", "req_none")
    assert result.exit_code == 1
    assert "no request" in result.stderr
