"""How many input tokens a request has, when no provider can be asked.

No well-kept tokenizer ships its vocabulary, and none is exact for Claude. What clients do with the
number is decide when to compact, so it should err on the high side, and never be a billed call.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

BYTES_PER_TOKEN = 3.6
"""English prose runs near 4.2, source code near 3.2, JSON schemas near 3.0."""
PER_MESSAGE = 4
"""Tokens of role and separators around each message, tool and system block."""
PER_IMAGE = 1_600
"""The vendor's upper bound for one image of standard size: width times height over 750."""
BINARY = frozenset({"data", "file_data", "image_url", "encrypted_content", "signature"})
"""Keys whose strings are not text."""
DEPTH = 64
"""Nesting followed; deeper structures are rare and add little."""


def estimate_tokens(request: dict[str, Any]) -> int:
    """Estimated input tokens of a decoded request body of any of the three protocols."""
    size = 0
    images = 0
    pieces = 0
    for key in ("system", "instructions", "messages", "input", "tools"):
        part = request.get(key)
        if part is None:
            continue
        pieces += len(part) if isinstance(part, list) else 1
        for kind, text in _walk(part, "", DEPTH):
            if kind in BINARY:
                images += 1
            else:
                size += len(text.encode("utf-8", "replace"))
    return max(1, math.ceil(size / BYTES_PER_TOKEN) + pieces * PER_MESSAGE + images * PER_IMAGE)


def _walk(node: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every string in `node` with the key it stands under; keys of objects count as text too."""
    if isinstance(node, str):
        yield key, node
    elif depth <= 0:
        return
    elif isinstance(node, dict):
        for name, value in node.items():
            yield "", str(name)
            yield from _walk(value, str(name), depth - 1)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value, key, depth - 1)
    elif node is not None:
        yield key, str(node)
