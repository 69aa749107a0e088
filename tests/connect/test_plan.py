"""What changes in a file, and the way back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from shunt.connect.base import Edit, Notation, Setting
from shunt.connect.places import ABSENT
from shunt.connect.plan import difference, drifted, planned, taken_back

TEXT = '{\n  "env": {\n    "URL": "theirs"\n  }\n}\n'
EDIT = Edit(
    Path("settings.json"),
    Notation.JSON,
    (
        Setting(("env", "URL"), "ours"),
        Setting(("new", "deep", "key"), 1),
        Setting(("version",), 1, keep=True),
    ),
)


def test_a_plan_and_its_way_back() -> None:
    """What was there comes back, what was not goes, with the tables made for it."""
    change = planned(TEXT, EDIT)
    assert [each.before for each in change.written] == ["theirs", ABSENT, ABSENT]
    assert taken_back(change.after, Notation.JSON, change.written).after == TEXT
    assert drifted(change.after, Notation.JSON, change.written) == ()


def test_what_others_changed_since_stays() -> None:
    """Only our own values are taken back; theirs are named."""
    change = planned(TEXT, EDIT)
    edited = change.after.replace('"ours"', '"somebody\'s"').replace('"key": 1', '"key": 1, "own": 2')
    assert drifted(edited, Notation.JSON, change.written) == ("env.URL",)
    retreat = taken_back(edited, Notation.JSON, change.written)
    assert retreat.kept == ("env.URL",)
    assert '"somebody\'s"' in retreat.after
    assert '"own": 2' in retreat.after
    assert '"key"' not in retreat.after


def test_a_value_that_is_as_good_is_left() -> None:
    """A setting that only has to be there keeps the user's value, and the undo does not touch it."""
    text = '{"version": 7}'
    change = planned(text, EDIT)
    assert '"version": 7' in change.after
    assert ("version",) not in [each.path for each in change.written]


def test_nothing_to_do_is_no_change() -> None:
    """A second plan on the result changes nothing."""
    after = planned(TEXT, EDIT).after
    assert planned(after, EDIT).after == after
    assert difference(planned(after, EDIT), "x") == ""
    assert '+    "URL": "ours"' in difference(planned(TEXT, EDIT), "x")


def test_values_undone_by_hand_are_no_trouble() -> None:
    """Somebody was faster: nothing is kept, nothing is broken."""
    change = planned(TEXT, EDIT)
    assert taken_back(TEXT, Notation.JSON, change.written).after == TEXT
    assert taken_back(TEXT, Notation.JSON, change.written).kept == ()


@pytest.mark.parametrize(
    "before", ["", 'model = "x"\n', '[projects."/b"]\nt = 1\n', '[providers.a]\nname = "a"\n']
)
@pytest.mark.parametrize(
    "since", ['[projects."/a"]\nt = 1\n', "# a note\n[projects.c]\n", "# a note\n", "[other]\n"]
)
def test_no_empty_table_stays_where_the_file_was_changed_since(before: str, since: str) -> None:
    """A client may refuse a whole file for a provider that says nothing; what was added since stays."""
    edit = Edit(
        Path("config.toml"),
        Notation.TOML,
        (
            Setting(("provider",), "ours"),
            Setting(("providers", "ours", "name"), "ours"),
            Setting(("providers", "ours", "url"), "u"),
        ),
    )
    change = planned(before, edit)
    retreat = taken_back(f"{change.after}\n{since}", Notation.TOML, change.written)
    assert tomllib.loads(retreat.after) == tomllib.loads(before + since)
    assert [line for line in retreat.after.splitlines() if line] == (before + since).splitlines()
