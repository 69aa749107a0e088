from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.misread import Misread
from shunt.config.names import folded, name


@pytest.mark.parametrize(
    "written", ["main", "work 2", "a.b-c_d@e", "Zoë", "仕事", "__proto__", "null", "x" * 64]
)
def test_ordinary_names_pass(written: str) -> None:
    """People may call an account what they like, in their own script."""
    assert name(written) == written


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "empty"),
        ("x" * 65, "at most 64"),
        ("a\nb", "invisible"),
        ("a\x1b[31m", "invisible"),
        ("a\u202eb", "invisible"),
        ("a\u200bb", "invisible"),
        (" a", "space"),
        ("a ", "space"),
        ("../x", "/"),
        ("a/b", "/"),
        ("a\\b", "/"),
        (".hidden", "dot"),
        ("-rf", "dash"),
        ("auto", "any account"),
        ("AUTO", "any account"),
    ],
)
def test_names_that_deceive_or_collide_are_refused(written: str, said: str) -> None:
    """Names that hide characters, look like paths or options, or already mean something are refused."""
    with pytest.raises(Misread, match=said):
        name(written)


def test_names_are_composed() -> None:
    """A name typed with combining accents is the same name as one typed without."""
    assert name("Zoe\u0308") == "Zo\u00eb"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("Main", "mAIN", True), ("Zoe\u0308", "ZO\u00cb", True), ("straße", "STRASSE", True), ("a", "b", False)],
)
def test_folding_ignores_case_and_composition(left: str, right: str, *, same: bool) -> None:
    """Names a person would take for the same fold to the same."""
    assert (folded(left) == folded(right)) is same


@given(st.text(max_size=20))
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded name is its own folded form."""
    assert folded(folded(text)) == folded(text)
