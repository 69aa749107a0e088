"""Calls that a model wrote as text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.upstream.claude_code.textual_calls import LONGEST, TextualCalls

TOOLS = frozenset({"look", "get-time"})
FORMS = [
    ('<tool_use>{"name": "look", "input": {"x": 1}}</tool_use>', [("look", {"x": 1})]),
    (
        """<function_calls>
<invoke name="look">
<parameter name="x">1</parameter>
<parameter name="y">{"z": [1]}</parameter>
</invoke>
<invoke name="get-time"></invoke>
</function_calls>""",
        [("look", {"x": "1", "y": {"z": [1]}}), ("get-time", {})],
    ),
    ('<invoke name="look"><parameter name="x">a b</parameter></invoke>', [("look", {"x": "a b"})]),
    ('[tool_use: look {"x": "]"}]', [("look", {"x": "]"})]),
    ("[Tool: get-time {}]", [("get-time", {})]),
]


def read(pieces: Sequence[str], tools: frozenset[str] = TOOLS) -> tuple[str, list[tuple[str, Any]]]:
    """The text and the calls in it."""
    finder = TextualCalls(tools)
    found = [piece for text in pieces for piece in finder.feed(text)]
    found += finder.close()
    text = "".join(piece.text for piece in found)
    return text, [(piece.name, dict(piece.input)) for piece in found if piece.name]


@pytest.mark.parametrize(("form", "calls"), FORMS)
def test_each_form_is_read(form: str, calls: list[tuple[str, Any]]) -> None:
    """Among text, which stays text."""
    assert read([f"I will. {form} Done."]) == ("I will.  Done.", calls)


@pytest.mark.parametrize(("form", "calls"), FORMS)
@given(cuts=st.lists(st.integers(0, 200), max_size=6))
def test_any_chunking_reads_the_same(form: str, calls: list[tuple[str, Any]], cuts: list[int]) -> None:
    """However the text is cut."""
    whole = f"a <b> [c] {form} d"
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(places)]
    assert read(pieces) == ("a <b> [c]  d", calls)


@pytest.mark.parametrize(
    "text",
    [
        "a < b and [c] and <tool",
        '<tool_use>{"name": "stranger"}</tool_use>',
        "<tool_use>not json</tool_use>",
        "[Tool: look at this]",
        '<invoke name="stranger"></invoke>',
        "<tool_use>" + "x" * LONGEST,
    ],
)
def test_what_is_no_call_stays_text(text: str) -> None:
    """Every letter of it, also when a form never ends."""
    assert read([text]) == (text, [])


def test_without_tools_nothing_is_read() -> None:
    """Nobody could run it."""
    assert read([FORMS[0][0]], frozenset()) == (FORMS[0][0], [])


@given(st.lists(st.text(alphabet='<[tool_use:]>{}"\\ \n', max_size=40), max_size=6))
def test_nothing_is_lost(pieces: list[str]) -> None:
    """Text that holds no call comes out as it went in."""
    assert read(pieces) == ("".join(pieces), [])


def test_ids_differ() -> None:
    """Two calls in one answer are told apart."""
    finder = TextualCalls(TOOLS)
    found = [*finder.feed("[Tool: look {}][Tool: look {}]"), *finder.close()]
    assert len({piece.id for piece in found}) == 2
