"""Edits of JSON that leave the rest alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.connect.json_text import document, with_value, without_value
from shunt.connect.places import CannotEdit, Item, Unreadable, find

COMMENTED = """\
// settings
{
    "model": "opus", // the best
    "env": {
        "A": "1" // keep
    },
    "list": [
        { "name": "x", "value": "1" }
    ] /* end */
}
"""


def test_a_value_is_replaced_in_its_place() -> None:
    """Only its own characters change."""
    assert with_value(COMMENTED, ("env", "A"), "2") == COMMENTED.replace('"1" // keep', '"2" // keep')


def test_a_new_member_follows_the_file_s_own_layout() -> None:
    """Its indentation is that of its neighbours, and their comments stay with them."""
    changed = with_value(COMMENTED, ("env", "B"), "2")
    assert '        "A": "1", // keep\n        "B": "2"\n' in changed


def test_tables_on_the_way_are_made() -> None:
    """A setting deep in a file that has none of it."""
    changed = with_value(COMMENTED, ("p", "q", "r"), True)
    assert find(document(changed), ("p", "q", "r")) is True
    assert changed.startswith(COMMENTED[: COMMENTED.index("]") + 1])
    assert '    "p": {\n        "q": {\n            "r": true\n' in changed


def test_elements_of_a_list_are_found_by_a_field() -> None:
    """One is replaced, another one appended."""
    for name in ("x", "y"):
        item = {"name": name, "value": "2"}
        changed = with_value(COMMENTED, ("list", Item("name", name)), item)
        assert find(document(changed), ("list", Item("name", name))) == item
        assert "// the best" in changed
        assert find(document(changed), ("list", Item("name", "x"))) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", '{\n  "a": 1\n}\n'),
        ("{}", '{\n  "a": 1\n}'),
        ('{"b": 2}', '{"b": 2, "a": 1}'),
        ('{\r\n\t"b": 2,\r\n}\r\n', '{\r\n\t"b": 2,\r\n\t"a": 1\r\n}\r\n'),
        ("{\n  // nothing yet\n}\n", '{\n  // nothing yet\n\n  "a": 1\n}\n'),
    ],
)
def test_layouts(text: str, expected: str) -> None:
    """Empty files, one line, Windows line ends, trailing commas, comments alone."""
    assert with_value(text, ("a",), 1) == expected


@pytest.mark.parametrize("path", [("env", "A"), ("env",), ("model",), ("list",), ("list", Item("name", "x"))])
def test_taking_out_leaves_valid_json(path: Any) -> None:
    """First, last and only members go together with their comma."""
    changed = without_value(COMMENTED, path)
    meant = document(COMMENTED)
    assert find(document(changed), path) != find(meant, path)
    assert "// settings" in changed


def test_putting_in_and_taking_out_is_no_change() -> None:
    """For layouts that people and programs write."""
    for text in (COMMENTED, json.dumps({"a": {"b": 1}}, indent=2) + "\n", '{"a": {"b": 1}}'):
        assert without_value(with_value(text, ("zz",), "x"), ("zz",)) == text


def test_what_is_no_table_is_left() -> None:
    """A path through a text, or a name in a list, is for a person to sort out."""
    with pytest.raises(CannotEdit):
        with_value('{"env": "text"}', ("env", "A"), 1)
    with pytest.raises(CannotEdit):
        with_value('{"env": []}', ("env", "A"), 1)
    with pytest.raises(Unreadable):
        with_value('{"env": ', ("env", "A"), 1)
    assert without_value("{}", ("no", "such")) == "{}"


names = st.sampled_from(["a", "b", "c"])
tables = st.recursive(st.integers(), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=8)


@given(st.dictionaries(names, tables, max_size=3), st.lists(names, min_size=1, max_size=3), st.integers())
def test_every_edit_means_what_it_should_or_is_refused(
    start: dict[str, Any], path: list[str], value: int
) -> None:
    """The rest of the document is the same afterwards, and taking out undoes putting in."""
    text = json.dumps(start, indent=2)
    try:
        changed = with_value(text, tuple(path), value)
    except CannotEdit:
        return
    assert find(document(changed), tuple(path)) == value
    gone = document(without_value(changed, tuple(path)))
    assert {name: gone[name] for name in start if name != path[0]} == {
        name: old for name, old in start.items() if name != path[0]
    }
