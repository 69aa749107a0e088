"""Changes to a TOML text that leave everything else as people wrote it.

Lines are added and removed as lines, values are replaced by tomlkit; whichever way, the result is parsed
and compared with what was meant before anybody gets it, so that no layout of a file, however odd, can
turn an edit into damage.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from shunt.config.locate import Lines, Path

Document = dict[str, Any]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class CannotEdit(ValueError):
    """The text is laid out in a way that has to be edited by hand."""


def with_item(text: str, section: str, item: Mapping[str, Any]) -> str:
    """Append one `[[section]]`, a blank line before it; raises CannotEdit."""
    meant = tomllib.loads(text)
    meant[section] = [*_items(meant, section), dict(item)]
    block = [f"[[{section}]]", *(_statement(key, value) for key, value in item.items())]

    def candidates() -> Iterator[str]:
        yield _appended(text, block)
        document = _tomlkit().parse(text)  # the list is written inline
        document[section].append(_value(dict(item)))
        yield _tomlkit().dumps(document)

    return _first(candidates(), meant)


def without_item(text: str, section: str, index: int) -> str:
    """Remove one `[[section]]` with all that is in it; comments outside it stay. Raises CannotEdit."""
    meant = tomllib.loads(text)
    item = _items(meant, section).pop(index)

    def candidates() -> Iterator[str]:
        lines = Lines(text)
        inside = [(section, index), *_leaves((section, index), item)]
        spans = [span for path in inside if (span := lines.of(path)) is not None]
        yield _without_lines(text, min(first for first, _ in spans), max(last for _, last in spans))
        document = _tomlkit().parse(text)
        del document[section][index]
        yield _tomlkit().dumps(document)

    return _first(candidates(), meant)


def with_item_value(text: str, section: str, index: int, key: str, value: Any) -> str:
    """Set one key of one `[[section]]`; raises CannotEdit."""
    meant = tomllib.loads(text)
    item = _items(meant, section)[index]
    present = key in item
    item[key] = value

    def candidates() -> Iterator[str]:
        if not present:
            lines = Lines(text)
            spans = [lines.of((section, index)), *(lines.of((section, index, each)) for each in item)]
            last = max((span[1] for span in spans if span is not None), default=None)
            if last is not None:
                yield _inserted(text, last, _statement(key, value))
        document = _tomlkit().parse(text)
        document[section][index][key] = _value(value)
        yield _tomlkit().dumps(document)

    return _first(candidates(), meant)


def with_value(text: str, section: str, key: str, value: Any) -> str:
    """Set one key of `[section]`, in its place if it is there; raises CannotEdit."""
    meant = tomllib.loads(text)
    table = meant.setdefault(section, {})
    if not isinstance(table, dict):
        raise CannotEdit
    present, bare = key in table, not table
    table[key] = value

    def candidates() -> Iterator[str]:
        statement = _statement(key, value)
        if not present:
            last = _last_line(text, section, meant)
            if last is not None:
                yield _inserted(text, last, statement)
            if bare:
                yield _appended(text, [f"[{section}]", statement])
        document = _tomlkit().parse(text)
        document.setdefault(section, _tomlkit().table())[key] = _value(value)
        yield _tomlkit().dumps(document)

    return _first(candidates(), meant)


def _items(document: Document, section: str) -> list[Any]:
    items = document.get(section, [])
    if not isinstance(items, list):
        raise CannotEdit
    return items


def _first(candidates: Iterator[str], meant: Document) -> str:
    while True:
        try:
            candidate = next(candidates)
            if _whole(tomllib.loads(candidate)) == _whole(meant):
                return candidate
        except StopIteration:
            raise CannotEdit from None
        except tomllib.TOMLDecodeError:
            continue
        except (_tomlkit().exceptions.TOMLKitError, LookupError, TypeError, AttributeError):
            raise CannotEdit from None


def _whole(document: Document) -> Document:
    """The document without lists that are empty: no `[[section]]` at all is written as nothing."""
    return {key: value for key, value in document.items() if value != []}


# ── Lines ─────────────────────────────────────────────────────────────────────────────────────────


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _appended(text: str, block: Sequence[str]) -> str:
    newline = _newline(text)
    body = text.rstrip("\r\n")
    gap = newline * 2 if body else ""
    return body + gap + newline.join(block) + newline


def _inserted(text: str, after: int, line: str) -> str:
    lines = text.split("\n")
    ending = "\r" if _newline(text) == "\r\n" else ""
    return "\n".join((*lines[:after], line + ending, *lines[after:]))


def _without_lines(text: str, first: int, last: int) -> str:
    lines = text.split("\n")
    before, after = lines[: first - 1], lines[last:]
    if after and not after[0].strip() and (not before or not before[-1].strip()):
        after = after[1:]  # one blank line is enough where two blocks meet
    return "\n".join((*before, *after))


def _last_line(text: str, section: str, document: Document) -> int | None:
    """The last line of the statements that stand directly in `[section]`; None when it is not there."""
    lines = Lines(text)
    spans = [
        lines.of((section,)),
        *(
            lines.of((section, key))
            for key, value in document[section].items()
            if not isinstance(value, dict)
        ),
    ]
    return max((span[1] for span in spans if span is not None), default=None)


def _leaves(path: Path, value: Any) -> Iterator[Path]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in children:
        yield (*path, step)
        yield from _leaves((*path, step), child)


# ── Values ────────────────────────────────────────────────────────────────────────────────────────


def _tomlkit() -> Any:
    """The library: 0.8 MiB that only those pay who change something."""
    import tomlkit  # noqa: PLC0415 - see above

    return tomlkit


def _statement(key: str, value: Any) -> str:
    name = key if _BARE.fullmatch(key) else _tomlkit().string(key).as_string()
    return f"{name} = {_value(value).as_string()}"


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _tomlkit().item(value)
    table = _tomlkit().inline_table()
    for key, child in value.items():
        table[key] = _value(child)
    return table
