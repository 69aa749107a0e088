"""What goes to the terminal."""

from __future__ import annotations

import io
import json

import pytest

from shunt.cli.terminal import PIPED_WIDTH, clean, console, emit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name", "plain name"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines", "two\\nlines"),
        ("a\u202eb", "a\\u202eb"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\x9b31m", "\\x9b31m"),
        ("müller 日本 👩‍💻", "müller 日本 👩‍💻"),
        ("[red]x[/red] :smile:", "[red]x[/red] :smile:"),
    ],
)
def test_text_from_elsewhere_cannot_steer_the_terminal(text: str, shown: str) -> None:
    """Escape sequences, line breaks and direction marks are shown, not obeyed; letters stay."""
    assert clean(text) == shown


def test_documents_carry_their_schema_and_fit_any_locale(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one ASCII object whose first field is the schema version."""
    emit({"name": "müller"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {"schema": 1, "name": "müller"}
    assert next(iter(json.loads(out))) == "schema"


def test_compact_documents_take_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """`--watch --json` is one object per line."""
    emit({"a": {"b": [1, 2]}}, compact=True)
    assert capsys.readouterr().out.count("\n") == 1


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_pipes_get_no_colour_and_no_wrapping() -> None:
    """Text for a file is plain and as wide as it needs to be."""
    stream = io.StringIO()
    screen = console(stream, {"FORCE_COLOR": ""})
    screen.print("x" * 150, style="red")
    assert stream.getvalue() == "x" * 150 + "\n"
    assert screen.width == PIPED_WIDTH


@pytest.mark.parametrize(
    ("environ", "styled"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)]
)
def test_no_color_is_respected(
    environ: dict[str, str], styled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR, when it says something, ends colours and every other styling on a terminal."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    console(stream, environ).print("x", style="bold red")
    assert ("\x1b[" in stream.getvalue()) is styled
