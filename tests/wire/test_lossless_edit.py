from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.wire.lossless_edit import splice_model


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"a","x":1.0}', b'{"model":"b","x":1.0}'),
        (b'{ "x" : 1.0 ,\n"model" : "a\\u00e9" }', b'{ "x" : 1.0 ,\n"model" : "b" }'),
        (b'{"tools":[{"model":"a"}],"model":"a"}', b'{"tools":[{"model":"a"}],"model":"b"}'),
        (b'{"t":"\\"model\\":\\"a\\"","model":"a"}', b'{"t":"\\"model\\":\\"a\\"","model":"b"}'),
        (b'{"model":"a","model":"c"}', b'{"model":"a","model":"b"}'),
    ],
)
def test_only_the_models_own_bytes_change(body: bytes, expected: bytes) -> None:
    """Spelling, order, numbers and nested models stay as they were."""
    assert splice_model(body, "b") == expected


@pytest.mark.parametrize("body", [b"{}", b'{"model":3}', b'{"x":{"model":"a"}}', b"[", b'"model":"a"'])
def test_without_a_top_level_model_nothing_is_made_up(body: bytes) -> None:
    """A body that has no such string is left to the caller."""
    assert splice_model(body, "b") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("model"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.text(), st.text(), st.booleans())
def test_a_reader_sees_the_new_model_and_nothing_else_changed(
    document: dict[str, object], old: str, new: str, ascii_only: bool
) -> None:
    """For any body the result is the same document with the other model."""
    document = {**document, "model": old}
    body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        body.decode()
        new.encode()
    except UnicodeError:
        return  # lone surrogates are not JSON text
    spliced = splice_model(body, new)
    assert spliced is not None
    assert json.loads(spliced) == {**document, "model": new}
