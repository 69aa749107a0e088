"""Reading fields of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.protocols.fields import Fields, kind_of

BODY = Fields(
    {
        "text": "t",
        "empty": "",
        "null": None,
        "yes": True,
        "five": 5,
        "half": 0.5,
        "whole": 5.0,
        "list": [{"a": 1}, {"a": 2}],
        "words": ["a", "b"],
        "object": {"inner": {"n": "x"}},
    }
)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda f: f.text("text"), "t"),
        (lambda f: f.text("gone"), ""),
        (lambda f: f.text("null", "default"), "default"),
        (lambda f: f.required_text("text"), "t"),
        (lambda f: f.flag("yes"), True),
        (lambda f: f.flag("gone"), None),
        (lambda f: f.number("half"), 0.5),
        (lambda f: f.number("null"), None),
        (lambda f: f.count("whole"), 5),
        (lambda f: f.count("gone"), None),
        (lambda f: f.object("gone"), None),
        (lambda f: f.mapping("object"), {"inner": {"n": "x"}}),
        (lambda f: f.mapping("gone"), None),
        (lambda f: [one.document for one in f.objects("list")], [{"a": 1}, {"a": 2}]),
        (lambda f: list(f.objects("gone")), []),
        (lambda f: f.texts("words"), ("a", "b")),
    ],
)
def test_reads_what_is_there(read: Callable[[Fields], Any], value: Any) -> None:
    """Right types are returned, missing and null ones are the default."""
    assert read(BODY) == value


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        (lambda f: f.text("five"), "`five` must be a string, got a number."),
        (lambda f: f.required_text("gone"), "`gone` is missing."),
        (lambda f: f.required_text("null"), "`null` is missing."),
        (lambda f: f.required_text("empty"), "`empty` is empty."),
        (lambda f: f.flag("text"), "`text` must be true or false, got a string."),
        (lambda f: f.number("yes"), "`yes` must be a number, got true."),
        (lambda f: f.count("half"), "`half` must be a whole number, 0 or more, got 0.5."),
        (lambda f: f.items("object"), "`object` must be an array, got an object."),
        (lambda f: f.texts("list"), "`list[0]` must be a string, got an object."),
        (lambda f: list(f.objects("words")), "`words[0]` must be an object, got a string."),
        (
            lambda f: f.object("object").object("inner").count("n"),
            "`object.inner.n` must be a number, got a string.",
        ),
        (lambda f: next(f.objects("list")).text("a"), "`list[0].a` must be a string, got a number."),
    ],
)
def test_says_what_is_wrong_and_where(read: Callable[[Fields], Any], complaint: str) -> None:
    """A wrong type names its place in the body, what is expected and what was found."""
    with pytest.raises(InvalidRequest) as caught:
        read(BODY)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (False, "false"),
        (1, "a number"),
        ("", "a string"),
        ([], "an array"),
        ({}, "an object"),
    ],
)
def test_names_every_kind(value: Any, kind: str) -> None:
    """What JSON can hold has a name."""
    assert kind_of(value) == kind
