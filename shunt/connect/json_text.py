"""Changes to a JSON text (comments allowed) that leave everything else as it was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from shunt.connect.json_nodes import Node, read
from shunt.connect.places import CannotEdit, Item, Path, Step, missing_from, place_of


def document(text: str) -> Any:
    """What the text says; an empty one is an empty object. Raises Unreadable."""
    return read(text).value if text.strip("\ufeff \t\r\n") else {}


def with_value(text: str, path: Path, value: Any) -> str:
    """Set the value at a path, tables on the way included. Raises CannotEdit or Unreadable."""
    if not text.strip("\ufeff \t\r\n"):
        text = "{}\n"
    root = read(text)
    depth = missing_from(root.value, path)
    place, reached = root, 0
    for step in path[:depth]:
        place, reached = _child(place, step), reached + 1
    if reached == len(path):
        changed = text[: place.start] + _written(value, text, place.start) + text[place.end :]
    else:
        changed = _inserted(text, place, path[reached], _nested(path[reached + 1 :], value))
    return _checked(changed, _with(root.value, path, value))


def without_value(text: str, path: Path) -> str:
    """Take the value at a path out; the tables around it stay. Raises CannotEdit or Unreadable."""
    root = read(text)
    if missing_from(root.value, path) < len(path):
        return text
    holder = root
    for step in path[:-1]:
        holder = _child(holder, step)
    spans = [(member.start, member.node.end) for member in holder.members]
    spans = spans or [(node.start, node.end) for node in holder.elements]
    index = _index(holder, path[-1])
    changed = _without(text, holder, spans, index)
    return _checked(changed, _without_path(root.value, path))


# ── Where things stand ────────────────────────────────────────────────────────────────────────────


def _index(holder: Node, step: Step) -> int:
    if isinstance(step, Item):
        place = place_of(holder.value, step)
        assert place is not None  # noqa: S101 - the caller has looked
        return place
    return next(n for n, member in enumerate(holder.members) if member.key == step)


def _child(node: Node, step: Step) -> Node:
    index = _index(node, step)
    return node.elements[index] if isinstance(step, Item) else node.members[index].node


def _nested(rest: Sequence[Step], value: Any) -> Any:
    for step in reversed(rest):
        value = {step: value} if isinstance(step, str) else [value]
    return value


# ── Inserting ─────────────────────────────────────────────────────────────────────────────────────


def _inserted(text: str, holder: Node, step: Step, value: Any) -> str:
    if isinstance(step, Item) != isinstance(holder.value, list) or not isinstance(holder.value, (dict, list)):
        raise CannotEdit
    spans = [(member.start, member.node.end) for member in holder.members]
    spans = spans or [(node.start, node.end) for node in holder.elements]
    newline = "\r\n" if "\r\n" in text else "\n"
    outer = _indent_at(text, holder.start)
    inner = _indent_at(text, spans[0][0]) if spans else outer + _unit(text)
    one_line = bool(spans) and "\n" not in text[holder.start : spans[0][0]]
    name = f"{json.dumps(step, ensure_ascii=False)}: " if isinstance(step, str) else ""
    written = name + _json(value, "" if one_line else inner, text)
    if not spans:
        end = holder.end - 1
        head = text[:end].rstrip(" \t\r\n") if not text[holder.start + 1 : end].strip() else text[:end]
        return f"{head}{newline}{inner}{written}{newline}{outer}{text[end:]}"
    last = spans[-1][1]
    if one_line:
        return f"{text[:last]}, {written}{text[last:]}"
    comma_at = _comma_after(text, last, holder.end)
    comma = "" if comma_at is not None else ","
    point = _end_of_line(text, comma_at + 1 if comma_at is not None else last)
    return f"{text[:last]}{comma}{text[last:point]}{newline}{inner}{written}{text[point:]}"


def _comma_after(text: str, at: int, end: int) -> int | None:
    """Where the comma behind a value stands, if one does."""
    for position, char in _bare(text, at, end):
        if char == ",":
            return position
        return None
    return None


def _bare(text: str, at: int, end: int) -> list[tuple[int, str]]:
    """Characters that are neither blank nor comment, with their places."""
    found = list[tuple[int, str]]()
    while at < end:
        if text.startswith("//", at):
            at = text.find("\n", at) if text.find("\n", at) >= 0 else end
        elif text.startswith("/*", at):
            at = text.find("*/", at) + 2
        else:
            if not text[at].isspace():
                found.append((at, text[at]))
            at += 1
    return found


def _end_of_line(text: str, at: int) -> int:
    """The end of the line if only blanks and a comment follow, so that the comment stays with its value."""
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    end -= text[at:end].endswith("\r")
    rest = text[at:end].strip()
    whole_comment = rest.startswith("/*") and rest.find("*/") == len(rest) - 2
    return end if not rest or rest.startswith("//") or whole_comment else at


def _indent_at(text: str, at: int) -> str:
    """The blanks that the line of a place begins with."""
    line = text[text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """One step of indentation, as this text has it."""
    for line in text.splitlines():
        blanks = line[: len(line) - len(line.lstrip(" \t"))]
        if blanks and line.strip():
            return blanks
    return "  "


def _written(value: Any, text: str, at: int) -> str:
    return _json(value, _indent_at(text, at), text)


def _json(value: Any, indent: str, text: str) -> str:
    """A value whose further lines begin with `indent`; on one line when it is short."""
    if not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(text)).split("\n")
    return f"{newline}{indent}".join(lines)


# ── Removing ──────────────────────────────────────────────────────────────────────────────────────


def _without(text: str, holder: Node, spans: list[tuple[int, int]], index: int) -> str:
    start, end = spans[index]
    comma = _comma_after(text, end, holder.end)
    if comma is not None:
        end = comma + 1
    elif index:
        # The last one without a comma: the comma before it has to go as well.
        before = _comma_after(text, spans[index - 1][1], holder.end)
        assert before is not None  # noqa: S101 - something separates them
        text = text[:before] + text[before + 1 :]
        start, end = start - 1, end - 1
    return _without_span(text, start, end)


def _without_span(text: str, start: int, end: int) -> str:
    """Without a span, and without the line that it had for itself."""
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    if not text[begin:start].strip() and stop >= 0 and not text[end:stop].strip():
        return text[:begin] + text[stop + 1 :]
    if not text[begin:start].strip() or text[start - 1 : start] in ("{", "["):
        return text[:start] + text[end:].lstrip(" \t")
    return text[:start].rstrip(" \t") + text[end:]


# ── Checking ──────────────────────────────────────────────────────────────────────────────────────


def _checked(text: str, meant: Any) -> str:
    """The text, if it says what was meant: no layout, however odd, turns an edit into damage."""
    if read(text).value != meant:
        raise CannotEdit
    return text


def _with(content: Any, path: Path, value: Any) -> Any:
    content = deepcopy(content)
    place = content
    for number, step in enumerate(path):
        rest = path[number + 1 :]
        empty: Any = [] if rest and isinstance(rest[0], Item) else {}
        if isinstance(step, Item):
            index = place_of(place, step)
            if index is None:
                place.append(value if not rest else empty)
                index = len(place) - 1
            elif not rest:
                place[index] = value
            place = place[index]
        else:
            if not rest:
                place[step] = value
            else:
                place.setdefault(step, empty)
            place = place[step]
    return content


def _without_path(content: Any, path: Path) -> Any:
    content = deepcopy(content)
    place = content
    for step in path[:-1]:
        place = place[place_of(place, step)] if isinstance(step, Item) else place[step]
    last = path[-1]
    del place[place_of(place, last) if isinstance(last, Item) else last]
    return content
