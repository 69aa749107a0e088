"""What would change in a file of settings, and what it takes to change it back: pure text in, text out."""

from __future__ import annotations

from collections.abc import Callable
from difflib import unified_diff
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from shunt.connect import json_text, toml_text, yaml_text
from shunt.connect.base import Edit, Notation, Setting
from shunt.connect.journal import Written
from shunt.connect.places import ABSENT, CannotEdit, Path, find, missing_from, shown


@frozen
class Editor:
    """How a notation is read and changed."""

    document: Callable[[str], Any]
    with_value: Callable[[str, Path, Any], str]
    without_value: Callable[[str, Path], str]


EDITORS: Final = MappingProxyType(
    {
        Notation.JSON: Editor(json_text.document, json_text.with_value, json_text.without_value),
        Notation.TOML: Editor(toml_text.document, toml_text.with_value, toml_text.without_value),
        Notation.YAML: Editor(yaml_text.document, yaml_text.with_value, yaml_text.without_value),
    }
)


@frozen
class Change:
    """A file of settings, before and after."""

    before: str
    after: str
    written: tuple[Written, ...]


@frozen
class Retreat:
    """A file from which our part was taken."""

    after: str
    kept: tuple[str, ...]
    """Settings that somebody has changed since; they were left."""


def planned(text: str, edit: Edit) -> Change:
    """The text with all settings of an edit. Raises Unreadable or CannotEdit."""
    editor = EDITORS[edit.notation]
    original = editor.document(text)
    after, written = text, list[Written]()
    for setting in edit.settings:
        now = find(editor.document(after), setting.path)
        if setting.keep and now is not ABSENT:
            continue
        if now == setting.value:
            written.append(_note(original, setting))
            continue
        after = editor.with_value(after, setting.path, setting.value)
        written.append(_note(original, setting))
    return Change(text, after, tuple(written))


def _note(original: Any, setting: Setting) -> Written:
    before = find(original, setting.path)
    return Written(setting.path, setting.value, before, missing_from(original, setting.path))


def taken_back(text: str, notation: Notation, written: tuple[Written, ...]) -> Retreat:
    """The text without our settings, where they still are as we wrote them. Raises Unreadable or CannotEdit."""
    editor = EDITORS[notation]
    editor.document(text)
    kept = list[str]()
    for each in reversed(written):
        now = find(editor.document(text), each.path)
        if now is each.before or now == each.before:
            continue  # somebody was faster
        if now != each.value:
            kept.append(shown(each.path))
        elif each.before is not ABSENT:
            text = editor.with_value(text, each.path, each.before)
        else:
            text = editor.without_value(text, each.path)
            text = _without_empty(text, editor, each)
    return Retreat(text, tuple(reversed(kept)))


def _without_empty(text: str, editor: Editor, written: Written) -> str:
    """Take out the tables that were made for a setting, once nothing is left in them."""
    for depth in range(len(written.path) - 1, written.depth, -1):
        path = written.path[:depth]
        left = find(editor.document(text), path)
        if left is ABSENT:
            continue
        if left not in ({}, []):
            return text
        try:
            text = editor.without_value(text, path)
        except CannotEdit:
            return text
    return text


def drifted(text: str, notation: Notation, written: tuple[Written, ...]) -> tuple[str, ...]:
    """Names of settings that no longer are as we wrote them. Raises Unreadable."""
    document = EDITORS[notation].document(text)
    return tuple(shown(each.path) for each in written if find(document, each.path) != each.value)


def difference(change: Change, name: str) -> str:
    """The change as people read it."""
    lines = unified_diff(
        change.before.splitlines(), change.after.splitlines(), f"{name} (now)", f"{name} (then)", lineterm=""
    )
    return "\n".join(lines)
