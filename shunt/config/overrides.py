"""What the environment sets: `SHUNT_<SECTION>_<KEY>` for every key of every one-off section.

For sections that are written once per item the item's name stands between: `SHUNT_ACCOUNTS_WORK_PROVIDER`
sets the provider of account `work`, and makes that account when config.toml has none of this name.

An empty variable counts as not set. `…_FILE` behind the name of a secret's variable names a file that
holds it; the caller reads such files first (`secret_files` says which), for nothing here touches a disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
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
    "SHUNT_ANTHROPIC_AUTHORIZE_URL": ("endpoints", "anthropic_authorize_url"),
    "SHUNT_OPENAI_AUTHORIZE_URL": ("endpoints", "openai_authorize_url"),
    "SHUNT_OPENAI_DEVICE_URL": ("endpoints", "openai_device_url"),
    "SHUNT_ANTHROPIC_REVOKE_URL": ("endpoints", "anthropic_revoke_url"),
    "SHUNT_OPENAI_REVOKE_URL": ("endpoints", "openai_revoke_url"),
}
"""Variables with a shorter name than their section would give them."""


def _long_names() -> Iterator[tuple[str, tuple[str, str]]]:
    for section, kind in TABLES.items():
        for key in keys_of(kind):
            yield f"{PREFIX}{section}_{key}".upper(), (section, key)


VARIABLES: Final[Mapping[str, tuple[str, str]]] = {**dict(_long_names()), **SHORT}
"""Every variable that sets a key, and the (section, key) it sets."""

FILE: Final = "_FILE"
"""What a secret's variable ends with when it names a file."""


@frozen
class Override:
    """One key set by the environment."""

    variable: str
    section: str
    key: str
    value: Any
    """As TOML would hold it."""
    item: str = ""
    """The account or client it belongs to, as `token` writes its name; empty in one-off sections."""

    @property
    def place(self) -> tuple[str, str]:
        """What it overrides; no two differ in nothing else."""
        return (f"{self.section} {self.item}" if self.item else self.section, self.key)


def token(name: str) -> str:
    """An item's name as a part of a variable's: `my.work` → `MY_WORK`."""
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")


def item_variable(section: str, name: str, key: str) -> str:
    """The variable that sets a key of one item."""
    return f"{PREFIX}{section}_{token(name)}_{key}".upper()


def secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables to be filled from a file: variable → path, from `…_FILE` in the environment."""
    return {
        name.removesuffix(FILE): path
        for name, path in environ.items()
        if path and name.endswith(FILE) and _is_secret(_target(name.removesuffix(FILE)))
    }


def overrides(environ: Mapping[str, str]) -> tuple[tuple[Override, ...], tuple[str, ...]]:
    """The keys that `environ` sets, and the problems of those that cannot be (full lines)."""
    found: dict[tuple[str, str], Override] = {}
    problems: list[str] = []
    for variable in sorted(name for name, value in environ.items() if name.startswith(PREFIX) and value):
        target = _target(variable)
        if target is None:
            if not _names_file(variable) and (problem := _stray(variable)):
                problems.append(problem)
            continue
        section, item, key = target
        try:
            value = keys_of(_kind(section))[key].reader.from_text(environ[variable])
        except Misread as complaint:
            problems.append(f"{variable}: [{section}] {key}: {complaint}")
            continue
        override = Override(variable, section, key, value, item)
        other = found.get(override.place)
        if other is not None and other.value != value:
            problems.append(f"{variable}: contradicts {other.variable}; set only one of them")
        found[override.place] = override
    return tuple(found.values()), tuple(problems)


def merged(document: Mapping[str, Any], found: tuple[Override, ...]) -> dict[str, Any]:
    """The document with what the environment sets laid over it; tables of a wrong kind are left alone."""
    result = dict(document)
    for each in found:
        if not each.item:
            table = result.get(each.section, {})
            if isinstance(table, dict):
                result[each.section] = {**table, each.key: each.value}
        elif isinstance(items := result.get(each.section, []), list):
            result[each.section] = _with_item(items, each)
    return result


def _with_item(items: list[Any], each: Override) -> list[Any]:
    for index, item in enumerate(items):
        if isinstance(item, dict) and token(str(item.get("name", ""))) == each.item:
            return [*items[:index], {**item, each.key: each.value}, *items[index + 1 :]]
    return [*items, {"name": each.item.lower().replace("_", "-"), each.key: each.value}]


def _kind(section: str) -> type[Any]:
    return TABLES[section] if section in TABLES else LISTS[section]


def _target(variable: str) -> tuple[str, str, str] | None:
    """Section, item and key that a variable sets; None when it sets none."""
    if variable in VARIABLES:
        section, key = VARIABLES[variable]
        return section, "", key
    for section, kind in LISTS.items():
        prefix = f"{PREFIX}{section}_".upper()
        if variable.startswith(prefix):
            # The longest key counts: …_API_KEY_ENV ends with a key that another key begins.
            for key in sorted(keys_of(kind), key=len, reverse=True):
                item = variable.removeprefix(prefix).removesuffix(f"_{key.upper()}")
                if (
                    key != "name"
                    and variable == f"{prefix}{item}_{key.upper()}"
                    and token(item) == item != ""
                ):
                    return section, item, key
    return None


def _is_secret(target: tuple[str, str, str] | None) -> bool:
    if target is None:
        return False
    section, _item, key = target
    return attrs.fields_dict(_kind(section))[key].repr is False


def _names_file(variable: str) -> bool:
    return variable.endswith(FILE) and _is_secret(_target(variable.removesuffix(FILE)))


def _stray(variable: str) -> str | None:
    """What is wrong with a variable that names a section but no key of it; others are not ours."""
    for section in TABLES:
        if variable.startswith(f"{PREFIX}{section}_".upper()):
            known = [name for name, target in VARIABLES.items() if target[0] == section]
            return f"{variable}: sets no key of [{section}]{hint(variable, known)}"
    for section, kind in LISTS.items():
        if variable.startswith(f"{PREFIX}{section}_".upper()):
            form = f"{PREFIX}{section}_NAME_KEY".upper()
            known = [name for name in keys_of(kind) if name != "name"]
            return f"{variable}: names no key of [[{section}]]; the form is {form} ({', '.join(known)})"
    if variable.startswith(f"{PREFIX}{MODELS}_".upper()):
        return f"{variable}: [{MODELS}] is set in config.toml only"
    return None
