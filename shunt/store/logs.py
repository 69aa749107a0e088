"""Logs: JSON lines in a rotated private file, plain lines on the terminal, secrets in neither.

Redaction works on the final text, tracebacks included, so that no call site has to remember it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from base64 import b64encode
from collections.abc import Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import quote

import msgspec
from attrs import define, field, frozen

MAX_BYTES: Final = 10 * 1024 * 1024
BACKUPS: Final = 5
LOOKS: Final = 32
"""Lines after which the size of the file is looked at."""
SHORTEST: Final = 8
"""Shorter strings are not learnt as secrets: blanking them would blank ordinary words."""

MOST: Final = 500
"""Secrets remembered: a login is renewed every hour for months."""
STRIDE: Final = 16
"""A text is searched for secrets at every so many characters, instead of for each secret: with 500 of them that would
take half a millisecond for each request's line, against seven microseconds."""
WINDOW: Final = 8
"""Characters that are compared there. What is shorter than both together is looked for by itself."""
FEW: Final = 16
"""As many are looked for one by one in less time than that takes."""
ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
URL_SAFE: Final = str.maketrans("+/", "-_")

QUIET: Final = (
    "httpx2",
    "httpcore2",
    "httpx",
    "httpcore",
    "hpack",
    "h2",
    "h11",
    "quart",
    "hypercorn",
    "asyncio",
    "watchfiles",
)
"""Loggers that print whole addresses or header values at INFO or DEBUG."""

