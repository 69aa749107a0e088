"""The man page shunt(1), written from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shunt import __version__
from shunt.cli.outline import Choice, Outline

EXIT_CODES = (
    ("0", "fine"),
    ("1", "failed"),
    ("2", "wrong usage"),
    ("3", "no server is running"),
    ("4", "a login is needed"),
)


def manpage(root: Outline, files: Iterable[tuple[str, str]], topics: Iterable[tuple[str, str]]) -> str:
    """The whole page in man(7) macros, without any date: the same source gives the same bytes.

    Args:
        root: the program.
        files: path and meaning of each file.
        topics: name and title of each topic of `shunt help`.
    """
    lines = [
        f'.TH SHUNT 1 "" "shunt {__version__}" "User Commands"',
        ".SH NAME",
        "shunt \\- spread your coding agents over your own accounts",
        ".SH SYNOPSIS",
        ".B shunt",
        "[OPTIONS] COMMAND [ARGUMENTS]",
        ".SH DESCRIPTION",
        *_paragraphs(root.text),
        ".SH OPTIONS",
        *_options(root),
        ".SH COMMANDS",
    ]
    for each in root.walk():
        if each.path:
            lines += _command(each)
    lines += [".SH FILES", *_items(files, "I"), ".SH ENVIRONMENT"]
    lines += [
        "Every key of config.toml can be set by",
        ".BR SHUNT_ \\fISECTION\\fP _ \\fIKEY\\fP ;",
        "see",
        '.BR "shunt help configuration" .',
    ]
    lines += [".SH EXIT STATUS", *_items(EXIT_CODES, "B")]
    lines += [".SH SEE ALSO", ".B shunt help", "shows these topics:", *_items(topics, "B")]
    return "\n".join(lines) + "\n"


def _command(each: Outline) -> Iterator[str]:
    usage = " ".join(
        [
            "shunt",
            *each.path,
            *(["[OPTIONS]"] if each.options else []),
            *(["COMMAND"] if each.children else []),
            *(choice.value for choice in each.choices if not choice.is_option),
        ]
    )
    yield f".SS {_text(usage)}"
    yield from _paragraphs(each.text)
    yield from _options(each)


def _options(each: Outline) -> Iterator[str]:
    return _items(((_signature(choice), choice.about) for choice in each.options), "B")


def _signature(choice: Choice) -> str:
    return ", ".join(choice.names) + (f" {choice.value}" if choice.value else "")


def _items(pairs: Iterable[tuple[str, str]], macro: str) -> Iterator[str]:
    for term, about in pairs:
        yield ".TP"
        yield f'.{macro} "{_text(term)}"'
        yield _text(about)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield ".PP"
        if paragraph.startswith("\b"):
            yield ".nf"
            yield from map(_text, paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield _text(" ".join(paragraph.split()))


def _text(text: str) -> str:
    """Escape what troff would take for its own."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    safe = "".join(char if char.isascii() else f"\\[u{ord(char):04X}]" for char in safe)
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
