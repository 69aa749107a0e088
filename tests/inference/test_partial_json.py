"""Arguments in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiter import from_json

from shunt.inference.partial_json import PartialObject

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=4)
ENCODERS = st.sampled_from(
    [
        json.dumps,
        lambda v: json.dumps(v, ensure_ascii=False),
        lambda v: json.dumps(v, indent=1, separators=(" ,", " : ")),
    ]
)


@given(OBJECTS, ENCODERS, st.integers(1, 7))
def test_takes_every_object_in_any_pieces(
    value: dict[str, object], encode: Callable[[object], str], size: int
) -> None:
    """A JSON object passes, however it is written and cut, and is complete only at its end."""
    text = encode(value)
    partial = PartialObject()
    for at in range(0, len(text), size):
        assert not partial.complete
        assert partial.feed(text[at : at + size])
    assert partial.complete
    assert partial.feed(" \n")
    assert not partial.feed("{")


@pytest.mark.parametrize(
    "text",
    [
        '{"x": nope',
        "[1]",
        '"text"',
        "null",
        "1",
        "}",
        "{}{}",
        "{}x",
        '{"a":1,}',
        "{,}",
        '{"a":[1,]}',
        '{"a":[,1]}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":-}',
        '{"a":1e}',
        '{"a":+1}',
        '{"a":.5}',
        '{"a":truth}',
        '{"a":tru}',
        '{"a" 1}',
        '{"a":1 "b":2}',
        "{a:1}",
        '{"a":1]',
        '{"a":[1}',
        '{"a"}',
        '{"a":}',
        '{"a":"\x01"}',
        '{"a":"\\x"}',
        '{"a":"\\u00g0"}',
        '{"a":"\\ud800"}',
        '{"a":"\\ud800x"}',
        '{"a":"\\ud800\\n"}',
        '{"a":"\\udc00"}',
        '{"a":NaN}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":' * 300,
        "\x00",
    ],
)
def test_refuses_what_is_no_object(text: str) -> None:
    """The first character that no JSON object can have there is refused."""
    assert not PartialObject().feed(text)


@given(
    st.lists(
        st.sampled_from(
            [*'{}[]:,"\\ -0159.eE+u', "true", "null", '"a"', '"a":', "\\ud83d", "\\ude00", "\\n", "x", "é"]
        ),
        max_size=14,
    ).map(lambda pieces: "{" + "".join(pieces))
)
def test_what_passes_no_client_crashes_on(text: str) -> None:
    """Whatever is let through, the parser of the official SDK takes, at every step."""
    partial = PartialObject()
    for at, char in enumerate(text):
        if not partial.feed(char):
            return
        found = from_json(text[: at + 1].encode(), partial_mode=True)
        assert isinstance(found, dict)
        if partial.complete:
            assert json.loads(text[: at + 1]) == found
