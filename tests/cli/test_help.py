from __future__ import annotations

import io
import sys

import pytest

from shunt.cli.help import show_help
from shunt.cli.topics import topics
from tests.cli.desk import Desk


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_a_word_everything_is_listed(desk: Desk) -> None:
    """Commands and topics."""
    shown = desk.run("help").stdout
    assert "\n  run " in shown
    for name, about in topics().items():
        assert name in shown
        assert about.split()[0] in shown


def test_commands_below_others_are_explained(desk: Desk) -> None:
    """`help config show` is `config show --help`."""
    assert desk.run("help", "config", "show").stdout == desk.run("config", "show", "--help").stdout


def test_a_topic_is_shown_as_it_is_written(desk: Desk) -> None:
    """A pipe gets the Markdown itself."""
    assert desk.run("help", "configuration").stdout.startswith("# Configuration: every key")


def test_a_terminal_gets_it_set(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headings and lists instead of their marks."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    call = type("Call", (), {"environ": {"NO_COLOR": "1"}})()
    show_help.main(["configuration"], standalone_mode=False, obj=call)
    assert "every key of config.toml" in screen.getvalue()
    assert "**" not in screen.getvalue()


@pytest.mark.parametrize(
    ("word", "near"), [("configuraton", "help configuration"), ("qqqq", "lists what there is")]
)
def test_the_nearest_topic_is_named(desk: Desk, word: str, near: str) -> None:
    """A slip is a usage error with a hint."""
    result = desk.run("help", word)
    assert result.exit_code == 2
    assert near in result.stderr


def test_the_man_page_is_printed(desk: Desk) -> None:
    """For packages, and for whoever installed with pip."""
    page = desk.run("help", "--man").stdout
    assert page.startswith(".TH SHUNT 1")
    assert "~/.config/shunt/config.toml" in page
