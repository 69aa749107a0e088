"""The terms are shown once per provider and text."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from attrs import evolve

from shunt.cli import acknowledgement
from shunt.cli.acknowledgement import FILE, agree
from shunt.cli.exits import Failed
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation
from shunt.cli.terms import TERMS
from tests.cli.desk import T0, never

SHOWN = "has not approved shunt"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return open_files(Invocation({"SHUNT_HOME": str(tmp_path)}, lambda: T0, never))


def answering(monkeypatch: pytest.MonkeyPatch, *, yes: bool) -> None:
    monkeypatch.setattr(acknowledgement, "interactive", lambda: True)
    monkeypatch.setattr(click, "confirm", lambda *_args, **_options: yes)


def test_a_yes_is_remembered(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is shown."""
    answering(monkeypatch, yes=True)
    agree(files, "anthropic", yes=False)
    assert SHOWN in capsys.readouterr().err
    agree(files, "anthropic", yes=False)
    assert capsys.readouterr().err == ""


def test_a_no_stops_and_is_not_remembered(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who declines is asked again the next time."""
    answering(monkeypatch, yes=False)
    for _ in range(2):
        with pytest.raises(Failed, match="Nothing was stored"):
            agree(files, "anthropic", yes=False)
    assert not (files.places.state_dir / FILE).exists()


def test_without_a_terminal_the_text_is_printed_every_time(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script is never stopped, and no person has read anything yet."""
    for _ in range(2):
        agree(files, "anthropic", yes=False)
        assert SHOWN in capsys.readouterr().err


def test_yes_beforehand_counts(files: Files, capsys: pytest.CaptureFixture[str]) -> None:
    """`--yes` shows the text without asking, once."""
    agree(files, "anthropic", yes=True)
    assert SHOWN in capsys.readouterr().err
    agree(files, "anthropic", yes=True)
    assert capsys.readouterr().err == ""


def test_a_changed_text_is_shown_again(
    files: Files, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who agreed to an older text has not agreed to the new one."""
    agree(files, "anthropic", yes=True)
    changed = {"anthropic": evolve(TERMS["anthropic"], edition="next", text="new rules")}
    monkeypatch.setattr(acknowledgement, "TERMS", changed)
    capsys.readouterr()
    agree(files, "anthropic", yes=True)
    assert capsys.readouterr().err == "new rules\n"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"anthropic": 3}'])
def test_a_damaged_memory_only_shows_the_text_again(
    files: Files, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the file holds, the worst is one more reading."""
    files.places.state_dir.mkdir(parents=True, exist_ok=True)
    (files.places.state_dir / FILE).write_text(content)
    agree(files, "anthropic", yes=True)
    assert SHOWN in capsys.readouterr().err


def test_providers_without_logins_have_nothing_to_state(
    files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    """An API key is meant for programs."""
    agree(files, "anthropic-compatible", yes=False)
    assert capsys.readouterr().err == ""
