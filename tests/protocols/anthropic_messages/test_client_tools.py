"""Tools that Claude knows by their type."""

from __future__ import annotations

import pytest

from shunt.inference.schemas import tool_schema
from shunt.protocols.anthropic_messages.client_tools import described


@pytest.mark.parametrize("kind", ["bash", "text_editor", "memory"])
def test_other_models_get_a_whole_schema(kind: str) -> None:
    """A description and a schema that every vendor takes as it is."""
    known = described(kind)
    assert known is not None
    description, schema = known
    assert description
    assert tool_schema(schema, root_unions=False) == schema
    assert set(schema["required"]) <= set(schema["properties"])


def test_others_are_not_known() -> None:
    """Tools that the vendor runs, or that need its training, have no schema here."""
    assert described("web_search") is None
    assert described("computer") is None
