"""The nearest right spelling, and how a value is shown in a message."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

LONGEST_SHOWN: Final = 80
"""Characters of a value that a message shows at most."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most likely was meant to be, or None when none is close."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def hint(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing when no known word is close."""
    match = nearest(word, known)
    return f"; did you mean {quoted(match)}?" if match is not None else ""


def quoted(text: str) -> str:
    """`text` in double quotes on one line: control and other invisible characters escaped, cut when long."""
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
    return '"' + "".join(_visible(char) for char in shown) + '"'


def plain(text: str) -> bool:
    """Whether every character shows as itself: no control, format, surrogate or unassigned ones."""
    return not any(_invisible(char) for char in text)


def _visible(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char.encode("unicode_escape").decode("ascii") if _invisible(char) else char


def _invisible(char: str) -> bool:
    # C*: control, format (zero-width, right-to-left overrides), surrogate, private, unassigned;
    # Zl and Zp break lines. An ordinary space is fine.
    category = unicodedata.category(char)
    return category[0] == "C" or category in {"Zl", "Zp"}
