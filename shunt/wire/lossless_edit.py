"""Replace strings of a JSON text and leave every other byte as it is.

Re-serialising would reorder keys and respell numbers and escapes; prompt caches and signatures of
earlier turns depend on the bytes. So the place of the value is found and the new one spliced in.
"""

from __future__ import annotations

import json as stdlib
import re
from collections.abc import Mapping
from typing import Final

from msgspec import Raw, Struct

from shunt.wire import json

SENTINEL: Final = b'"\\u0000spliced"'
"""Stands in for the new value while a place is tried. No client sends it."""


class _Model(Struct):
    model: Raw = Raw()


def splice_model(body: bytes, model: str) -> bytes | None:
    """The body with another value of its top-level `model`; None when there is no such string.

    A nested "model" (in a tool's schema, in a quoted request) is not touched: a place counts only if
    changing it changes what a JSON reader sees at the top.
    """
    for match in _PLACES.finditer(body):
        start, end = match.span(1)
        tried = json.peek(body[:start] + SENTINEL + body[end:], _Model)
        if tried is not None and bytes(tried.model) == SENTINEL:
            return body[:start] + json.encode(model) + body[end:]
    return None


def splice_texts(document: str, changes: Mapping[tuple[str, ...], str]) -> str | None:
    """A JSON text with other strings at these paths; None where one of them is not there, or it is no JSON.

    Args:
        document: The text of an object.
        changes: New strings by path: the names of the objects on the way and the name of the value.
    """
    try:
        places = [(_place(document, path), text) for path, text in changes.items()]
        for (start, end), text in sorted(places, reverse=True):
            document = document[:start] + stdlib.dumps(text) + document[end:]
        stdlib.loads(document)
    except (ValueError, LookupError, RecursionError):
        return None
    return document


def _place(document: str, path: tuple[str, ...]) -> tuple[int, int]:
    """Where the value at a path stands. Raises ValueError or LookupError."""
    start = _BLANK.match(document, 0).end()  # type: ignore[union-attr]  # it matches nothing, too
    end = len(document)
    for name in path:
        start, end = _members(document, start)[name]
    return start, end


def _members(document: str, start: int) -> dict[str, tuple[int, int]]:
    """Where the values of the object that begins at `start` stand; of equal names the last counts."""
    found: dict[str, tuple[int, int]] = {}
    if document[start] != "{":
        raise ValueError("not an object")
    at = start
    while document[at] != "}":
        if (key := _KEY.match(document, at + 1)) is None:
            return found  # an empty object
        begin = key.end()
        _, end = _DECODER.raw_decode(document, begin)
        found[stdlib.loads(key[1])] = (begin, end)
        at = _BLANK.match(document, end).end()  # type: ignore[union-attr]
    return found


_DECODER: Final = stdlib.JSONDecoder(strict=False)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_KEY: Final = re.compile(r'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*')
_PLACES: Final = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
