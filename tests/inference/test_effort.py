"""Effort in steps and tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.effort import budget_of, clamped, effort_of, fitted_budget, wanted
from shunt.inference.request import Effort, Reasoning

LADDERS = st.lists(st.sampled_from(Effort), unique=True)


@pytest.mark.parametrize("effort", [e for e in Effort if e not in (Effort.NONE, Effort.MINIMAL)])
def test_a_step_survives_its_budget(effort: Effort) -> None:
    """Effort to budget to effort is the same step."""
    assert effort_of(budget_of(effort)) is effort


@pytest.mark.parametrize(
    ("budget", "effort"),
    [
        (1024, Effort.LOW),
        (2049, Effort.MEDIUM),
        (8192, Effort.MEDIUM),
        (10_000, Effort.HIGH),
        (31_999, Effort.XHIGH),
        (32_769, Effort.MAX),
    ],
)
def test_budgets_between_the_steps(budget: int, effort: Effort) -> None:
    """A budget stands for the next higher step."""
    assert effort_of(budget) is effort


@pytest.mark.parametrize(
    ("reasoning", "effort"),
    [
        (Reasoning(), None),
        (Reasoning(adaptive=True), None),
        (Reasoning(budget=2048), Effort.LOW),
        (Reasoning(adaptive=True, effort=Effort.MAX), Effort.MAX),
        (Reasoning(budget=1024, effort=Effort.HIGH), Effort.HIGH),
    ],
)
def test_what_the_client_wants(reasoning: Reasoning, effort: Effort | None) -> None:
    """A named step wins over a budget; thinking that adapts names none."""
    assert wanted(reasoning) is effort


@pytest.mark.parametrize(
    ("effort", "ladder", "step"),
    [
        (Effort.MAX, "low medium high", Effort.HIGH),
        (Effort.XHIGH, "low medium high max", Effort.HIGH),
        (Effort.MINIMAL, "none low medium", Effort.LOW),
        (Effort.MINIMAL, "low medium", Effort.LOW),
        (Effort.NONE, "none low", Effort.NONE),
        (Effort.NONE, "minimal low", Effort.MINIMAL),
        (Effort.LOW, "none", None),
        (Effort.LOW, "", None),
    ],
)
def test_the_nearest_step_of_a_ladder(effort: Effort, ladder: str, step: Effort | None) -> None:
    """Down to the next step there is, never up unless there is none below, never off."""
    assert clamped(effort, [Effort(one) for one in ladder.split()]) is step


@given(st.sampled_from(Effort), LADDERS)
def test_a_step_of_the_ladder_is_itself(effort: Effort, ladder: list[Effort]) -> None:
    """What a model has is not changed, and nothing it has not is asked for."""
    step = clamped(effort, ladder)
    assert step in {*ladder, None}
    if effort in ladder:
        assert step is effort


@pytest.mark.parametrize(
    ("budget", "max_output", "fitted"),
    [
        (8192, 32_000, (8192, 32_000)),
        (8192, 4096, (3072, 4096)),
        (500, 4096, (1024, 4096)),
        (8192, 777, (1024, 1801)),
    ],
)
def test_a_budget_leaves_room_for_the_answer(budget: int, max_output: int, fitted: tuple[int, int]) -> None:
    """The budget gives way to the limit, down to what the vendor takes; then the limit is raised."""
    assert fitted_budget(budget, max_output) == fitted
