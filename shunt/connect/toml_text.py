"""Changes to a TOML text that leave comments, order and layout as they were written."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from shunt.connect.places import CannotEdit, Path, Unreadable, find


def document(text: str) -> Any:
    """What the text says. Raises Unreadable."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error) or "it is nested too deeply") from None


def with_value(text: str, path: Path, value: Any) -> str:
    """Set the value at a path, tables on the way included. Raises CannotEdit or Unreadable."""
    meant = deepcopy(document(text))
    place = meant
    keys = _keys(path)
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise CannotEdit
    place[keys[-1]] = value
    return _edited(text, meant, lambda parsed: _set(parsed, keys, value))


def without_value(text: str, path: Path) -> str:
    """Take the value at a path out; the tables around it stay. Raises CannotEdit or Unreadable."""
    meant = deepcopy(document(text))
    keys = _keys(path)
    place = find(meant, path[:-1])
    if not isinstance(place, dict) or keys[-1] not in place:
        return text
    del place[keys[-1]]

    def removed(parsed: Any) -> None:
        for key in keys[:-1]:
            parsed = parsed[key]
        del parsed[keys[-1]]

    return _edited(text, meant, removed)


def _keys(path: Path) -> list[str]:
    keys = [step for step in path if isinstance(step, str)]
    if len(keys) != len(path):
        raise CannotEdit
    return keys


def _set(parsed: Any, keys: list[str], value: Any) -> None:
    for number, key in enumerate(keys[:-1]):
        if key not in parsed:
            # A table that holds only tables is not written: [model_providers.shunt] alone is.
            parsed[key] = tomlkit.table(is_super_table=number < len(keys) - 2)
        parsed = parsed[key]
    parsed[keys[-1]] = _value(value)


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    for key, child in value.items():
        table[key] = _value(child)
    return table


def _edited(text: str, meant: Any, change: Any) -> str:
    try:
        parsed = tomlkit.parse(text)
        change(parsed)
        changed = tomlkit.dumps(parsed)
        if tomllib.loads(changed) != meant:
            raise CannotEdit
    except (TOMLKitError, LookupError, TypeError, AttributeError, tomllib.TOMLDecodeError):
        raise CannotEdit from None
    return changed if "\r\n" not in text else changed.replace("\r\n", "\n").replace("\n", "\r\n")