PATTERNS: Final = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{6,}                          # Anthropic and OpenAI keys, and Claude tokens
    | \bshk_[A-Za-z0-9]{6,}                           # keys of our own clients
    | \bAIza[A-Za-z0-9_-]{20,}                        # Google keys
    | \beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,2} # JSON web tokens
    | (?<=[Bb]earer\ )[^\s"',\\]+
    | (?<=[?&]key=)[^\s"'&\\]+
    """,
    re.VERBOSE,
)
HINTS: Final = ("sk-", "shk_", "AIza", "eyJ", "earer ", "key=")
"""One of these stands in whatever `PATTERNS` finds. Looking for a few words takes a hundredth of its time,
and there is a line for every request."""
CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (tab and newline apart): remote text must not steer a terminal. Lone surrogates,
too: no file takes them."""


def forms(secret: str) -> frozenset[str]:
    """The ways in which a secret may turn up in a text.

    In base64 it stands at one of three places within a group, with other bytes before and after; what is
    found is what depends on the secret alone.
    """
    raw = secret.encode()
    found = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    for before in range(3):
        whole = b64encode(bytes(before) + raw).decode().rstrip("=")
        settled = whole[(0, 2, 3)[before] : len(whole) - (1 if (before + len(raw)) % 3 else 0)]
        found |= {settled, settled.translate(URL_SAFE)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


@frozen
class Lookup:
    """What is looked for in a text, and whether it is worth it."""

    forms: tuple[str, ...] = field(repr=False)
    """All ways in which known secrets may be written, the longest first: one secret may begin with another."""
    alone: tuple[str, ...] = field(repr=False)
    """Those that are looked for one by one: all if they are few, else what a search in strides could step over."""
    windows: frozenset[str] = field(repr=False)
    """Pieces of the others: wherever one of those stands in a text, one of its pieces stands at a stride."""

    @classmethod
    def of(cls, forms: Iterable[str]) -> Lookup:
        """Prepare the search for these."""
        ordered = tuple(sorted(forms, key=_order))
        least = STRIDE + WINDOW - 1 if len(ordered) > FEW else sys.maxsize
        alone = tuple(form for form in ordered if len(form) < least)
        others = ordered[: len(ordered) - len(alone)]
        pieces = frozenset(form[at : at + WINDOW] for form in others for at in range(STRIDE))
        return cls(ordered, alone, pieces)

    def may_find(self, text: str) -> bool:
        """Whether one of them may stand in a text; most have none."""
        for form in self.alone:
            if form in text:
                return True
        return bool(self.windows) and not self.windows.isdisjoint(
            [text[at : at + WINDOW] for at in range(0, len(text), STRIDE)]
        )


@define
class Redactor:
    """Blanks known secrets and everything that looks like one."""

    _known: dict[str, frozenset[str]] = field(factory=dict, repr=False)
    """Secret → the ways in which it may be written; the longest known goes first."""
    _lookup: Lookup = field(factory=lambda: Lookup((), (), frozenset()), repr=False)
    """Replaced whole: lines come from many threads, also while a secret is learnt."""

    def learn(self, secrets: Iterable[str]) -> None:
        """Blank these values from now on, whatever they look like, also percent-encoded or in base64."""
        fresh = [secret for secret in secrets if len(secret) >= SHORTEST and secret not in self._known]
        for secret in fresh:
            self._known[secret] = forms(secret)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        if fresh:
            self._lookup = Lookup.of({form for known in self._known.values() for form in known})

    def clean(self, text: str) -> str:
        """The text without secrets and control characters."""
        lookup = self._lookup
        if lookup.may_find(text):
            for form in lookup.forms:
                text = text.replace(form, "***")
        for hint in HINTS:
            if hint in text:
                text = PATTERNS.sub("***", text)
                break
        return text if text.isprintable() else CONTROLS.sub(_shown, text)


def _order(form: str) -> tuple[int, str]:
    return -len(form), form


def _shown(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the record's own fields."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON, redacted."""
        line: dict[str, Any] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = _json(line)
        if not text.isprintable():
            # JSON's own escapes leave some control characters as they are; `clean` would write them in a
            # way that JSON does not know.
            text = CONTROLS.sub(_escaped, text)
        return self._redactor.clean(text)


def _json(line: dict[str, Any]) -> str:
    try:
        return ENCODER.encode(line).decode()
    except (UnicodeEncodeError, TypeError, OverflowError):  # lone surrogates, keys that are no strings
        return json.dumps(line, ensure_ascii=False, default=str)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class TerminalLines(logging.Formatter):
    """A short line for people; tracebacks go to the file only."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(datefmt="%H:%M:%S")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line for people, redacted."""
        fields = getattr(record, "fields", {})
        told = " ".join(f"{key}={value}" for key, value in fields.items() if value not in (None, "", 0))
        text = f"{self.formatTime(record, self.datefmt)} {record.levelname.lower():7} {record.getMessage()} {told}"
        return self._redactor.clean(text.rstrip())


def open_logs(path: Path | None, level: str, redactor: Redactor, terminal: TextIO | None = None) -> None:
    """Send everything of the root logger to `path` (0600, rotated) and warnings to the terminal.

    A log that cannot be written is told once on the terminal and never disturbs a request.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level.upper())
    screen = logging.StreamHandler(terminal if terminal is not None else sys.stderr)
    screen.setFormatter(TerminalLines(redactor))
    screen.setLevel(max(logging.WARNING, root.level) if level != "debug" else logging.DEBUG)
    root.addHandler(screen)
    if path is not None:
        try:
            root.addHandler(_file(path, redactor))
        except OSError as error:
            root.warning("no log file: %s: %s", path, error.strerror)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.raiseExceptions = False
    # No line of ours says from where in the code it came, nor from which thread: finding that out for each
    # costs more than the rest of it (the first is how logging's own manual switches it off).
    logging._srcfile = None  # noqa: SLF001
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _file(path: Path, redactor: Redactor) -> logging.Handler:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = _PrivateRotatingFile(path, maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8")
    handler.setFormatter(JsonLines(redactor))
    return handler


class _PrivateRotatingFile(RotatingFileHandler):
    """Creates its files 0600, whatever the umask says."""

    _unlooked = 0
    """Lines until it is looked at how large the file is."""

    def _open(self) -> Any:
        def opener(name: str, flags: int) -> int:
            return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)

        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """Whether the file has grown large enough.

        The inherited way asks the file system three times and puts the line into words once more. Even once for
        each line is too often: there is one for every request.
        """
        del record
        self._unlooked -= 1
        if self._unlooked > 0:
            return False
        self._unlooked = LOOKS
        if self.stream is None:
            self.stream = self._open()
        return os.fstat(self.stream.fileno()).st_size >= self.maxBytes
