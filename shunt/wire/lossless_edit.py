"""Replace one top-level string of a JSON body and leave every other byte as it is.

Re-serialising would reorder keys and respell numbers and escapes; prompt caches and signatures of
earlier turns depend on the bytes. So the place of the value is found and the new one spliced in.
"""

from __future__ import annotations

import re
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


_PLACES: Final = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
