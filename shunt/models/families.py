"""Names of models: what is left without dates and decoration, and the family that limits are kept by.

One model has many names: `claude-sonnet-4-5`, `claude-sonnet-4-5-20250929`, `claude-sonnet-4-5@20250929`,
`anthropic/claude-sonnet-4.5`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-sonnet-4-5[1m]`.
"""

from __future__ import annotations

import re
from typing import Final

FAMILIES: Final = ("fable", "mythos", "opus", "sonnet", "haiku")
"""Families of Claude models. Limits that Anthropic keeps per model are kept per family."""
LONGEST: Final = 100
"""Characters of a model name that are looked at."""

_CLAUDE: Final = re.compile(r"claude-[a-z0-9.-]+")
_DECORATION: Final = re.compile(
    r"""
    (?: [-@] (?: [0-9]{8} | latest ) )?     # a snapshot's date
    (?: -v [0-9]+ (?: : [0-9]+ )? )?        # Bedrock's revision
    (?: \[ [^\]]* \] )?                     # Claude Code's context mode
    $
    """,
    re.VERBOSE,
)
_OPENAI: Final = re.compile(r"(?:gpt-[3-9]|chatgpt-|codex-|o[1-9](?:-|$)|text-embedding-)")
_DOTTED: Final = re.compile(r"(?<=[0-9])\.(?=[0-9])")
_WORD: Final = re.compile(r"[a-z]+")


def plain_name(model: str) -> str:
    """The name without vendor prefix, date, revision and context mode, in lower case."""
    name = model.strip().lower()[:LONGEST]
    claude = _CLAUDE.search(name)
    if claude is not None:
        name = _DOTTED.sub("-", name[claude.start() :])
    return _DECORATION.sub("", name, count=1)


def family_of(model: str) -> str:
    """Key of the limits that this model's requests count for.

    For Claude models the family (`opus`); for any other model its own plain name, so that trouble
    with one does not bench another; empty (all models) when none is named.
    """
    name = plain_name(model)
    words = _WORD.findall(name)
    family = next((known for known in FAMILIES if known in words), "")
    # `opus` alone is an alias of Claude Code; `gpt-sonnet-tune` is nobody's Claude.
    if family and ("claude" in words or len(words) == 1):
        return family
    return name


def maker_of(model: str) -> str:
    """Who makes a model, where its name says so plainly: `anthropic`, `openai`, or nothing.

    `gpt-oss` and names with a provider's prefix say nothing: anybody may serve those.
    """
    name = model.strip().lower()[:LONGEST]
    if name.startswith("claude-") or name in FAMILIES:
        return "anthropic"
    return "openai" if _OPENAI.match(name) else ""
