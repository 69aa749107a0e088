"""Strangers' words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.wire.words import is_html, words


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("  Rate   limited\n\tnow  ", "Rate limited now"),
        ("red \x1b[31mtext\x00\u202e", "red [31mtext"),
        (b"caf\xc3\xa9 \xff", "café \ufffd"),
        ("<html><head><title> 502 Bad\n Gateway </title></head><body>x</body></html>", "502 Bad Gateway"),
        ("<!DOCTYPE html><body><script>x()</script><h1>No &amp; no</h1></body>", "No & no"),
        ("a < b and b > c", "a < b and b > c"),
        ("abcdefghij", "abcdefghij"),
        ("abcdefghi jklmnopqrstuvwxyz and more", "abcdefghi jklmnopqrstuvwxyz a…"),
        ("", ""),
    ],
)
def test_words_fit_for_a_line(source: bytes | str, expected: str) -> None:
    """One line, no control characters, pages reduced to their title, cut with a mark."""
    assert words(source, 30) == expected


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_text_is_made_safe(source: bytes | str) -> None:
    """Nothing that moves a cursor or reorders text survives, and the limit holds."""
    found = words(source, 40)
    assert len(found) <= 40
    assert not any(unicodedata.category(character)[0] == "C" for character in found)


def test_a_page_of_any_size_is_read_quickly() -> None:
    """A hostile page with endless half-open tags costs no more than its first part."""
    assert words("<html>" + "<script" * 1_000_000, 30) is not None


@pytest.mark.parametrize(
    ("text", "expected"), [("<html>", True), ("  <!doctype html>", True), ('{"a":"b"}', False), ("", False)]
)
def test_pages_are_recognised(text: str, expected: bool) -> None:
    """JSON that mentions HTML later on is not a page."""
    assert is_html(text) is expected
