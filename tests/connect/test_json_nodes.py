"""JSON with comments, read with positions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.connect.json_nodes import DEEPEST, read
from shunt.connect.places import Unreadable

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(values, st.sampled_from([None, 1, 3]))
def test_plain_json_means_the_same(value: Any, indent: int | None) -> None:
    """Whatever the standard library writes is read alike."""
    assert read(json.dumps(value, indent=indent)).value == value


def test_comments_and_trailing_commas() -> None:
    """Both are what VS Code and its kin allow."""
    text = '\ufeff// top\n{"a": 1, /* in "quotes" */ "b": [1, 2,], // end\n}\n// tail'
    assert read(text).value == {"a": 1, "b": [1, 2]}


def test_nodes_know_where_they_stand() -> None:
    """A span cut out of the text is exactly the value."""
    text = '{ "a" : [1, "x y"] }'
    member = read(text).members[0]
    assert text[member.node.start : member.node.end] == '[1, "x y"]'
    assert [text[node.start : node.end] for node in member.node.elements] == ["1", '"x y"']
    assert text[member.start :].startswith('"a"')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a"}',
        '{"a": }',
        '{"a": 1 "b": 2}',
        "[1, 2",
        '{"a": 1} x',
        "{a: 1}",
        '"open',
        '{"a": "\\q"}',
        "{'a': 1}",
        "nul",
        '{"a": 1, "a": 2}',
        "[" * (DEEPEST + 2),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str) -> None:
    """A person finds the slip by line and column."""
    with pytest.raises(Unreadable, match=r"line \d+, column \d+"):
        read(text)
