"""Counts since the program started: plain numbers that a finished request adds to.

They are counted here and not in a metrics library, so that a program whose metrics nobody reads never
imports one. Everything a client can choose freely (models, its own names) is bounded before it becomes
a key.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Final

from attrs import define, field

from shunt.accounts.state import RequestRecord
from shunt.models.families import FAMILIES, family_of, plain_name
from shunt.models.prices import PRICES

BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds in seconds. An agent's answer takes from half a second to ten minutes."""
OTHER: Final = "other"
"""In place of models that no price list knows: clients may ask for anything."""
MOST_KEYS: Final = 2_000
"""Combinations of labels; far above what accounts, models and statuses make."""

DIRECTIONS: Final = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")


@define
class Histogram:
    """How many values fell into each bucket."""

    counts: list[int] = field(factory=lambda: [0] * (len(BUCKETS) + 1))
    """One more than there are bounds: the last is above all of them."""
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one value."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


@define(eq=False)
class Tallies:
    """Everything that is counted."""

    requests: Counter[tuple[str, str, int, str]] = field(factory=Counter)
    """By account, model, status and outcome."""
    attempts: Counter[tuple[str, str]] = field(factory=Counter)
    """By account and verdict."""
    tokens: Counter[tuple[str, str, str]] = field(factory=Counter)
    """By account, model and direction."""
    cost: dict[tuple[str, str, bool], float] = field(factory=dict)
    """US dollars by account, model and whether they were really paid."""
    moves: int = 0
    rebilled: int = 0
    errors: int = 0
    finished: int = 0
    stalls: int = 0
    bytes: int = 0
    duration: dict[str, Histogram] = field(factory=dict)
    """By account."""
    first_byte: dict[str, Histogram] = field(factory=dict)
    _models: dict[str, str] = field(factory=dict)

    def count(self, record: RequestRecord, stalls: int = 0, size: int = 0) -> None:
        """Add one finished request."""
        account, model = record.account, self.model(record.served_model or record.model)
        self.finished += 1
        self.errors += record.is_error
        self.stalls += stalls
        self.bytes += size
        self.requests[account, model, record.status, record.outcome] += 1
        for note in record.attempts:
            self.attempts[note.account, str(note.verdict)] += 1
        usage = record.usage
        if usage.prompt or usage.output:
            for direction in DIRECTIONS:
                if amount := getattr(usage, direction):
                    self.tokens[account, model, direction] += amount
        if record.cost_usd:
            key = (account, model, record.metered)
            self.cost[key] = self.cost.get(key, 0.0) + record.cost_usd
        if record.moved_from:
            self.moves += 1
            self.rebilled += record.rebilled
        _histogram(self.duration, account).add(record.duration_ms / 1000)
        if record.first_byte_ms is not None:
            _histogram(self.first_byte, account).add(record.first_byte_ms / 1000)

    def model(self, name: str) -> str:
        """A model's name as a label."""
        label = self._models.get(name)
        if label is None:
            if len(self._models) > MOST_KEYS:
                self._models.clear()
            label = self._models[name] = _label(name)
        return label

    @property
    def tokens_by_direction(self) -> dict[str, int]:
        """All tokens."""
        totals = dict.fromkeys(DIRECTIONS, 0)
        for (_, _, direction), amount in self.tokens.items():
            totals[direction] += amount
        return totals


def _label(name: str) -> str:
    plain = plain_name(name)
    if plain in PRICES.tariffs:
        return plain
    family = family_of(name)
    return family if family in FAMILIES else OTHER if name else ""


def _histogram(known: dict[str, Histogram], key: str) -> Histogram:
    found = known.get(key)
    if found is None:
        found = known[key] = Histogram()
    return found
