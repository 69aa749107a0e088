"""Changes to the plain YAML that aider's configuration is written in.

Only what such a file needs is understood: names at the left margin with one value each, or a list below
them. Whatever else stands in a file is kept as it is, and an edit that would have to touch it is refused.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from attrs import frozen

from shunt.connect.places import CannotEdit, Path, Unreadable

_NAME: Final = re.compile(r"([A-Za-z0-9_-]+)[ \t]*:(?:[ \t]+(.*)|[ \t]*)$")
_ITEM: Final = re.compile(r"([ \t]*)-[ \t]+(.*)$")
_PAIR: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


@frozen
class _Entry:
    """One name at the left margin."""

    name: str
    line: int
    """Its line, from 0."""
    rest: str
    """What stands behind the colon, without a comment."""
    items: tuple[tuple[int, str], ...]
    """Line and text of the elements of a list below it."""


def document(text: str) -> Any:
    """Names and their values: texts, and lists of `KEY=value` as tables. Raises Unreadable."""
    return {entry.name: _content(entry) for entry in _entries(text)}


def with_value(text: str, path: Path, value: Any) -> str:
    """Set a value, or one `KEY=value` in a list. Raises CannotEdit or Unreadable."""
    meant = document(text)
    if len(path) == 1 and isinstance(path[0], str):
        meant[path[0]] = value
        return _checked(_with_scalar(text, path[0], value), meant)
    if len(path) != 2 or not all(isinstance(step, str) for step in path):
        raise CannotEdit
    name, key = str(path[0]), str(path[1])
    table = meant.setdefault(name, {})
    if not isinstance(table, dict):
        raise CannotEdit
    table[key] = value
    return _checked(_with_pair(text, name, f"{key}={value}"), meant)


def without_value(text: str, path: Path) -> str:
    """Take a value out, or one `KEY=value` of a list. Raises CannotEdit or Unreadable."""
    meant = document(text)
    entry = next((entry for entry in _entries(text) if entry.name == path[0]), None)
    if entry is None:
        return text
    lines = text.split("\n")
    if len(path) == 1:
        if entry.items and meant[entry.name]:
            raise CannotEdit
        del meant[entry.name]
        return _checked("\n".join(lines[: entry.line] + lines[entry.line + 1 :]), meant)
    found = [line for line, item in entry.items if _scalar(item).startswith(f"{path[1]}=")]
    if not found:
        return text
    del meant[entry.name][path[1]]
    kept = [line for number, line in enumerate(lines) if number not in found]
    if len(found) == len(entry.items):
        kept = lines[: entry.line] + [
            line for number, line in enumerate(lines) if number > entry.line and number not in found
        ]
        del meant[entry.name]
    return _checked("\n".join(kept), meant)


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


def _entries(text: str) -> list[_Entry]:
    found = list[_Entry]()
    lines = text.removeprefix("\ufeff").split("\n")
    for number, raw in enumerate(lines):
        line = raw.removesuffix("\r")
        bare = line.strip()
        if not bare or bare.startswith("#") or bare in ("---", "..."):
            continue
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise Unreadable(f"line {number + 1}: indented with a tab")
        item = _ITEM.match(line)
        if item and found and not found[-1].rest:
            last = found[-1]
            found[-1] = _Entry(last.name, last.line, "", (*last.items, (number, _uncommented(item[2]))))
            continue
        if line[0] in " \t":
            if not found:
                raise Unreadable(f"line {number + 1}: indented under nothing")
            continue  # part of something that is kept as it is
        name = _NAME.match(line)
        if name is None:
            raise Unreadable(f"line {number + 1}: expected `name: value`")
        if any(entry.name == name[1] for entry in found):
            raise Unreadable(f"line {number + 1}: {name[1]} stands there twice")
        found.append(_Entry(name[1], number, _uncommented(name[2] or ""), ()))
    return found


def _uncommented(text: str) -> str:
    """A value without the comment behind it."""
    quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')[ \t]*(?:#.*)?$""", text)
    if quoted:
        return quoted[1]
    return re.split(r"(?:^|[ \t])#", text, maxsplit=1)[0].strip()


def _content(entry: _Entry) -> Any:
    if not entry.items:
        return _scalar(entry.rest)
    texts = [_scalar(item) for _, item in entry.items]
    if all(_PAIR.match(text) for text in texts):
        return dict(text.split("=", 1) for text in texts)
    return texts


def _scalar(written: str) -> str:
    if written.startswith('"') and written.endswith('"') and len(written) > 1:
        try:
            return str(json.loads(written))
        except ValueError:
            return written
    if written.startswith("'") and written.endswith("'") and len(written) > 1:
        return written[1:-1].replace("''", "'")
    return written


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────


def _with_scalar(text: str, name: str, value: Any) -> str:
    statement = f"{name}: {json.dumps(str(value))}"
    entry = next((entry for entry in _entries(text) if entry.name == name), None)
    if entry is None:
        return _appended(text, [statement])
    if entry.items or entry.rest[:1] in ("|", ">", "[", "{", "&", "*", "!"):
        raise CannotEdit
    lines = text.split("\n")
    old = lines[entry.line]
    ending = "\r" if old.endswith("\r") else ""
    comment = old.removesuffix("\r")[_NAME.match(old.removesuffix("\r")).end(1) :]  # type: ignore[union-attr]
    place = comment.find(entry.rest) + len(entry.rest) if entry.rest else len(comment)
    lines[entry.line] = statement + comment[place:] + ending
    return "\n".join(lines)


def _with_pair(text: str, name: str, pair: str) -> str:
    key = pair.partition("=")[0]
    entry = next((entry for entry in _entries(text) if entry.name == name), None)
    written = json.dumps(pair)
    if entry is None:
        return _appended(text, [f"{name}:", f"  - {written}"])
    if entry.rest:
        raise CannotEdit
    lines = text.split("\n")
    for number, item in entry.items:
        if _scalar(item).startswith(f"{key}="):
            dash = lines[number].index("-")
            ending = "\r" if lines[number].endswith("\r") else ""
            lines[number] = f"{lines[number][:dash]}- {written}{ending}"
            return "\n".join(lines)
    last = entry.items[-1][0] if entry.items else entry.line
    indent = lines[last][: lines[last].index("-")] if entry.items else "  "
    ending = "\r" if lines[last].endswith("\r") else ""
    lines.insert(last + 1, f"{indent}- {written}{ending}")
    return "\n".join(lines)


def _appended(text: str, block: list[str]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else newline
    return text + gap + newline.join(block) + newline


def _checked(text: str, meant: Any) -> str:
    if document(text) != meant:
        raise CannotEdit
    return text
