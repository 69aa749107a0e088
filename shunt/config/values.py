"""Readers: how one value of config.toml, or of the environment, becomes a Python value.

A reader refuses with Misread; its words never show a value that may be a secret. TOML is typed and
stays so: `"8082"` is no port and `1` is no flag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, time
from typing import Any, Final

from attrs import evolve, field, frozen

from shunt.accounts.secret import Secret
from shunt.config.misread import Misread
from shunt.config.spelling import hint, plain, quoted
from shunt.limits.durations import parse_duration

LONGEST_SPAN: Final = 366 * 86400.0
"""Seconds; more is taken for a slip of the unit."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


@frozen
class Reader:
    """How one key is read."""

    kind: str
    """What may be written, for messages and the reference: `a whole number from 1 to 65535`."""
    read: Callable[[Any], Any]
    """TOML value → Python value, or Misread."""
    from_text: Callable[[str], Any] = str
    """Text of an environment variable → the TOML value it stands for, or Misread."""
    write: Callable[[Any], str] = field(default=lambda value: toml(value))  # noqa: PLW0108 - defined below
    """Python value → how it is written in TOML."""
    secret: bool = False


@frozen
class Key:
    """One key of config.toml: how it is read and what it means."""

    reader: Reader
    doc: str


def key(reader: Reader, doc: str) -> dict[str, Key]:
    """Metadata of an attrs field that is a key of config.toml."""
    return {"key": Key(reader, doc)}


def toml(value: object) -> str:
    """A scalar or list as it is written in TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, Secret):
        return '""'
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{quoted(k)} = {toml(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return quoted(str(value))


def span(seconds: float) -> str:
    """Seconds as a duration people write: `5h`, `15s`, `0s`."""
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


# ── Scalars ───────────────────────────────────────────────────────────────────────────────────────


def text(rule: Callable[[str], str] = str, *, kind: str = "text", optional: bool = False) -> Reader:
    """Text that `rule` accepts and normalises; empty text stands for "none" when `optional`."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise _wrong(kind, value)
        return value if optional and not value else rule(value)

    return Reader(kind, read)


def flag() -> Reader:
    """Read true or false."""

    def read(value: object) -> bool:
        if not isinstance(value, bool):
            raise _wrong("true or false", value)
        return value

    def from_text(written: str) -> bool:
        if written.lower() in _TRUE | _FALSE:
            return written.lower() in _TRUE
        raise _wrong("true or false", written)

    return Reader("true or false", read, from_text)


def whole(least: int, most: int) -> Reader:
    """Read a whole number within bounds."""
    kind = f"a whole number from {least} to {most}"

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _wrong(kind, value)
        return value

    return Reader(kind, read, _number)


def number(least: float, most: float) -> Reader:
    """Read a finite number within bounds."""
    kind = f"a number from {least:g} to {most:g}"

    def read(value: object) -> float:
        return _bounded(value, kind, least, most)

    return Reader(kind, read, _number)


def duration(least: float = 0.0, most: float = LONGEST_SPAN, *, word: str = "") -> Reader:
    """A length of time: `"5h"`, `"30s"` or a number of seconds; `word` is read as None."""
    kind = f'a duration such as "5h" or "30s", {span(least)} to {span(most)}'
    kind = f'"{word}" or {kind}' if word else kind

    def read(value: object) -> float | None:
        if word and value == word:
            return None
        if isinstance(value, str):
            seconds = parse_duration(value)
            if seconds is None or not least <= seconds <= most:
                raise _wrong(kind, value)
            return seconds
        return _bounded(value, kind, least, most)

    def from_text(written: str) -> object:
        try:
            return float(written)
        except ValueError:
            return written

    return Reader(kind, read, from_text, lambda value: f'"{word if value is None else span(value)}"')


def seconds(least: float = 0.0) -> Reader:
    """Read a number of seconds; a duration such as `"10m"` is understood too."""
    reader = duration(least)
    return evolve(reader, kind=f"a number of seconds, or {reader.kind}", write=toml)


def choice(known: Collection[str], aliases: Mapping[str, str], *, noun: str) -> Reader:
    """One of a few words, whatever its case; an alias is read as the word it stands for."""
    kind = " | ".join(known)

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise _wrong(f"one of {', '.join(known)}", value)
        word = aliases.get(value.lower(), value.lower())
        if word not in known:
            raise Misread(unknown(noun, value, known))
        return word

    return Reader(kind, read)


def one_of(known: Collection[str], *, noun: str) -> Callable[[str], str]:
    """A rule for the items of a list: one of a few words."""

    def rule(written: str) -> str:
        if written not in known:
            raise Misread(f"is an unknown {noun}{hint(written, known)} (one of {', '.join(known)})")
        return written

    return rule


def unknown(noun: str, value: str, known: Collection[str]) -> str:
    """`unknown strategy "maximal"; did you mean "maximus"? (one of …)`."""
    return f"unknown {noun} {quoted(value)}{hint(value, known)} (one of {', '.join(known)})"


# ── Lists ─────────────────────────────────────────────────────────────────────────────────────────


def words(rule: Callable[[str], str], *, kind: str, least: int = 0) -> Reader:
    """Read a list of texts that `rule` accepts; commas separate them in the environment."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise _wrong(kind, value)
        return tuple(one(item) for item in value)

    def one(item: object) -> str:
        if not isinstance(item, str):
            raise Misread(f"must be {kind}, but holds {shown(item)}")
        try:
            return rule(item)
        except Misread as complaint:
            raise Misread(f"holds {quoted(item)}, which {complaint}") from None

    def from_text(written: str) -> list[str]:
        return [part.strip() for part in written.split(",") if part.strip()]

    return Reader(kind, read, from_text)


def glob(written: str) -> str:
    """Check a pattern for model names."""
    if not written or not plain(written) or " " in written:
        raise Misread("must be a model name or a pattern such as claude-opus-*")
    return written


# ── Words of refusal ──────────────────────────────────────────────────────────────────────────────


def _number(written: str) -> object:
    for kind in (int, float):
        try:
            return kind(written)
        except ValueError:
            continue
    return written


def _bounded(value: object, kind: str, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(kind, value)
    if not least <= value <= most:  # false for nan and inf as well
        raise _wrong(kind, value)
    return float(value)


def _wrong(kind: str, value: object) -> Misread:
    return Misread(f"must be {kind}, not {shown(value)}")


def shown(value: object) -> str:
    """A value as messages name it: short ones as they are, lists and tables by their type."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | float):
        return toml(value)
    if isinstance(value, int):
        # int → str is refused by Python itself beyond 4,300 digits.
        return str(value) if value.bit_length() <= 64 else "a huge number"
    return type_of(value)


def type_of(value: object) -> str:
    """What a value is, in words for people: "a number", "a list"."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a table"),
        ((date, time), "a date or time"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "something else")
