"""Requests and decisions as JSON."""

from __future__ import annotations

from shunt.gateway.trace import Phase
from shunt.routing.explain import Considered, Decision, Fact
from shunt.telemetry.documents import of_decision, of_request, of_trace
from shunt.wire import json
from tests.fakes.pools import T0
from tests.fakes.records import record


def test_a_request_has_its_figures_once() -> None:
    """Empty names are null; both kinds of cache writing, and their sum."""
    told = of_request(record(1, account="", client="laptop", metered=True))
    assert (told["account"], told["client"], told["moved_from"]) == (None, "laptop", None)
    assert (told["input_tokens"], told["cache_read_tokens"]) == (10, 100)
    assert (told["cache_write_tokens"], told["cache_write_5m_tokens"]) == (20, 20)
    assert told["ts_ms"] == round((T0 + 1) * 1000)
    json.encode(told)


def test_a_trace_counts_from_the_arrival() -> None:
    """Phases in milliseconds, decisions with everything considered."""
    fact = Fact("window", "5h window rejected", "header", T0 - 5, T0 + 60)
    decision = Decision(
        T0,
        "b",
        "strategy maximus",
        retry_at=None,
        borrowed=False,
        candidates=(
            Considered("a", chosen=False, refusal="has a spent window", fact=fact),
            Considered("b", True, (1.0,)),
        ),
    )
    told = json.value(
        json.encode(
            of_trace(
                of_request(record(0)),
                [(Phase.CHOSEN, T0 + 0.25, "b")],
                [of_decision(decision)],
                [(1.0, 12.34)],
                {"kind": "x"},
            )
        )
    )
    assert told["phases"] == [{"phase": "chosen", "at_ms": 250, "account": "b"}]
    assert told["stalls"] == [{"at_ms": 1000, "seconds": 12.3}]
    a, b = told["decisions"][0]["candidates"]
    assert a["fact"]["seen_at"] == T0 - 5
    assert (b["chosen"], b["fact"], b["score"]) == (True, None, [1.0])
    assert set(told["decisions"][0]) == {"at", "account", "why", "retry_at", "borrowed", "candidates"}
    assert set(a) == {"account", "chosen", "score", "refusal", "detail", "back_at", "fact"}
    assert set(a["fact"]) == {"kind", "what", "source", "seen_at", "until"}
