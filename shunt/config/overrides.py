"""What the environment sets: `SHUNT_<SECTION>_<KEY>` for every key of every one-off section.

An empty variable counts as not set. `SHUNT_<SECTION>_<KEY>_FILE` names a file that holds a secret; the
caller reads such files first (`secret_files` says which), for nothing here touches a disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from shunt.config.misread import Misread
from shunt.config.spelling import hint
from shunt.config.types import LISTS, MODELS, TABLES, keys_of

PREFIX: Final = "SHUNT_"

SHORT: Final[Mapping[str, tuple[str, str]]] = {
    "SHUNT_HOST": ("server", "host"),
    "SHUNT_PORT": ("server", "port"),
    "SHUNT_ANTHROPIC_URL": ("endpoints", "anthropic_url"),
    "SHUNT_OPENAI_URL": ("endpoints", "openai_url"),
    "SHUNT_CHATGPT_URL": ("endpoints", "chatgpt_url"),
    "SHUNT_ANTHROPIC_TOKEN_URL": ("endpoints", "anthropic_token_url"),
    "SHUNT_OPENAI_TOKEN_URL": ("endpoints", "openai_token_url"),
}
"""Variables with a shorter name than their section would give them."""


def _long_names() -> Iterator[tuple[str, tuple[str, str]]]:
    for section, kind in TABLES.items():
        for key in keys_of(kind):
            yield f"{PREFIX}{section}_{key}".upper(), (section, key)


VARIABLES: Final[Mapping[str, tuple[str, str]]] = {**dict(_long_names()), **SHORT}
"""Every variable that sets a key, and the (section, key) it sets."""

_FILES: Final = {
    f"{variable}_FILE": variable
    for variable, (section, key) in VARIABLES.items()
    if keys_of(TABLES[section])[key].reader.secret
}


@frozen
class Override:
    """One key set by the environment."""

    variable: str
    section: str
    key: str
    value: Any
    """As TOML would hold it."""


def secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables to be filled from a file: variable → path, from `…_FILE` in the environment."""
    return {variable: environ[name] for name, variable in _FILES.items() if environ.get(name)}


def overrides(environ: Mapping[str, str]) -> tuple[tuple[Override, ...], tuple[str, ...]]:
    """The keys that `environ` sets, and the problems of those that cannot be (full lines)."""
    found: dict[tuple[str, str], Override] = {}
    problems: list[str] = []
    for variable in sorted(name for name, value in environ.items() if name.startswith(PREFIX) and value):
        target = VARIABLES.get(variable)
        if target is None:
            if variable not in _FILES and (problem := _stray(variable)):
                problems.append(problem)
            continue
        section, key = target
        try:
            value = keys_of(TABLES[section])[key].reader.from_text(environ[variable])
        except Misread as complaint:
            problems.append(f"{variable}: [{section}] {key}: {complaint}")
            continue
        other = found.get(target)
        if other is not None and other.value != value:
            problems.append(f"{variable}: contradicts {other.variable}; set only one of them")
        found[target] = Override(variable, section, key, value)
    return tuple(found.values()), tuple(problems)


def _stray(variable: str) -> str | None:
    """What is wrong with a variable that names a section but no key of it; others are not ours."""
    for section in TABLES:
        if variable.startswith(f"{PREFIX}{section}_".upper()):
            known = [name for name, target in VARIABLES.items() if target[0] == section]
            return f"{variable}: sets no key of [{section}]{hint(variable, known)}"
    for section in (*LISTS, MODELS):
        if variable.startswith(f"{PREFIX}{section}_".upper()):
            return f"{variable}: [{section}] is set in config.toml only"
    return None
