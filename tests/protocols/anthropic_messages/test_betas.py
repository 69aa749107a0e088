"""Beta headers."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.protocols.anthropic_messages.betas import betas


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"messages": []}, ()),
        ({"speed": "standard"}, ()),
        ({"speed": "fast"}, ("fast-mode-2026-02-01",)),
        ({"context_management": {}}, ("context-management-2025-06-27",)),
        ({"messages": [{"source": {"type": "file", "file_id": "f"}}]}, ("files-api-2025-04-14",)),
        ({"tools": [{"defer_loading": True}]}, ("advanced-tool-use-2025-11-20",)),
    ],
)
def test_only_what_is_used_is_asked_for(document: dict[str, Any], names: tuple[str, ...]) -> None:
    """A header for each feature in the request, none for a plain one."""
    assert betas(document) == names
