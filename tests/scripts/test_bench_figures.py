"""The statistics and verdicts of scripts/bench."""

from __future__ import annotations

import _bench_figures as names
import pytest
from _bench_figures import (
    Figures,
    Spread,
    Target,
    figure_table,
    ratios,
    share,
    short,
    spread,
    targets,
    verdict_table,
    verdicts,
)


def figures(subject: str, name: str, *numbers: float) -> Figures:
    made = Figures(subject, "1")
    for turn, number in enumerate(numbers):
        made.add(name, f"0.{turn}", number)
    return made


def test_a_spread_is_the_middle_and_both_ends() -> None:
    """One slow turn moves an end, not the middle."""
    assert spread([3.0, 1.0, 50.0]) == Spread(3.0, 1.0, 50.0)
    assert spread([]) is None


def test_a_share_is_a_number_that_was_measured() -> None:
    """p50 and p99 lie among the numbers, also when there are few of them."""
    assert share([5.0, 1.0, 3.0], 0.5) == 3.0
    assert share([float(number) for number in range(200)], 0.99) == 198.0
    assert share([7.0], 0.99) == 7.0
    assert share([], 0.5) == 0.0


@pytest.mark.parametrize(
    ("number", "told"), [(1234.5, "1234"), (12.34, "12.3"), (0.125, "0.12"), (-2.5, "-2.50")]
)
def test_numbers_are_short(number: float, told: str) -> None:
    """No table pretends to more digits than were measured."""
    assert short(number) == told


def test_ratios_are_made_within_a_turn() -> None:
    """A machine that was slow for one turn was slow for both: the ratio does not see it."""
    mine = figures("shunt", "x", 1.0, 10.0)
    theirs = figures("other", "x", 2.0, 20.0)
    assert ratios(mine, "x", theirs) == [0.5, 0.5]


def test_a_turn_that_one_side_lacks_has_no_ratio() -> None:
    """A failed turn, a figure of nothing, and a subject that is not here leave out, not up."""
    mine = figures("shunt", "x", 1.0, 10.0, 4.0)
    theirs = figures("other", "x", 2.0, 0.0)
    assert ratios(mine, "x", theirs) == [0.5]
    assert ratios(mine, "x", None) == ratios(None, "x", mine) == ratios(mine, "y", theirs) == []


def test_a_target_is_met_at_its_limit_and_not_beyond() -> None:
    """The limit itself is allowed, on either side."""

    def judged(limit: float, measured: float, *, at_least: bool = False) -> bool | None:
        target = Target("x", limit, lambda all_: all_["shunt"].all("x"), at_least=at_least)
        return verdicts([figures("shunt", "x", measured)], [target])[0].met

    assert judged(2.0, 2.0)
    assert judged(2.0, 2.1) is False
    assert judged(1.0, 1.0, at_least=True)
    assert judged(1.0, 0.99, at_least=True) is False


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    """Without any figure every target stands in the table, and none says yes or no."""
    found = verdicts([], targets())
    assert len(found) == len(targets())
    assert {verdict.met for verdict in found} == {None}
    assert verdict_table(found).count("not measured") == len(found)


def test_every_target_finds_its_figure() -> None:
    """A run in which every subject has every figure leaves no target unjudged: the names agree."""
    all_names = [names.PLAIN, names.BURST, names.IDLE, names.EVENT.format(50), names.OPEN.format(1000)]
    all_names += [names.FIRST.format(50, part) for part in ("p50", "p99")] + [names.CROWD.format(4000)]
    subjects = ("shunt", "shunt translating", "shunt, 50 accounts", "shunt, few conversations")
    measured = []
    for subject in (*subjects, "shunt, many conversations", "bare sockets", "LiteLLM", "better-ccflare"):
        made = Figures(subject, "1")
        for name in all_names:
            made.add(name, "0", 1.0)
        measured.append(made)
    assert None not in {verdict.met for verdict in verdicts(measured, targets())}


def test_the_table_tells_ratios_and_what_failed() -> None:
    """The first subject is the yardstick; problems stand below."""
    mine, theirs = figures("shunt", "cost", 1.0), figures("other", "cost", 3.0)
    theirs.problems.append("paced: broke")
    table = figure_table([mine, theirs])
    assert "**cost**" in table
    assert "| other (1) | 3.00 | 3.00 |" in table
    assert "- other: paced: broke" in table
