from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.store.toml_edits import CannotEdit, with_item, with_value, without_item

TEXT = """\
# my shunt
[server]
port = 8082   # where the agents look

# the accounts
[[accounts]] # first
name = "a"
models = [
  "x", # best
]
# about a

# about b
[[accounts]]
name = "b"

[accounts.headers]
x = "1"

[routing]
wait = "5h"
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_item_is_appended_after_a_blank_line(ending: str) -> None:
    """Everything that stood there stays byte for byte; line ends follow the file."""
    text = TEXT.replace("\n", ending)
    block = ["", "[[accounts]]", 'name = "c"', "priority = 1", 'headers = {x-a = "1"}', ""]
    edited = with_item(text, "accounts", {"name": "c", "priority": 1, "headers": {"x-a": "1"}})
    assert edited == text + ending.join(block)


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", '[[accounts]]\nname = "c"\n'),
        ("# only this", '# only this\n\n[[accounts]]\nname = "c"\n'),
        ("[server]\n\n\n", '[server]\n\n[[accounts]]\nname = "c"\n'),
    ],
)
def test_the_first_item(text: str, edited: str) -> None:
    """An empty or short file gets its first item."""
    assert with_item(text, "accounts", {"name": "c"}) == edited


def test_an_inline_list_is_extended() -> None:
    """A list that people wrote inline stays inline."""
    edited = with_item('accounts = [{name = "a"}] # mine\n[server]\n', "accounts", {"name": "c"})
    assert tomllib.loads(edited) == {"accounts": [{"name": "a"}, {"name": "c"}], "server": {}}
    assert "# mine" in edited
    assert "[[" not in edited


def test_an_item_is_removed_with_its_parts_only() -> None:
    """Header, keys and subtables go; comments and blank lines around them stay."""
    assert without_item(TEXT, "accounts", 1) == TEXT.replace(
        '[[accounts]]\nname = "b"\n\n[accounts.headers]\nx = "1"\n\n', ""
    ).replace("# about b\n", "# about b\n\n")
    assert without_item(TEXT, "accounts", 0) == TEXT.replace(
        '[[accounts]] # first\nname = "a"\nmodels = [\n  "x", # best\n]\n', ""
    )


def test_the_last_item_is_removed() -> None:
    """Nothing but the rest of the file is left."""
    assert without_item('[server]\n\n[[accounts]]\nname = "a"\n', "accounts", 0) == "[server]\n"
    assert tomllib.loads(without_item('accounts = [{name = "a"}]\n', "accounts", 0)).get("accounts", []) == []


def test_a_part_that_stands_elsewhere_is_found() -> None:
    """A subtable written after other sections goes with its item, and they stay."""
    text = '[[accounts]]\nname = "a"\n[server]\nport = 1\n[accounts.headers]\nx = "1"\n'
    edited = tomllib.loads(without_item(text, "accounts", 0))
    assert (edited["server"], edited.get("accounts", [])) == ({"port": 1}, [])


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("port", 9000, "port = 8082   # where", "port = 9000   # where"),
        ("host", "::1", "agents look\n", 'agents look\nhost = "::1"\n'),
        ("allowed_hosts", ["a", "b"], "agents look\n", 'agents look\nallowed_hosts = ["a", "b"]\n'),
    ],
)
def test_a_value_is_set_in_its_place(key: str, value: Any, old: str, new: str) -> None:
    """A key that is there keeps its line and comment; a new one follows the last of its section."""
    assert with_value(TEXT, "server", key, value) == TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", '[routing]\nstrategy = "reaper"\n'),
        ("[server]\nport = 1\n", '[server]\nport = 1\n\n[routing]\nstrategy = "reaper"\n'),
        ("[routing]\n\n[server]\nport = 1\n", '[routing]\nstrategy = "reaper"\n\n[server]\nport = 1\n'),
        ("[routing]\r\nwait = 1\r\n", '[routing]\r\nwait = 1\r\nstrategy = "reaper"\r\n'),
        ("[routing]\nwait = 1", '[routing]\nwait = 1\nstrategy = "reaper"'),
    ],
)
def test_a_value_in_a_new_place(text: str, edited: str) -> None:
    """A missing section is appended; an empty one is filled."""
    assert with_value(text, "routing", "strategy", "reaper") == edited


@pytest.mark.parametrize(
    "text", ["routing.wait = 1\n", "routing = {wait = 1}\n", '"routing".wait = 1\n[server]\n']
)
def test_odd_layouts_are_edited_right_or_not_at_all(text: str) -> None:
    """However a section is written, the edit means what was asked, or is declined."""
    meant = tomllib.loads(text)
    meant["routing"]["strategy"] = "reaper"
    try:
        edited = with_value(text, "routing", "strategy", "reaper")
    except CannotEdit:
        return
    assert tomllib.loads(edited) == meant


@pytest.mark.parametrize("text", ["accounts = 5\n", '[accounts]\nname = "a"\n'])
def test_what_is_no_list_is_not_edited(text: str) -> None:
    """A section of the wrong kind is left for people to correct."""
    with pytest.raises(CannotEdit):
        with_item(text, "accounts", {"name": "c"})
    with pytest.raises(CannotEdit):
        without_item(text, "accounts", 0)
    with pytest.raises(CannotEdit):
        with_value("server = 5\n", "server", "port", 1)


def test_an_edit_that_went_wrong_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that does not mean what was asked is thrown away, whoever made it."""
    monkeypatch.setattr("shunt.store.toml_edits._appended", lambda text, _block: text)
    monkeypatch.setattr("tomlkit.dumps", lambda _document: "accounts = [")
    with pytest.raises(CannotEdit):
        with_item("", "accounts", {"name": "c"})
    with pytest.raises(CannotEdit):
        with_item("accounts = []\n", "accounts", {"name": "c"})


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "# c",
            "",
            "[server]\nport = 1",
            "[routing]\nwait = '''\n[[accounts]]\n'''",
            "[models]\n'*' = { openai = 'x' }",
        ]
    ),
    unique=True,
)
ITEMS = st.lists(
    st.sampled_from(["# c", 'name = "n"', "headers = {a = '1'}", "models = [\n'a',\n# ]\n]", ""]), unique=True
)


@given(STATEMENTS, st.lists(ITEMS, min_size=1, max_size=3), STATEMENTS, st.data())
def test_edits_mean_what_was_asked(
    before: list[str], items: list[list[str]], after: list[str], data: Any
) -> None:
    """In any file of ordinary layout each edit changes exactly what it says, and keeps every comment."""
    after = [each for each in after if not each.startswith("[") or each not in before]
    blocks = ["\n".join(("[[accounts]]", *item)) for item in items]
    text = "\n".join((*before, *blocks, *after)) + "\n"
    document = tomllib.loads(text)
    index = data.draw(st.integers(0, len(items) - 1))
    shorter = without_item(text, "accounts", index)
    remaining = [item for n, item in enumerate(document["accounts"]) if n != index]
    assert tomllib.loads(shorter).get("accounts", []) == remaining
    longer = with_item(text, "accounts", {"name": "new"})
    assert tomllib.loads(longer)["accounts"] == [*document["accounts"], {"name": "new"}]
    moved = with_value(text, "server", "port", 9)
    assert tomllib.loads(moved) == {**document, "server": {"port": 9}}
    for edited in (longer, moved):
        assert edited.count("# c") == text.count("# c")
