"""What a model takes and refuses, where models of one vendor differ. Data, looked up by name.

Facts about models live in `rules.toml`, one table per glob, the first that matches wins within its
vendor; an unknown model gets the rules of the vendor's newest.
"""

from __future__ import annotations

from attrs import frozen

from shunt.inference.request import Effort


@frozen
class ModelRules:
    """Limits of one model."""

    efforts: tuple[Effort, ...] = ()
    """Steps of effort it has, weakest first; empty when it does not reason by effort."""
    adaptive_thinking: bool = False
    """Anthropic: takes `thinking: adaptive` with `output_config.effort`."""
    budget_thinking: bool = False
    """Anthropic: takes `thinking: enabled` with `budget_tokens`."""
    forced_choice_with_thinking: bool = True
    """Whether a forced tool choice may go with thinking."""
    sampling: bool = True
    """Whether temperature and top_p are accepted."""
    temperature_and_top_p: bool = True
    """Whether both may be sent at once."""
    stop: bool = True
    """Whether stop sequences are accepted."""
    prefill: bool = True
    """Whether the conversation may end with an assistant turn."""
    system_in_place: bool = False
    """Whether system messages may stand in the middle of the conversation."""
    developer_role: bool = False
    """OpenAI: takes role developer in place of system."""
    completion_tokens: bool = False
    """OpenAI Chat: the output cap is `max_completion_tokens`."""
    root_unions: bool = True
    """Whether a tool's schema may have anyOf/oneOf/allOf at its root."""
    tools_with_effort_on_chat: bool = True
    """OpenAI Chat: function tools may go with reasoning effort."""
    images: bool = True
    max_output: int = 0
    """Largest output it may be asked for; 0 when unknown."""
    context: int = 0
    """Tokens of context; 0 when unknown."""
