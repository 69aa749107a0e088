"""Thinking, for the models as they differ."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import Message, Role, Seal, SealForm, Text, Thinking, ToolCall, ToolResult
from shunt.inference.request import Effort, Reasoning
from shunt.models.rules import ModelRules
from shunt.protocols.anthropic_messages.thinking import Plan, is_resumed, plan

STEPS = ("low", "medium", "high", "xhigh", "max")
NEWEST = ModelRules(efforts=STEPS, adaptive_thinking=True, thinking_off="")
NEW = ModelRules(efforts=STEPS, adaptive_thinking=True, forced_choice_with_thinking=False)
BETWEEN = ModelRules(efforts=STEPS, adaptive_thinking=True, thinking_off="between_tools")
BOTH = ModelRules(
    efforts=("low", "high"), adaptive_thinking=True, budget_thinking=True, forced_choice_with_thinking=False
)
OLD = ModelRules(budget_thinking=True, forced_choice_with_thinking=False)
NONE = ModelRules()
ADAPTIVE = {"type": "adaptive"}
OFF = {"type": "disabled"}
HIGH = Reasoning(Effort.HIGH)


@pytest.mark.parametrize(
    ("rules", "reasoning", "expected"),
    [
        (NEW, Reasoning(), Plan(9000)),
        (NEW, Reasoning(adaptive=True), Plan(9000, ADAPTIVE)),
        (NEW, HIGH, Plan(9000, ADAPTIVE, "high")),
        (NEW, Reasoning(Effort.MINIMAL), Plan(9000, ADAPTIVE, "low")),
        (NEW, Reasoning(budget=8192), Plan(9000, ADAPTIVE, "medium")),
        (NEW, Reasoning(Effort.NONE), Plan(9000, OFF)),
        (BOTH, Reasoning(Effort.MAX), Plan(9000, ADAPTIVE, "high")),
        (NEWEST, Reasoning(Effort.NONE), Plan(9000, None, "low", lost=True)),
        (BETWEEN, Reasoning(Effort.NONE), Plan(9000, {"type": "between_tools"})),
        (NEW, Reasoning(Effort.LOW, display="omitted"), Plan(9000, ADAPTIVE | {"display": "omitted"}, "low")),
        (NEW, Reasoning(display="auto"), Plan(9000, ADAPTIVE | {"display": "summarized"})),
        (BOTH, Reasoning(adaptive=True, display="omitted"), Plan(9000, ADAPTIVE)),
        (BOTH, Reasoning(display="auto"), Plan(9000)),
        (OLD, Reasoning(), Plan(9000)),
        (OLD, Reasoning(adaptive=True), Plan(9000)),
        (OLD, Reasoning(Effort.NONE), Plan(9000, OFF)),
        (OLD, HIGH, Plan(9000, {"type": "enabled", "budget_tokens": 7976})),
        (OLD, Reasoning(budget=2000), Plan(9000, {"type": "enabled", "budget_tokens": 2000})),
        (NONE, HIGH, Plan(9000, lost=True)),
        (NONE, Reasoning(adaptive=True), Plan(9000)),
        (NONE, Reasoning(Effort.NONE), Plan(9000)),
    ],
)
def test_each_model_is_asked_in_its_own_words(
    rules: ModelRules, reasoning: Reasoning, expected: Plan
) -> None:
    """By effort, by budget, explicitly off, or not at all; what cannot be had is reported."""
    assert plan(reasoning, rules, 9000, forced=False, resumed=False) == expected


def test_a_limit_too_small_to_think_in_is_raised() -> None:
    """There is always room for an answer behind the thinking."""
    raised = plan(HIGH, OLD, 777, forced=False, resumed=False)
    assert raised == Plan(1801, {"type": "enabled", "budget_tokens": 1024})


@pytest.mark.parametrize(
    ("rules", "reasoning", "expected"),
    [
        (OLD, HIGH, Plan(9000, lost=True)),
        (OLD, Reasoning(), Plan(9000)),
        (NEW, HIGH, Plan(9000, OFF, lost=True)),
        (NEW, Reasoning(), Plan(9000, OFF)),
        (NEWEST, HIGH, Plan(9000, ADAPTIVE, "high")),
    ],
)
def test_a_forced_tool_goes_before_thinking(rules: ModelRules, reasoning: Reasoning, expected: Plan) -> None:
    """Models that cannot do both do not think; where thinking is the default it is switched off."""
    assert plan(reasoning, rules, 9000, forced=True, resumed=False) == expected


@pytest.mark.parametrize(
    ("rules", "expected"), [(OLD, Plan(9000, lost=True)), (NEW, Plan(9000, ADAPTIVE, "high"))]
)
def test_a_turn_begun_without_thinking_goes_on_without(rules: ModelRules, expected: Plan) -> None:
    """Models with a budget refuse to start thinking between a call and its answer."""
    assert plan(HIGH, rules, 9000, forced=False, resumed=True) == expected


@pytest.mark.parametrize(
    ("parts", "resumed"),
    [
        ((), False),
        ((Text("a"),), False),
        ((Text("a"), ToolCall("t", "f")), True),
        ((Thinking("", Seal("anthropic", SealForm.REDACTED, "x")), ToolCall("t", "f")), False),
    ],
)
def test_knows_a_turn_begun_without_thinking(parts: Any, resumed: bool) -> None:
    """The last assistant's message decides, whatever the user said since."""
    messages = (
        Message(Role.ASSISTANT, (ToolCall("old", "f"),))
        if not parts and resumed
        else Message(Role.USER, (Text("q"),)),
        *((Message(Role.ASSISTANT, parts),) if parts else ()),
        Message(Role.USER, (ToolResult("t"),)),
    )
    assert is_resumed(messages) is resumed


@pytest.mark.parametrize(
    ("thinking", "active"), [(None, False), (OFF, False), (ADAPTIVE, True), ({"type": "enabled"}, True)]
)
def test_active_thinking_limits_sampling(thinking: Any, active: bool) -> None:
    """Only thinking that is surely on does."""
    assert Plan(1, thinking).active is active
