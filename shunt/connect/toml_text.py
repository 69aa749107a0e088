"""Changes to a TOML text that leave comments, order and layout as they were written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
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
    return _edited(text, (meant,), lambda parsed: _set(parsed, keys, value))


def without_value(text: str, path: Path) -> str:
    """Take the value at a path out; the tables around it stay if they are written, not only implied by it.

    Raises CannotEdit or Unreadable.
    """
    meant = deepcopy(document(text))
    keys = _keys(path)
    place = find(meant, path[:-1])
    if not isinstance(place, dict) or keys[-1] not in place:
        return text
    taken = place.pop(keys[-1])
    allowed = (meant, *_without_emptied(meant, keys[:-1]))
    if taken == {} and (left := _without_header(text, keys, allowed)) is not None:
        return left

    def removed(parsed: Any) -> None:
        for key in keys[:-1]:
            parsed = parsed[key]
        del parsed[keys[-1]]

    return _edited(text, allowed, removed)


def _without_emptied(meant: Any, keys: list[str]) -> Iterator[Any]:
    """The document without the tables on this way that hold nothing, one more each time."""
    for depth in range(len(keys), 0, -1):
        meant = deepcopy(meant)
        place = find(meant, tuple(keys[: depth - 1]))
        if place[keys[depth - 1]] != {}:
            return
        del place[keys[depth - 1]]
        yield meant


def _without_header(text: str, keys: list[str], allowed: Sequence[Any]) -> str | None:
    """The text without the line that begins an empty table; None when that is not all there is of it.

    Comments below the line may be about what follows, and would go with the table.
    """
    table: dict[str, Any] = {}
    for key in reversed(keys):
        table = {key: table}
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not line.lstrip().startswith("[") or not _says(line, (table,)):
            continue
        before, after = lines[:number], lines[number + 1 :]
        if before and not before[-1].strip() and not (after and after[0].strip()):
            before.pop()  # one blank line between two tables, not two
        if _says(left := "".join(before + after), allowed):
            return left
    return None


def _says(text: str, allowed: Sequence[Any]) -> bool:
    try:
        return tomllib.loads(text) in allowed
    except (ValueError, RecursionError):
        return False


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


def _edited(text: str, allowed: Sequence[Any], change: Any) -> str:
    try:
        parsed = tomlkit.parse(text)
        change(parsed)
        changed = tomlkit.dumps(parsed)
        if tomllib.loads(changed) not in allowed:
            raise CannotEdit
    except (TOMLKitError, LookupError, TypeError, AttributeError, tomllib.TOMLDecodeError):
        raise CannotEdit from None
    return changed if "\r\n" not in text else changed.replace("\r\n", "\n").replace("\n", "\r\n")
