from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.spelling import hint, nearest, plain, quoted

STRATEGIES = ("maximus", "reaper", "cushion", "carousel", "priority")


@pytest.mark.parametrize(
    ("word", "meant"),
    [("maximal", "maximus"), ("MAXIMUS", "maximus"), ("priorty", "priority"), ("quux", None), ("", None)],
)
def test_nearest(word: str, meant: str | None) -> None:
    """A slip finds the word that was meant; a stranger finds nothing."""
    assert nearest(word, STRATEGIES) == meant


def test_hint_is_ready_to_append() -> None:
    """The suggestion continues a sentence, or is nothing."""
    assert hint("maximal", STRATEGIES) == '; did you mean "maximus"?'
    assert not hint("quux", STRATEGIES)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", '"a"'),
        ('say "hi"\\', '"say \\"hi\\"\\\\"'),
        ("a\nb\x1b", '"a\\nb\\x1b"'),
        ("\u202eevil", '"\\u202eevil"'),
        ("Zoë", '"Zoë"'),
        ("x" * 100, '"' + "x" * 80 + '…"'),
    ],
)
def test_quoted(text: str, shown: str) -> None:
    """Foreign text is shown on one line, its invisible characters escaped, never at length."""
    assert quoted(text) == shown


@given(st.text())
def test_quoted_is_always_one_printable_line(text: str) -> None:
    """Nothing that is quoted can move the cursor, break the line or flood the terminal."""
    shown = quoted(text)
    assert plain(shown)
    assert shown.splitlines() == [shown]
    shown.encode()
