"""Where a passphrase comes from."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest

from shunt.accounts.secret import Secret
from shunt.cli.exits import Failed
from shunt.cli.passphrase import passphrase


def test_a_pipe_and_a_file_end_their_passphrase_with_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blanks inside and at the ends count, the line's end does not."""
    monkeypatch.setattr("sys.stdin", io.StringIO(" correct horse \nmore"))
    assert passphrase(None, from_stdin=True, new=True) == Secret(" correct horse ")
    file = tmp_path / "p"
    file.write_text("correct horse\r\n")
    file.chmod(0o600)
    assert passphrase(str(file), from_stdin=False, new=True) == Secret("correct horse")


def test_a_short_one_is_refused_where_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where a file is opened: there only the right one works."""
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(Failed, match="8"):
        passphrase(None, from_stdin=True, new=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    assert passphrase(None, from_stdin=True, new=False) == Secret("short")
    with pytest.raises(Failed, match="empty"):
        passphrase(None, from_stdin=True, new=False)


def test_nobody_to_ask_is_a_mistake_in_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the two other ways; both at once, or a file that is not there, are told."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(click.UsageError, match="--passphrase-stdin"):
        passphrase(None, from_stdin=False, new=True)
    with pytest.raises(click.UsageError, match="exclude"):
        passphrase("x", from_stdin=True, new=True)
    with pytest.raises(Failed, match="no file"):
        passphrase(str(tmp_path / "none"), from_stdin=False, new=True)
