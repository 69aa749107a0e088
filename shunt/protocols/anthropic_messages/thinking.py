"""How hard a model is asked to think, in the words that this very model takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen

from shunt.inference.content import Message, Role, Thinking, ToolCall
from shunt.inference.effort import budget_of, clamped, fitted_budget, wanted
from shunt.inference.request import Effort, Reasoning
from shunt.models.rules import ModelRules

_SHOWN: Final = {"auto": "summarized", "concise": "summarized", "detailed": "summarized"}
"""OpenAI's wishes for a summary; the vendor knows `summarized` and `omitted`."""


@frozen
class Plan:
    """The fields of a request that have to do with thinking."""

    max_tokens: int
    thinking: dict[str, Any] | None = None
    effort: str = ""
    """For `output_config.effort`; empty leaves it to the model."""
    lost: bool = False
    """The client's wish could not be met."""

    @property
    def active(self) -> bool:
        """Whether the model will think, so that sampling is not free."""
        return self.thinking is not None and self.thinking["type"] in ("enabled", "adaptive")


def plan(reasoning: Reasoning, rules: ModelRules, max_tokens: int, *, forced: bool, resumed: bool) -> Plan:
    """Thinking for one request.

    `forced`: a tool has to be used, which some models do only without thinking. `resumed`: the turn goes
    on after a call that was made without thinking, which models with a budget refuse to continue with it.
    """
    effort = wanted(reasoning)
    silent = effort is None and not reasoning.adaptive and not _display(reasoning, rules)
    if effort is Effort.NONE:
        return _off(rules, max_tokens)
    if forced and not rules.forced_choice_with_thinking:
        # To say nothing would leave it on where thinking is the default.
        off = _off(rules, max_tokens) if rules.adaptive_thinking else Plan(max_tokens)
        return off if silent else Plan(max_tokens, off.thinking, off.effort, lost=True)
    if silent:
        return Plan(max_tokens)
    if rules.adaptive_thinking:
        step = clamped(effort, rules.efforts) if effort is not None else None
        return Plan(max_tokens, {"type": "adaptive"} | _display(reasoning, rules), step or "")
    if not rules.budget_thinking:
        return Plan(max_tokens, lost=effort is not None)
    if effort is None:
        return Plan(max_tokens)
    if resumed:
        return Plan(max_tokens, lost=True)
    budget, max_tokens = fitted_budget(reasoning.budget or budget_of(effort), max_tokens)
    return Plan(max_tokens, {"type": "enabled", "budget_tokens": budget})


def is_resumed(messages: Sequence[Message]) -> bool:
    """Whether the last assistant's turn made calls without having thought first."""
    last = next((m for m in reversed(messages) if m.role is Role.ASSISTANT), None)
    if last is None or not any(isinstance(part, ToolCall) for part in last.parts):
        return False
    return not isinstance(last.parts[0], Thinking)


def _off(rules: ModelRules, max_tokens: int) -> Plan:
    """As little thinking as the model can be asked for."""
    if not rules.adaptive_thinking and not rules.budget_thinking:
        return Plan(max_tokens)
    if rules.thinking_off:
        return Plan(max_tokens, {"type": rules.thinking_off})
    return Plan(max_tokens, None, rules.efforts[0] if rules.efforts else "", lost=True)


def _display(reasoning: Reasoning, rules: ModelRules) -> dict[str, str]:
    """Models that take a budget too are older than the field, and always show their thinking."""
    shown = _SHOWN.get(reasoning.display, reasoning.display)
    return {"display": shown} if shown and not rules.budget_thinking else {}
