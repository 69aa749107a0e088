"""Which beta headers a request needs for what is in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.wire import json
from shunt.wire.headers import Headers

_FEATURES: Final[dict[str, Callable[[Mapping[str, Any], bytes], bool]]] = {
    "fast-mode-2026-02-01": lambda document, _: document.get("speed") == "fast",
    "files-api-2025-04-14": lambda _, body: b'"file_id"' in body,
    "context-management-2025-06-27": lambda document, _: "context_management" in document,
    "advanced-tool-use-2025-11-20": lambda _, body: b'"tool_reference"' in body or b'"defer_loading"' in body,
}


def betas(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Names for `anthropic-beta`, for a request that was written here (a client's own brings its own)."""
    body = json.encode(document)
    return tuple(name for name, is_used in _FEATURES.items() if is_used(document, body))


def needed_headers(document: Mapping[str, Any]) -> Headers:
    """The headers that such a request needs."""
    names = betas(document)
    return ((b"anthropic-beta", ",".join(names).encode()),) if names else ()
