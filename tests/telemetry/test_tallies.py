"""Counts: everything once, labels bounded."""

from __future__ import annotations

from shunt.accounts.state import AttemptNote
from shunt.inference.usage import Usage
from shunt.telemetry.tallies import BUCKETS, MOST_KEYS, OTHER, Histogram, Tallies
from tests.fakes.records import record


def test_a_finished_request_is_counted_everywhere_once() -> None:
    """By account, model, status, verdict and direction."""
    tallies = Tallies()
    attempts = (AttemptNote("b", "limited", ""), AttemptNote("a", "served", ""))
    tallies.count(record(1, attempts=attempts, moved_from="b", rebilled=9, metered=True), 2, 300)
    tallies.count(record(2, outcome="cut", usage=Usage()), 0, 5)
    model = "claude-sonnet-5-5"
    assert tallies.requests == {("a", model, 200, "served"): 1, ("a", model, 200, "cut"): 1}
    assert tallies.attempts == {("b", "limited"): 1, ("a", "served"): 2}
    assert tallies.tokens_by_direction == {
        "input": 10,
        "cache_read": 100,
        "cache_write_5m": 20,
        "cache_write_1h": 0,
        "output": 5,
        "reasoning": 0,
    }
    assert tallies.cost == {("a", model, True): 0.25, ("a", model, False): 0.25}
    assert (tallies.finished, tallies.errors, tallies.moves, tallies.rebilled) == (2, 1, 1, 9)
    assert (tallies.stalls, tallies.bytes) == (2, 305)
    assert sum(tallies.duration["a"].counts) == sum(tallies.first_byte["a"].counts) == 2


def test_models_are_bounded_by_what_is_known() -> None:
    """Clients may ask for anything, ten thousand times."""
    tallies = Tallies()
    for number in range(MOST_KEYS + 10):
        tallies.count(record(number, model=f"my-model-{number}", served_model=""))
    tallies.count(record(0, model="claude-opus-99-20300101", served_model=""))
    tallies.count(record(0, model="", served_model=""))
    assert {model for _, model, _, _ in tallies.requests} == {OTHER, "opus", ""}


def test_a_histogram_knows_what_lies_above_its_last_bound() -> None:
    """A bound belongs to its own bucket."""
    histogram = Histogram()
    for seconds in (0.0, BUCKETS[0], BUCKETS[-1] + 1):
        histogram.add(seconds)
    assert (histogram.counts[0], histogram.counts[-1]) == (2, 1)
    assert histogram.total == BUCKETS[0] + BUCKETS[-1] + 1
