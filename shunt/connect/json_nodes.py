"""JSON with comments and trailing commas, read into nodes that know where they stand in the text.

Editors and agents write their settings so; a reader that keeps every position is what lets an edit leave
everything else alone, down to the last blank.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from attrs import define, frozen

from shunt.connect.places import Unreadable

DEEPEST: Final = 200
"""Levels of nesting; settings have a handful."""

_BLANK: Final = re.compile(r"(?:[ \t\r\n\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD: Final = re.compile(r"[-+.0-9A-Za-z]+")


@frozen
class Member:
    """One `"key": value` of an object."""

    key: str
    start: int
    """Where its key begins."""
    node: Node


@frozen
class Node:
    """One value."""

    start: int
    end: int
    value: Any
    """What it means."""
    members: tuple[Member, ...] = ()
    """Of an object."""
    elements: tuple[Node, ...] = ()
    """Of a list."""


def read(text: str) -> Node:
    """The whole text as one node. Raises Unreadable with line and column."""
    reader = _Reader(text)
    node = reader.value(0)
    reader.blank()
    if reader.at < len(text):
        raise reader.trouble("something stands behind the end")
    return node


@define
class _Reader:
    text: str
    at: int = 0

    def blank(self) -> None:
        """Skip white space and comments."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def trouble(self, what: str) -> Unreadable:
        line = self.text.count("\n", 0, self.at) + 1
        column = self.at - self.text.rfind("\n", 0, self.at)
        return Unreadable(f"line {line}, column {column}: {what}")

    def value(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.trouble("it is nested too deeply")
        self.blank()
        opening = self.text[self.at : self.at + 1]
        if opening == "{":
            return self._object(depth)
        if opening == "[":
            return self._list(depth)
        if opening == '"':
            start, content = self.at, self._string()
            return Node(start, self.at, content)
        found = _WORD.match(self.text, self.at)
        if found is None:
            raise self.trouble("a value is missing" if opening else "it ends too early")
        try:
            word = json.loads(found[0])
        except ValueError:
            raise self.trouble(f"{found[0][:20]} is no value") from None
        start, self.at = self.at, found.end()
        return Node(start, self.at, word)

    def _string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self.trouble("a text has no end")
        try:
            content = json.loads(found[0])
        except ValueError:
            raise self.trouble("a text holds an escape that JSON does not have") from None
        self.at = found.end()
        return str(content)

    def _next(self, closing: str) -> bool:
        """Move to the next element; False (and past the end) when there is none."""
        self.blank()
        if self.text.startswith(closing, self.at):
            self.at += 1
            return False
        return True

    def _comma(self, closing: str) -> None:
        self.blank()
        if self.text.startswith(",", self.at):
            self.at += 1
        elif not self.text.startswith(closing, self.at):
            raise self.trouble(f"expected a comma or {closing}")

    def _object(self, depth: int) -> Node:
        start, members = self.at, list[Member]()
        self.at += 1
        while self._next("}"):
            begin = self.at
            if not self.text.startswith('"', begin):
                raise self.trouble("expected a name in double quotes")
            key = self._string()
            self.blank()
            if not self.text.startswith(":", self.at):
                raise self.trouble("expected a colon")
            self.at += 1
            if any(member.key == key for member in members):
                raise self.trouble(f'"{key[:40]}" stands there twice')
            members.append(Member(key, begin, self.value(depth + 1)))
            self._comma("}")
        content = {member.key: member.node.value for member in members}
        return Node(start, self.at, content, members=tuple(members))

    def _list(self, depth: int) -> Node:
        start, elements = self.at, list[Node]()
        self.at += 1
        while self._next("]"):
            elements.append(self.value(depth + 1))
            self._comma("]")
        return Node(start, self.at, [node.value for node in elements], elements=tuple(elements))
