"""How hard to think: in steps, in tokens, and on models that have other steps.

The table is chosen so that effort → budget → effort gives the same step again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shunt.inference.request import Effort, Reasoning

LEAST_BUDGET: Final = 1024
"""Smallest `budget_tokens` that Anthropic takes."""

_BUDGETS: Final = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 2048,
    Effort.MEDIUM: 8192,
    Effort.HIGH: 16384,
    Effort.XHIGH: 32768,
    Effort.MAX: 60000,
}
_STEPS: Final = tuple(Effort)


def budget_of(effort: Effort) -> int:
    """Thinking tokens that stand for a step; 0 for none."""
    return _BUDGETS.get(effort, 0)


def effort_of(budget: int) -> Effort:
    """The step that a thinking budget stands for.

    `minimal` never comes out of it: 1024 is also the least that can be asked for, and means little
    thinking, not almost none.
    """
    for effort in (Effort.LOW, Effort.MEDIUM, Effort.HIGH, Effort.XHIGH):
        if budget <= _BUDGETS[effort]:
            return effort
    return Effort.MAX


def wanted(reasoning: Reasoning) -> Effort | None:
    """The step a client asks for, in whichever words; None leaves it to the model.

    Thinking that adapts by itself asks for no step.
    """
    if reasoning.effort is not None:
        return reasoning.effort
    return effort_of(reasoning.budget) if reasoning.budget is not None else None


def clamped(effort: Effort, ladder: Sequence[Effort]) -> Effort | None:
    """The step of a model's ladder that comes closest: the next lower one, else its lowest.

    None when the ladder is empty: the model does not think by effort. `none` asks for the weakest
    step there is.
    """
    below = [step for step in ladder if _STEPS.index(step) <= _STEPS.index(effort)]
    # Whoever wants some thinking is not served by switching it off.
    some = below if effort is Effort.NONE else [step for step in below if step is not Effort.NONE]
    if some:
        return max(some, key=_STEPS.index)
    rest = [step for step in ladder if effort is Effort.NONE or step is not Effort.NONE]
    return min(rest, key=_STEPS.index) if rest else None


def fitted_budget(budget: int, max_output: int) -> tuple[int, int]:
    """A thinking budget and an output limit that go together, in tokens.

    The limit counts thinking too, so the budget gives way; only a limit too small for any thinking is
    raised, by the least budget there is.
    """
    room = max_output - LEAST_BUDGET
    if room >= LEAST_BUDGET:
        return min(max(budget, LEAST_BUDGET), room), max_output
    return LEAST_BUDGET, max_output + LEAST_BUDGET
