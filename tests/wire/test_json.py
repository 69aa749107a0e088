"""JSON as it is met in the field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct

from shunt.errors import InvalidRequest
from shunt.wire import json

DEEP = b"[" * 100_000 + b"]" * 100_000


class Shape(Struct):
    model: Raw = Raw()
    rest: Raw = Raw()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}),
        (b'{"a": "\\ud800 b"}', {"a": "\ufffd b"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a": 12345678901234567890123}', {"a": 12345678901234567890123}),
        (b'{"a": ' + b"1" * 5000 + b"}", {"a": None}),
    ],
)
def test_reads_what_the_world_writes(document: bytes, expected: object) -> None:
    """NaN, byte order marks and lone surrogates, which msgspec refuses, do not hide the rest."""
    assert json.value(document) == expected
    assert json.decode_object(document) == expected


@pytest.mark.parametrize(
    "document",
    [b'{"model": "m", "rest": NaN}', b'{"model": "m", "rest": "\\ud800"}', b'\xef\xbb\xbf{"model": "m"}'],
)
def test_parts_are_read_from_odd_documents(document: bytes) -> None:
    """One field can be read although another is not to msgspec's taste."""
    shape = json.decode(document, Shape)
    assert json.peek(shape.model, str) == "m"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "The body is not valid JSON: Expecting value: line 1 column 1"),
        (b"not json", "The body is not valid JSON"),
        (b'{"model": "m", "rest": [', r"The body is not valid JSON: .*line 1 column 25"),
        (b'{"a": "\xff"}', "The body is not valid JSON: .*utf-8"),
        (b"[1]", "The body has the wrong shape: Expected `object`, got `array`"),
        (b'{"rest": ' + DEEP + b"}", "The body is nested too deeply"),
        (DEEP, "The body"),
    ],
)
def test_a_clients_bad_document_is_its_own_fault(document: bytes, said: str) -> None:
    """The error says what is wrong and where; depth bombs are no exception."""
    with pytest.raises(InvalidRequest, match=said):
        json.decode_object(document)


@pytest.mark.parametrize(
    "document", [b"", b"not json", b"[1]", b'{"rest": ' + DEEP + b"}", b"\xff\xfe{\x00}\x00"]
)
def test_a_strangers_bad_document_is_none(document: bytes) -> None:
    """Looking into an answer never raises."""
    assert json.peek(document, Shape) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_a_document_or_not(data: bytes) -> None:
    """Reading has two outcomes: a value, or InvalidRequest for clients and None for others."""
    found = json.value(data)
    try:
        assert json.decode(data, object) == found
    except InvalidRequest:
        assert found is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(), st.lists, max_leaves=10
    )
)
def test_what_is_encoded_is_read_back(document: object) -> None:
    """Encoding never fails for text of any kind."""
    assert json.value(json.encode(document)) == document


def test_a_lone_surrogate_is_encoded_as_an_escape() -> None:
    """An error message that quotes half a character can still be sent."""
    assert json.encode({"a": "\ud800"}) == b'{"a":"\\ud800"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a":1} trailing', {"a": 1}),
        (b'{"a":{"b":2}},"c":3}', {"a": {"b": 2}}),
        (b'{"a":', None),
        (b"", None),
        (b"[" * 100_000, None),
    ],
)
def test_the_first_value_of_a_text(text: bytes, expected: object) -> None:
    """first() reads one value and leaves what follows."""
    assert json.first(text) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"a":1}', "an object"),
        (b'\xef\xbb\xbf {"a":1}', "an object"),
        (b" [1]", "an array"),
        (b'"x"', "a string"),
        (b"true", "true"),
        (b"false", "false"),
        (b"null", "null"),
        (b"-1", "a number"),
        (b"", "nothing"),
        (Raw(b"[1]"), "an array"),
    ],
)
def test_kinds_have_names(document: bytes, expected: str) -> None:
    """Messages can say what was found in place of what was expected."""
    assert json.kind(document) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (3, 3),
        (0, 0),
        (3.0, 3),
        (-1, None),
        (True, None),
        ("3", None),
        (None, None),
        (float("inf"), None),
        (float("nan"), None),
    ],
)
def test_counts(number: object, expected: int | None) -> None:
    """Only numbers from zero up count things."""
    assert json.count(number) == expected


@pytest.mark.parametrize("document", [b'{"z":[%s]}', b"[%s]"])
def test_a_document_of_too_many_parts_is_refused(document: bytes) -> None:
    """Taking it apart would hold up everybody; what is only passed over may have as many as it likes."""
    whole = document % b",".join([b"[]"] * json.MOST_PARTS)
    assert json.value(whole) is None
    with pytest.raises(InvalidRequest, match="has more than 500,000 commas and brackets"):
        json.decode(whole, Any)
    body = b'{"model":"m","z":%s}' % whole
    assert bytes(json.decode(body, Shape).model) == b'"m"'
    with pytest.raises(InvalidRequest, match="has more than 500,000 commas and brackets"):
        json.decode_object(body)


def test_numbers_of_many_digits_are_read_as_others() -> None:
    """In a document of any size, by whichever of the two ways."""
    for number in (1, 1000):
        assert (
            json.value(b"[%s]" % b",".join([b"1.234567890123456789e-300"] * number))
            == [1.234567890123456789e-300] * number
        )
        assert json.value(b"[%s,1e999]" % b",".join([b"1"] * number * 3))[-1] is None


@pytest.mark.parametrize("number", [10**400, 10**19, 1e308, float("inf"), float("nan"), -1, True, "7", None])
def test_an_absurd_number_counts_nothing(number: object) -> None:
    """A vendor's nonsense ends no answer, and spoils no sum."""
    assert json.count(number) is None
    assert json.count(10**12) == 10**12
