"""Edits of aider's YAML that leave the rest alone."""

from __future__ import annotations

import pytest

from shunt.connect.places import CannotEdit, Unreadable
from shunt.connect.yaml_text import document, with_value, without_value

TEXT = """\
# aider
model: sonnet  # the best
openai-api-key: 'old'   # work
set-env:
  - FOO=1
  # second
  - "BAR=2"
read:
- CONVENTIONS.md
notes: |
  free text
"""


def test_what_is_understood() -> None:
    """Names with a value, lists, and variables in a list."""
    found = document(TEXT)
    assert found["model"] == "sonnet"
    assert found["openai-api-key"] == "old"
    assert found["set-env"] == {"FOO": "1", "BAR": "2"}
    assert found["read"] == ["CONVENTIONS.md"]


def test_values_change_in_their_place() -> None:
    """Comments stay where they are."""
    changed = with_value(TEXT, ("openai-api-key",), "new")
    assert 'openai-api-key: "new"   # work\n' in changed
    assert changed.replace('"new"', "'old'") == TEXT


def test_new_names_go_to_the_end() -> None:
    """And come out again without a trace."""
    changed = with_value(TEXT, ("openai-api-base",), "http://127.0.0.1:1/v1")
    assert changed == TEXT + 'openai-api-base: "http://127.0.0.1:1/v1"\n'
    assert without_value(changed, ("openai-api-base",)) == TEXT


def test_variables_of_a_list() -> None:
    """One is added or replaced among the others, and taken out again."""
    changed = with_value(TEXT, ("set-env", "BASE"), "x")
    assert '  - "BAR=2"\n  - "BASE=x"\n' in changed
    assert without_value(changed, ("set-env", "BASE")) == TEXT
    assert document(with_value(TEXT, ("set-env", "FOO"), "9"))["set-env"] == {"FOO": "9", "BAR": "2"}
    assert with_value("", ("set-env", "A"), "1") == 'set-env:\n  - "A=1"\n'
    assert without_value('a: 1\nset-env:\n  - "A=1"\n', ("set-env", "A")) == "a: 1\n"
    assert without_value(TEXT, ("set-env", "NO")) == TEXT
    assert without_value(TEXT, ("no",)) == TEXT


@pytest.mark.parametrize("text", ["just words\n", "a: 1\na: 2\n", "a:\n\t- x\n", "  a: 1\n"])
def test_what_is_not_understood_is_refused(text: str) -> None:
    """With the line."""
    with pytest.raises(Unreadable, match="line"):
        with_value(text, ("b",), "1")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a: |\n  text\n", ("a",)),
        ("set-env: [A=1]\n", ("set-env", "B")),
        ("read:\n- x\n", ("read", "B")),
        ("a: 1\n", ("a", "b", "c")),
    ],
)
def test_what_would_have_to_be_guessed_is_left(text: str, path: tuple[str, ...]) -> None:
    """Blocks, lists on one line, lists of something else."""
    with pytest.raises(CannotEdit):
        with_value(text, path, "1")
    if path == ("a",):
        return
    with pytest.raises(CannotEdit):
        without_value("read:\n- x\n", ("read",))
