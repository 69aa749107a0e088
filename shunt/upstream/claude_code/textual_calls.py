"""Tool calls that a model wrote as text instead of making them. Pure.

Models that were shown such forms in a prompt copy them now and then. Four are read, and only for tools
that the client offers; whatever else looks like one stays the text it is:

    <tool_use>{"name": …, "input": {…}}</tool_use>
    <function_calls><invoke name="…"><parameter name="…">…</parameter></invoke></function_calls>
    <invoke name="…">…</invoke>
    [tool_use: NAME {…}]   and   [Tool: NAME {…}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from attrs import define, field, frozen

from shunt.wire import json

LONGEST: Final = 256 * 1024
"""Characters that are held back for a form to end; a longer one is text."""

_OPENINGS: Final = {
    "<tool_use>": "</tool_use>",
    "<function_calls>": "</function_calls>",
    "<invoke ": "</invoke>",
    "[tool_use: ": "]",
    "[Tool: ": "]",
}
_INVOKE: Final = re.compile(r'<invoke\s+name="([^"]+)"\s*>(.*?)</invoke>', re.DOTALL)
_PARAMETER: Final = re.compile(r'<parameter\s+name="([^"]+)"[^>]*>(.*?)</parameter>', re.DOTALL)
_BRACKET: Final = re.compile(r"\[(?:tool_use|Tool): ([\w.-]+)\s*(\{.*\})\s*\]", re.DOTALL)


@frozen
class Piece:
    """A stretch of text, or one call."""

    text: str = ""
    name: str = ""
    """The tool's, for a call; empty for text."""
    input: Mapping[str, Any] = field(factory=dict)
    id: str = ""


@define(eq=False)
class TextualCalls:
    """Reads text as it comes; holds back only what may be the beginning of a form."""

    tools: frozenset[str]
    """Names of the client's tools. Without any, everything is text."""
    _held: str = ""
    _made: int = 0

    def feed(self, text: str) -> Iterator[Piece]:
        """Take more of the text."""
        if not self.tools:
            yield Piece(text)
            return
        self._held += text
        while self._held:
            start = self._first_opening()
            if start > 0:
                yield Piece(self._held[:start])
                self._held = self._held[start:]
            if start < 0:
                return
            end = self._end_of_form()
            if end is None:
                return  # wait for more
            form, self._held = self._held[:end], self._held[end:]
            yield from self._read(form)

    def close(self) -> Iterator[Piece]:
        """The text has ended: what was held back is text."""
        held, self._held = self._held, ""
        if held:
            yield Piece(held)

    def _first_opening(self) -> int:
        """Where a form begins or may begin; -1 after giving everything out when nothing may."""
        for place, letter in enumerate(self._held):
            if letter not in "<[":
                continue
            rest = self._held[place : place + max(map(len, _OPENINGS))]
            if any(rest.startswith(opening) or opening.startswith(rest) for opening in _OPENINGS):
                return place
        return len(self._held)

    def _end_of_form(self) -> int | None:
        """Where the form that the held text begins with ends; None while that is open."""
        for opening, closing in _OPENINGS.items():
            if self._held.startswith(opening):
                if closing != "]":
                    found = self._held.find(closing)
                    end = found + len(closing) if found >= 0 else None
                else:
                    end = _bracket_end(self._held)
                return end if end is not None or len(self._held) < LONGEST else len(self._held)
        return None

    def _read(self, form: str) -> Iterator[Piece]:
        calls = list(_calls(form))
        if not calls or any(name not in self.tools for name, _ in calls):
            yield Piece(form)
            return
        for name, given in calls:
            self._made += 1
            made = sha256(f"{self._made}\0{form}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
            yield Piece(name=name, input=given, id=f"toolu_{made}")


def _bracket_end(text: str) -> int | None:
    """The end of a bracket form: the `]` after its balanced JSON."""
    depth, quoted, escaped = 0, False, False
    for place, letter in enumerate(text):
        if quoted:
            escaped, quoted = (letter == "\\" and not escaped), (letter != '"' or escaped)
        elif letter == '"':
            quoted = True
        elif letter in "{[":
            depth += 1
        elif letter in "}]":
            depth -= 1
            if depth == 0:
                return place + 1
    return None


def _calls(form: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if form.startswith("<tool_use>"):
        document = json.value(form[len("<tool_use>") : -len("</tool_use>")].strip().encode())
        if isinstance(document, dict) and isinstance(document.get("name"), str):
            given = document.get("input", document.get("arguments"))
            yield document["name"], given if isinstance(given, dict) else {}
    elif form.startswith("["):
        if found := _BRACKET.fullmatch(form):
            given = json.value(found[2].encode())
            if isinstance(given, dict):
                yield found[1], given
    else:
        for found in _INVOKE.finditer(form):
            yield found[1], {name: _value(text) for name, text in _PARAMETER.findall(found[2])}


def _value(text: str) -> Any:
    """A parameter: JSON where it is some, else the text."""
    bare = text.strip()
    if bare[:1] in ("{", "[") or bare in ("true", "false", "null"):
        found = json.value(bare.encode())
        return found if found is not None or bare == "null" else text
    return text
