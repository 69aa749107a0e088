from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.wire.lossless_edit import splice_model, splice_texts


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


AUTH = """{
   "auth_mode" : "chatgpt", "OPENAI_API_KEY": null,
\t"tokens": {"id_token": "i1", "refresh_token" :"r\\u0031","access_token":"a1", "n": 1.50, "tokens": {"access_token": "x"}},
   "last_refresh": "2026-01-01T00:00:00Z"  }
"""


def test_texts_are_replaced_where_they_stand() -> None:
    """At any depth, several at once; every other byte stays."""
    changes = {("tokens", "access_token"): 'a"2', ("tokens", "refresh_token"): "r2", ("last_refresh",): "now"}
    assert splice_texts(AUTH, changes) == (
        AUTH.replace('"a1"', '"a\\"2"')
        .replace('"r\\u0031"', '"r2"')
        .replace('"2026-01-01T00:00:00Z"', '"now"')
    )


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"a": 1}',
        '{"a": {}}',
        '{"a": {"c": "x"}}',
        '{"a": {"b": "x"}',
        '{"a": {"b": "x"}} x',
    ],
)
def test_texts_that_are_not_there_are_left_to_the_caller(document: str) -> None:
    """So is what is no JSON."""
    assert splice_texts(document, {("a", "b"): "new"}) is None


def test_of_equal_names_the_last_is_replaced() -> None:
    """It is the one that readers see."""
    assert splice_texts('{"a":"1","a":"2"}', {("a",): "3"}) == '{"a":"1","a":"3"}'


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda it: st.dictionaries(st.text(), it), max_leaves=9
    )
)
def test_any_object_is_changed_in_one_place_only(inner: object) -> None:
    """Whatever stands around it."""
    document = {"x": inner, "deep": {"y": inner, "it": "old", "z": inner}, "w": inner}
    for text in (json.dumps(document), json.dumps(document, indent=3, ensure_ascii=False)):
        changed = splice_texts(text, {("deep", "it"): "n\u00e9w"})
        assert changed is not None
        assert json.loads(changed) == {**document, "deep": {**document["deep"], "it": "n\u00e9w"}}  # type: ignore[dict-item]
