"""The client's own name for a model, in an answer that passes as it came.

Where the owner's mapping or an upstream's spelling had another name put into the request, the answer says the
other name. Only values of keys `model` that hold it are changed; every other byte stays.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

from attrs import frozen

from shunt.wire import json

# A quotation mark inside a JSON string is escaped, so these can only match real keys.
_MODEL: Final = re.compile(rb'("model"\s*:\s*)("(?:[^"\\]|\\.)*")')


@frozen
class Renaming:
    """One request's names."""

    asked: str
    """What the client called the model."""
    sent: str
    """What it was called in the request that went out."""

    def of(self, whole: bytes, served: str) -> bytes:
        """Complete events, or a whole document, with the client's name; `served` is the answer's own."""
        names = {self.sent, served}

        def named(found: re.Match[bytes]) -> bytes:
            return found[1] + json.encode(self.asked) if _is_one(found[2], names) else found[0]

        return _MODEL.sub(named, whole) if b'"model"' in whole else whole


def _is_one(text: bytes, names: Container[str]) -> bool:
    return json.peek(text, str) in names
