"""The journal of what was written where."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shunt.connect.base import Notation
from shunt.connect.journal import Connection, Journal, Written, digest
from shunt.connect.places import ABSENT, Item
from shunt.errors import StoreError


def connection(file: Path, client: str = "claude") -> Connection:
    written = (
        Written(("env", "A"), "v", ABSENT, 1),
        Written(("list", Item("name", "x")), {"name": "x"}, None, 2),
    )
    return Connection(
        client, file, Notation.JSON, "http://u", b"\xff\x00", digest(b"x"), written, 0o644, (file.parent,)
    )


def test_what_is_noted_is_read_back(tmp_path: Path) -> None:
    """Byte for byte, a null told from nothing."""
    journal = Journal(tmp_path / "state" / "connections.json")
    one, two = connection(tmp_path / "a"), connection(tmp_path / "b", "codex")
    journal.put(one)
    journal.put(two)
    journal.put(one)
    assert sorted(each.client for each in journal.entries()) == ["claude", "codex"]
    assert journal.entries("claude") == (one,)
    if os.name == "posix":
        assert stat.S_IMODE(journal.file.stat().st_mode) == 0o600


def test_an_empty_journal_is_no_file(tmp_path: Path) -> None:
    """After the last undo nothing of it is left."""
    journal = Journal(tmp_path / "connections.json")
    journal.put(connection(tmp_path / "a"))
    journal.drop("claude", tmp_path / "a")
    assert journal.entries() == ()
    assert not journal.file.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1}', '{"version": 2, "connections": []}'])
def test_a_damaged_journal_is_never_written_over(tmp_path: Path, text: str) -> None:
    """It may be the only way back."""
    journal = Journal(tmp_path / "connections.json")
    journal.file.write_text(text)
    journal.file.chmod(0o600)
    with pytest.raises(StoreError):
        journal.put(connection(tmp_path / "a"))
    assert journal.file.read_text() == text
