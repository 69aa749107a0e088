"""Tool arguments as text, as objects, as free text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.inference.arguments import as_object, as_text, unwrapped, wrapped


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('{"x":1}', {"x": 1}),
        ("", {}),
        (" \n", {}),
        ('{"x": nope', {"raw_arguments": '{"x": nope'}),
        ("[1]", {"raw_arguments": "[1]"}),
        ("null", {"raw_arguments": "null"}),
        ("\ud800", {"raw_arguments": "\ud800"}),
    ],
)
def test_text_becomes_an_object(arguments: str, found: dict[str, Any]) -> None:
    """What is no object is kept as raw text: the model's mistake is not hidden."""
    assert as_object(arguments) == found


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        ('{"x": 1}', '{"x": 1}'),
        ("", "{}"),
        ("{broken", "{broken"),
        (None, "{}"),
        ({"x": 1}, '{"x":1}'),
        ([], "[]"),
    ],
)
def test_anything_becomes_text(sent: Any, arguments: str) -> None:
    """Objects where a string is due are written out; nothing is an empty object."""
    assert as_text(sent) == arguments


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_free_text_survives_its_wrapping(text: str) -> None:
    """A custom tool's input comes back exactly as it was."""
    assert unwrapped(wrapped(text)) == text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"patch":"p"}', "p"),
        ('{"input":"p","more":1}', "p"),
        ('"p"', "p"),
        ("{}", ""),
        ('{"a":"p","b":"q"}', '{"a":"p","b":"q"}'),
        ('{"input":1}', '{"input":1}'),
        ("plain p", "plain p"),
    ],
)
def test_free_text_is_found_in_what_the_model_wrote(arguments: str, text: str) -> None:
    """Another key, a bare string or no JSON at all still gives the tool its input."""
    assert unwrapped(arguments) == text
