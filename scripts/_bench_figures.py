"""What was measured, how it is summed up, and whether it meets the targets. No IO.

Every figure is noted under the turn it was taken in. Ratios are made within a turn, between figures that were taken
seconds apart, and only then summed up: a machine that is slow for a minute is slow for both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

PLAIN = "CPU per plain request, ms"
LONG = "CPU per request after 60 turns (300 kB), ms"
RATE = "plain requests per second, 8 clients"
BURST = "CPU per stream of 200 events at once, ms"
IDLE = "memory when idle, MiB"
START = "start-up, s"
EVENT = "CPU per event, 50 a second on each of {} streams, µs"
FIRST = "added to the first byte at {} streams, {}, ms"
OPEN = "memory above idle with {} open streams, MiB"
AFTER = "memory above idle when they are gone, MiB"
CROWD = "share served of {} connections at once"
CROWD_TIME = "seconds for {} connections at once"
BUSY = "the load itself at {} streams, share of one core"

OWN, MANY_ACCOUNTS, FEW, MANY = (
    "shunt",
    "shunt, 50 accounts",
    "shunt, few conversations",
    "shunt, many conversations",
)


@dataclass
class Figures:
    """What was measured of one subject: by name of the figure, then by turn."""

    subject: str
    version: str
    numbers: dict[str, dict[str, float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, turn: str, value: float) -> None:
        """Note a figure."""
        self.numbers.setdefault(name, {})[turn] = value

    def all(self, name: str) -> list[float]:
        """All figures of that name."""
        return list(self.numbers.get(name, {}).values())


@dataclass(frozen=True)
class Spread:
    """Numbers, summed up."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        if self.least == self.most:
            return short(self.median)
        return f"{short(self.median)} ({short(self.least)} - {short(self.most)})"


def spread(numbers: Sequence[float]) -> Spread | None:
    """The middle of some numbers and how far they reach; None of none."""
    return Spread(statistics.median(numbers), min(numbers), max(numbers)) if numbers else None


def share(numbers: Sequence[float], part: float) -> float:
    """The number below which `part` of all lie; 0 of none."""
    ranked = sorted(numbers)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))] if ranked else 0.0


def short(number: float) -> str:
    """A number with three digits that mean something."""
    size = abs(number)
    return f"{number:.0f}" if size >= 100 else f"{number:.1f}" if size >= 10 else f"{number:.2f}"


def ratios(above: Figures | None, name: str, below: Figures | None, other: str = "") -> list[float]:
    """One figure as a multiple of another, for each turn that has both."""
    if above is None or below is None:
        return []
    mine, theirs = above.numbers.get(name, {}), below.numbers.get(other or name, {})
    return [mine[turn] / theirs[turn] for turn in mine if theirs.get(turn)]


# ── Targets ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Target:
    """What shunt wants to reach."""

    words: str
    limit: float
    found: Callable[[Mapping[str, Figures]], list[float]]
    at_least: bool = False
    """The limit is the least that is wanted, not the most."""


@dataclass(frozen=True)
class Verdict:
    """A target and what became of it."""

    target: Target
    figure: Spread | None
    """None when it was not measured."""

    @property
    def met(self) -> bool | None:
        """Whether the middle of what was measured meets it; None when nothing was."""
        if self.figure is None:
            return None
        limit = self.target.limit
        return self.figure.median >= limit if self.target.at_least else self.figure.median <= limit


def targets(streams: int = 1000, connects: int = 4000) -> tuple[Target, ...]:
    """All targets; with the sizes of the load, which a quick run makes smaller."""

    def against(peer: str, name: str, subject: str = OWN) -> Callable[[Mapping[str, Figures]], list[float]]:
        return lambda all_: ratios(all_.get(subject), name, all_.get(peer))

    def alone(name: str) -> Callable[[Mapping[str, Figures]], list[float]]:
        return lambda all_: all_[OWN].all(name) if OWN in all_ else []

    event = EVENT.format(50)
    return (
        Target("CPU of a plain request, as a share of LiteLLM's", 0.1, against("LiteLLM", PLAIN)),
        Target(
            "CPU of a plain request, as a share of better-ccflare's", 0.75, against("better-ccflare", PLAIN)
        ),
        Target("CPU of a stream of 200 events, as a share of LiteLLM's", 0.25, against("LiteLLM", BURST)),
        Target(
            "CPU of a stream of 200 events, as a share of better-ccflare's",
            0.6,
            against("better-ccflare", BURST),
        ),
        Target(
            "CPU of an event that comes alone, as a multiple of a bare relay's",
            2.0,
            against("bare sockets", event),
        ),
        Target(
            "CPU of a translated stream, as a multiple of one passed through",
            2.5,
            against(OWN, BURST, "shunt translating"),
        ),
        Target("added to the first byte at 50 streams, p50, ms", 2.0, alone(FIRST.format(50, "p50"))),
        Target("added to the first byte at 50 streams, p99, ms", 15.0, alone(FIRST.format(50, "p99"))),
        Target(f"memory above idle with {streams} open streams, MiB", 60.0, alone(OPEN.format(streams))),
        Target("memory when idle, MiB", 70.0, alone(IDLE)),
        Target("CPU of a plain request, 50 accounts to one", 1.1, against(OWN, PLAIN, MANY_ACCOUNTS)),
        Target("CPU of a plain request, many conversations to few", 1.1, against(FEW, PLAIN, MANY)),
        Target(
            f"share served of {connects} connections at once",
            1.0,
            alone(CROWD.format(connects)),
            at_least=True,
        ),
    )


def verdicts(measured: Sequence[Figures], wanted: Sequence[Target]) -> list[Verdict]:
    """What became of each target."""
    by_name = {figures.subject: figures for figures in measured}
    return [Verdict(target, spread(target.found(by_name))) for target in wanted]


# ── Words ─────────────────────────────────────────────────────────────────────────────────────────────


def verdict_table(found: Sequence[Verdict]) -> str:
    """All targets as Markdown."""
    words = {None: "not measured", True: "yes", False: "**no**"}
    lines = ["| Target | wanted | measured: median (least - most) | met |", "|---|---|---|---|"]
    for verdict in found:
        sign = "≥" if verdict.target.at_least else "≤"
        figure = verdict.figure or "-"
        lines.append(
            f"| {verdict.target.words} | {sign} {verdict.target.limit:g} | {figure} | {words[verdict.met]} |"
        )
    return "\n".join(lines) + "\n"


def figure_table(measured: Sequence[Figures]) -> str:
    """All figures as Markdown, each with its ratio to the first subject that has it."""
    lines: list[str] = []
    for name in _names(measured):
        having = [figures for figures in measured if name in figures.numbers]
        lines += [
            "",
            f"**{name}**",
            "",
            "| | median (least - most) | ratio (least - most) |",
            "|---|---|---|",
        ]
        for figures in having:
            ratio = spread(ratios(figures, name, having[0]))
            told = "1" if figures is having[0] else str(ratio or "-")
            lines.append(f"| {figures.subject} ({figures.version}) | {spread(figures.all(name))} | {told} |")
    problems = [f"- {figures.subject}: {problem}" for figures in measured for problem in figures.problems]
    return "\n".join([*lines, *(["", "Not measured:", "", *problems] if problems else [])]).strip() + "\n"


def _names(measured: Sequence[Figures]) -> Iterator[str]:
    """The names of all figures, in the order in which they were taken."""
    seen: set[str] = set()
    for figures in measured:
        for name in figures.numbers:
            if name not in seen:
                seen.add(name)
                yield name
