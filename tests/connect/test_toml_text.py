"""Edits of TOML that leave the rest alone."""

from __future__ import annotations

import pytest

from shunt.connect.places import CannotEdit, Item, Unreadable
from shunt.connect.toml_text import document, with_value, without_value

TEXT = """\
# mine
model = "gpt-5.5"   # the best

[profiles.work]
model = "o5"

[mcp_servers.docs]   # tools
command = "docs"
"""


def test_a_top_level_key_stands_before_the_tables() -> None:
    """Anywhere else it would belong to a table."""
    changed = with_value(TEXT, ("model_provider",), "shunt")
    assert document(changed)["model_provider"] == "shunt"
    assert changed.index("model_provider") < changed.index("[profiles.work]")
    assert changed.replace('model_provider = "shunt"\n', "") == TEXT


def test_a_new_table_is_written_under_its_full_name() -> None:
    """As people write it; no empty parent appears."""
    changed = with_value(TEXT, ("model_providers", "shunt", "name"), "shunt")
    assert "[model_providers.shunt]\n" in changed
    assert "[model_providers]\n" not in changed
    assert changed.startswith(TEXT.rstrip("\n"))


def test_tables_as_values() -> None:
    """Headers go on one line."""
    changed = with_value(TEXT, ("p", "http_headers"), {"x-api-key": "k"})
    assert document(changed)["p"]["http_headers"] == {"x-api-key": "k"}


def test_replaced_and_taken_out() -> None:
    """A value changes in its place; what was put in can be taken out."""
    changed = with_value(TEXT, ("model",), "x")
    assert changed == TEXT.replace('"gpt-5.5"', '"x"')
    assert document(without_value(changed, ("profiles", "work", "model"))) == {
        **document(changed),
        "profiles": {"work": {}},
    }
    assert without_value(TEXT, ("no", "such")) == TEXT


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('model = "x"\n\n[p.ours]\n\n[q."/a"]\nt = 1\n', 'model = "x"\n\n[q."/a"]\nt = 1\n'),
        ("[p.ours]\n", ""),
        ('[q."/a"]\nt = 1\n\n[p.ours]\n', '[q."/a"]\nt = 1\n'),
        ("[p.other]\nx = 1\n\n[p.ours]\n\n[q]\n", "[p.other]\nx = 1\n\n[q]\n"),
        ("[p]\n\n[p.ours]\n\n[q]\n", "[p]\n\n[q]\n"),
        ("a = 1\n\n# one\n[p.ours]\n# two\n\n# three\n[q]\n", "a = 1\n\n# one\n# two\n\n# three\n[q]\n"),
        ('a = """\n[p.ours]\n"""\n\n[p.ours]\n', 'a = """\n[p.ours]\n"""\n'),
        ("a = 1\r\n\r\n[p.ours]\r\n\r\n[q]\r\n", "a = 1\r\n\r\n[q]\r\n"),
    ],
)
def test_an_empty_table_goes_with_the_parent_it_alone_implied(text: str, left: str) -> None:
    """Wherever it stands; comments stay, and so does a parent that is written or has other tables."""
    assert without_value(text, ("p", "ours")) == left


def test_windows_line_ends_stay() -> None:
    """All of them."""
    changed = with_value(TEXT.replace("\n", "\r\n"), ("model_provider",), "shunt")
    assert "\n" not in changed.replace("\r\n", "")


def test_what_cannot_be_edited_is_refused() -> None:
    """Broken files, and paths that TOML has no word for."""
    with pytest.raises(Unreadable):
        with_value("a = ", ("b",), 1)
    with pytest.raises(CannotEdit):
        with_value("a = 1", ("a", "b"), 1)
    with pytest.raises(CannotEdit):
        with_value("", ("a", Item("name", "x")), 1)
