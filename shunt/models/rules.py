"""What a model takes and refuses, where models of one vendor differ. Data, looked up by name.

Facts about models live in `rules.toml`, one table per group of globs, the first that matches wins within
its vendor; an unknown model gets the rules of the vendor's newest.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from attrs import evolve, field, frozen

from shunt.inference.request import Effort
from shunt.models.catalogue import model_named
from shunt.models.families import plain_name


def _efforts(names: Iterable[str]) -> tuple[Effort, ...]:
    return tuple(Effort(name) for name in names)


@frozen
class ModelRules:
    """Limits of one model."""

    efforts: tuple[Effort, ...] = field(default=(), converter=_efforts)
    """Steps of effort it has, weakest first; empty when it does not reason by effort.

    OpenAI: holds `none` where reasoning can be switched off. Anthropic never lists it: see `thinking_off`.
    """
    adaptive_thinking: bool = False
    """Anthropic: takes `thinking: adaptive` with `output_config.effort`."""
    budget_thinking: bool = False
    """Anthropic: takes `thinking: enabled` with `budget_tokens`."""
    thinking_off: str = "disabled"
    """Anthropic: type of `thinking` that asks for as little as possible; empty when it is always on."""
    forced_choice: bool = True
    """Whether a tool choice may be forced at all."""
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
    parallel_tools: bool = True
    """OpenAI: takes `parallel_tool_calls`; models that do not, call one tool at a time anyway."""
    custom_tools: bool = False
    """OpenAI: takes tools whose input is free text."""
    verbosity: bool = False
    """OpenAI: takes `verbosity`."""
    images: bool = True
    max_output: int = 0
    """Largest output it may be asked for; 0 when unknown."""
    context: int = 0
    """Tokens of context; 0 when unknown."""


@frozen
class RuleTable:
    """The rules of one group of models."""

    vendor: str
    """`anthropic` or `openai`."""
    models: tuple[str, ...]
    """Globs over plain names."""
    rules: ModelRules

    def holds_for(self, name: str) -> bool:
        """Whether a plain name is of this group."""
        return any(fnmatchcase(name, glob) for glob in self.models)


PERMISSIVE: Final = ModelRules(
    efforts=(Effort.NONE, Effort.LOW, Effort.MEDIUM, Effort.HIGH),
    budget_thinking=True,
)
"""For servers that are like one of the vendors, and models of which nothing is known.

These four efforts are what such servers have in common; they ignore what they do not know.
"""

_DATED: Final = re.compile(r"-20\d\d-\d\d-\d\d$")
_TUNED: Final = re.compile(r"^ft:([^:]+)")


def read_rules(text: str) -> tuple[RuleTable, ...]:
    """Read a file of rules. Raises KeyError, TypeError or ValueError when it is not one."""
    return tuple(
        RuleTable(entry.pop("vendor"), tuple(entry.pop("models")), ModelRules(**entry))
        for entry in _entries(text)
    )


@lru_cache(maxsize=256)
def rules_for(model: str, vendor: str) -> ModelRules:
    """The rules of a model under any of its names.

    `vendor` is a provider family: `anthropic`, `openai`, `codex` (OpenAI's models behind a ChatGPT login)
    or `compatible`: a server that may serve a well-known model, but knows fewer words for it.
    """
    name = _name(model)
    if vendor == "compatible":
        return _compatible(name)
    tables = _BY_VENDOR["anthropic" if vendor == "anthropic" else "openai"]
    table = next((table for table in tables if table.holds_for(name)), tables[0])
    return _sized(table.rules, name)


def sizes_of(model: str) -> tuple[int, int]:
    """(Tokens of context, most tokens of an answer) of a model; zeros for one that is not known."""
    name = _name(model)
    table = next((table for table in RULES if table.holds_for(name)), None)
    if table is None:
        return 0, 0
    rules = _sized(table.rules, name)
    return rules.context, rules.max_output


def _compatible(name: str) -> ModelRules:
    table = next((table for table in RULES if table.holds_for(name)), None)
    if table is None:
        return PERMISSIVE
    rules = _sized(table.rules, name)
    if table.vendor == "anthropic":
        return rules
    # `max_completion_tokens` is sent only where the model refuses the name that every server knows.
    return evolve(rules, developer_role=False, custom_tools=False, completion_tokens=not rules.sampling)


def _sized(rules: ModelRules, name: str) -> ModelRules:
    known = model_named(name)
    return evolve(rules, max_output=known.output, context=known.context) if known else rules


def _name(model: str) -> str:
    """The plain name without a gateway's prefix (`openai/`) or a fine-tune's (`ft:`)."""
    name = plain_name(model).rpartition("/")[2]
    if tuned := _TUNED.match(name):
        name = tuned[1]
    return _DATED.sub("", name)


def _entries(text: str) -> list[dict[str, Any]]:
    return list(tomllib.loads(text)["rules"])


RULES: Final = read_rules((files("shunt.models") / "rules.toml").read_text(encoding="utf-8"))
"""All tables, in the order of the file."""

_BY_VENDOR: Final = {
    vendor: tuple(table for table in RULES if table.vendor == vendor) for vendor in ("anthropic", "openai")
}
