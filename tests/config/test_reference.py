from __future__ import annotations

import tomllib

import pytest

from shunt.config.reference import Entry, entries, markdown, reference
from shunt.config.structure import parse
from shunt.config.types import LISTS, TABLES, Config, keys_of


def test_every_key_has_a_text() -> None:
    """No key can be added without saying what it means and what may be written."""
    found = {(entry.section.strip("[]"), entry.key) for entry in entries()}
    assert found == {(name, key) for name, kind in (*TABLES.items(), *LISTS.items()) for key in keys_of(kind)}
    for entry in entries():
        assert entry.meaning.endswith("."), entry
        assert entry.kind, entry


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.section}{entry.key}")
def test_every_key_is_in_the_text(entry: Entry) -> None:
    """The printed reference shows each key with its meaning, default and variable."""
    text = reference()
    assert entry.meaning in text
    assert f"  {entry.key} = {entry.default}" in text or f"  {entry.key}   (required)" in text
    assert entry.variable in text


def test_defaults_are_written_as_they_are_read() -> None:
    """Pasting every default from the reference into a file gives the default configuration."""
    sections: dict[str, list[str]] = {f"[{name}]": [] for name in TABLES}
    for entry in entries():
        if entry.section in sections:
            sections[entry.section].append(f"{entry.key} = {entry.default}")
    text = "\n".join(line for section, lines in sections.items() for line in (section, *lines))
    tomllib.loads(text)
    assert parse(text, source="c", environ={}, known_providers=()) == Config()


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry.section}{entry.key}")
def test_every_key_is_in_the_topic(entry: Entry) -> None:
    """`shunt help configuration` shows each key under its section, with meaning, default and variable."""
    section = markdown().partition(f"\n## {entry.section}\n")[2].partition("\n## ")[0]
    assert f"**`{entry.key}`**: {entry.meaning}" in section
    assert entry.variable in section
    assert entry.default in section
