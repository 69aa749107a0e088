"""aider: its .aider.conf.yml in the home folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

from shunt.connect import yaml_text
from shunt.connect.base import Client, Edit, Machine, Notation, Setting, Target, overriding, variables
from shunt.connect.places import Unreadable

NAME: Final = ".aider.conf.yml"
BASE: Final = "ANTHROPIC_API_BASE"
"""aider has no option of its own for it; its list `set-env` sets variables."""


def edits(machine: Machine, target: Target) -> tuple[Edit, ...]:
    """Addresses and keys of both vendors."""
    key = target.key.reveal()
    settings = (
        Setting(("openai-api-base",), target.versioned),
        Setting(("openai-api-key",), key),
        Setting(("anthropic-api-key",), key),
        Setting(("set-env", BASE), target.url),
    )
    return (Edit(machine.home / NAME, Notation.YAML, settings),)


def conflicts(machine: Machine, target: Target) -> Iterator[str]:
    """Variables and files of a project win over the home folder's."""
    wins = "aider prefers it to its file; unset it"
    names = ("AIDER_OPENAI_API_BASE", "AIDER_OPENAI_API_KEY", "AIDER_ANTHROPIC_API_KEY", "AIDER_SET_ENV")
    yield from overriding(machine, names, wins)
    for file in _projects(machine):
        settings = _read(file)
        for name, meant in (("openai-api-base", target.versioned), ("set-env", None)):
            if name in settings and settings[name] != meant:
                yield f"{file} sets {name}, which wins over {machine.home / NAME}: take it out"


def _projects(machine: Machine) -> Iterator[File]:
    """Files of the git root and of the folder aider is started in; the last one wins."""
    for place in (machine.folder, *machine.folder.parents):
        if place == machine.home:
            return
        if place == machine.folder or (place / ".git").exists():
            yield place / NAME
        if (place / ".git").exists():
            return


def _read(file: File) -> Mapping[str, Any]:
    try:
        found = yaml_text.document(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, Unreadable):
        return {}
    return found if isinstance(found, dict) else {}


def environment(target: Target) -> Mapping[str, str | None]:
    """One run of it: variables win over its files."""
    key = target.key.reveal()
    return {
        **variables(target),
        BASE: target.url,
        "AIDER_OPENAI_API_BASE": target.versioned,
        "AIDER_OPENAI_API_KEY": key,
        "AIDER_ANTHROPIC_API_KEY": key,
    }


AIDER: Final = Client("aider", "aider", edits, conflicts, programs=("aider",), environment=environment)
