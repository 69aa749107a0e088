"""Schemas of structured output."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.protocols.anthropic_messages.output_schema import output_schema

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        (None, {"type": "object", "additionalProperties": False}),
        (
            {"type": "object", "properties": {"minLength": TEXT}, "required": ["minLength"]},
            {
                "type": "object",
                "properties": {"minLength": TEXT},
                "required": ["minLength"],
                "additionalProperties": False,
            },
        ),
        (
            {"type": "object", "properties": {"a": {"type": "object"}}, "additionalProperties": True},
            {
                "type": "object",
                "properties": {"a": {"type": "object", "additionalProperties": False}},
                "additionalProperties": False,
            },
        ),
        (
            {"type": "string", "minLength": 3, "description": "d"},
            {"type": "string", "description": "d\n\n{minLength: 3}"},
        ),
        (
            {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 4},
            {
                "type": "array",
                "items": {"type": "integer", "description": "{minimum: 0}"},
                "description": "{maxItems: 4, minItems: 2}",
            },
        ),
        ({"type": "array", "items": TEXT, "minItems": 1}, {"type": "array", "items": TEXT, "minItems": 1}),
        (
            {"oneOf": [{"type": "number", "maximum": 9}, TEXT]},
            {"anyOf": [{"type": "number", "description": "{maximum: 9}"}, TEXT]},
        ),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}},
            {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "additionalProperties": False}}},
        ),
        (
            {"enum": ["minLength"], "default": {"minimum": 1}},
            {"enum": ["minLength"], "default": {"minimum": 1}},
        ),
        ({"items": True}, {"items": True}),
    ],
)
def test_what_the_vendor_refuses_is_said_in_words(schema: Any, written: Any) -> None:
    """Lengths and ranges move into the description, objects are closed, names and values are untouched."""
    assert output_schema(schema) == written


def test_nesting_has_an_end() -> None:
    """A schema nested absurdly deep is no recursion error."""
    schema: dict[str, Any] = {}
    for _ in range(5000):
        schema = {"items": schema}
    assert output_schema(schema)["items"]
