"""Tool schemas in the shape that vendors accept."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.schemas import UNIONS, is_strict, tool_schema

EMPTY = {"type": "object", "properties": {}}
A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
B = {"type": "object", "properties": {"b": {"type": "number"}}, "required": ["b"]}
BOTH = {"a": {"type": "string"}, "b": {"type": "number"}}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (None, EMPTY),
        ({}, EMPTY),
        ({"properties": {}}, EMPTY),
        ({"type": "object"}, EMPTY),
        ({"type": ["object", "null"], "properties": {}}, EMPTY),
        (A, A),
        (
            {"type": "object", "properties": {"l": {"type": "array"}}},
            {"type": "object", "properties": {"l": {"type": "array", "items": {}}}},
        ),
        (
            {"type": "object", "properties": {"l": {"type": ["array", "null"]}}},
            {"type": "object", "properties": {"l": {"type": ["array", "null"], "items": {}}}},
        ),
        (
            {"type": "object", "properties": {"l": {"default": {"type": "array"}}}},
            {"type": "object", "properties": {"l": {"default": {"type": "array"}}}},
        ),
        (
            {"$ref": "#/$defs/X", "$defs": {"X": A}},
            {**A, "$defs": {"X": A}},
        ),
    ],
)
def test_object(schema: dict[str, Any] | None, wanted: dict[str, Any]) -> None:
    """A schema is an object with properties, and its arrays have items."""
    assert tool_schema(schema, root_unions=True) == wanted


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_choice_at_the_root(union: str) -> None:
    """Branches become one object that requires what all of them require."""
    got = tool_schema({union: [A, B, {"type": "null"}]}, root_unions=False)
    assert got == {"type": "object", "properties": BOTH}


def test_common_demands() -> None:
    """What every branch requires, and what the root does, stays required."""
    got = tool_schema(
        {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "required": ["kind"],
            "anyOf": [A, {"properties": {"a": {"type": "integer"}}, "required": ["a"]}],
        },
        root_unions=False,
    )
    assert got["required"] == ["kind", "a"]
    assert got["properties"]["a"] == {"anyOf": [{"type": "string"}, {"type": "integer"}]}


def test_all_of() -> None:
    """Of `allOf` everything is required, through references and nested unions."""
    got = tool_schema(
        {"allOf": [{"$ref": "#/$defs/A"}, {"allOf": [B]}], "$defs": {"A": A}}, root_unions=False
    )
    assert got["properties"] == BOTH
    assert got["required"] == ["a", "b"]


def test_unions_stay_where_they_may() -> None:
    """A model that takes unions gets them as they are."""
    assert tool_schema({"type": "object", "anyOf": [A, B]}, root_unions=True)["anyOf"] == [A, B]


def test_endless_reference() -> None:
    """A schema that refers to itself does not hang."""
    loop = {"$ref": "#/$defs/L", "$defs": {"L": {"anyOf": [{"$ref": "#/$defs/L"}, A]}}}
    got = tool_schema(loop, root_unions=False)
    assert got["properties"]["a"] == {"type": "string"}


def test_many_references() -> None:
    """Definitions that name each other many times cost no more than once each."""
    names = [f"D{n}" for n in range(12)]
    everyone = [{"$ref": f"#/$defs/{name}"} for name in names]
    defs = {name: {"anyOf": everyone, "properties": {name: {}}} for name in names}
    got = tool_schema({"anyOf": everyone, "$defs": defs}, root_unions=False)
    assert set(got["properties"]) == set(names)


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({**A, "additionalProperties": False}, True),
        (A, False),
        ({"type": "object", "properties": BOTH, "required": ["a"], "additionalProperties": False}, False),
        ({**A, "additionalProperties": False, "properties": {"a": {**B}}}, False),
        ({"type": "object", "additionalProperties": False}, True),
    ],
)
def test_strict(schema: dict[str, Any], strict: bool) -> None:
    """Only what leaves nothing open can be held to strictly."""
    assert is_strict(schema) is strict


NODES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(
        [{}, {"type": "string"}, {"type": "array"}, {"$ref": "#/$defs/X"}, {"$ref": "#"}, [], 1, None]
    ),
    lambda inner: st.dictionaries(
        st.sampled_from([*UNIONS, "properties", "required", "type", "$defs", "items", "enum", "a"]),
        inner | st.lists(inner, max_size=3),
        max_size=4,
    ),
    max_leaves=8,
)


@given(NODES.filter(lambda node: isinstance(node, dict)), st.booleans())
def test_any_schema(schema: dict[str, Any], unions: bool) -> None:
    """Whatever a generator wrote, the result is an object, and the original is untouched."""
    before = copy.deepcopy(schema)
    got = tool_schema(schema, root_unions=unions)
    assert got["type"] == "object"
    assert isinstance(got["properties"], dict)
    assert unions or not any(key in got for key in UNIONS)
    assert schema == before
    is_strict(schema)
