"""The reference of config.toml, made from the types themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import attrs
from attrs import NOTHING, Factory, frozen

from shunt.config.overrides import PREFIX
from shunt.config.types import FAMILIES, LISTS, MODELS, TABLES, keys_of


@frozen
class Entry:
    """One key, for people."""

    section: str
    """As it is written: `[server]`, `[[accounts]]`."""
    key: str
    kind: str
    """What may be written."""
    default: str
    """As it would be written in TOML; empty when the key has to be given."""
    meaning: str
    variable: str
    """The environment variable that overrides it; empty when there is none."""


def entries() -> tuple[Entry, ...]:
    """Every key that config.toml may hold, in the order of the file."""
    return tuple(_all())


def reference() -> str:
    """The whole reference as plain text."""
    blocks: list[str] = []
    sections = {f"[{name}]": kind for name, kind in TABLES.items()}
    sections |= {f"[[{name}]]": kind for name, kind in LISTS.items()}
    for section, kind in sections.items():
        about = (inspect.getdoc(kind) or "").partition("`: ")[2]
        lines = [section, f"    {about[:1].upper()}{about[1:]}", ""]
        for entry in entries():
            if entry.section == section:
                lines += _block(entry)
        blocks.append("\n".join(lines))
    blocks.append(_MODELS_TEXT)
    return "\n".join(blocks)


_MODELS_TEXT = f"""[{MODELS}]
    A client's model name or pattern = {{ provider family = the model to ask for instead }}.
    Families: {", ".join(FAMILIES)}.
    Example: "claude-opus-*" = {{ openai = "gpt-5.5" }}
"""


def _all() -> Iterator[Entry]:
    for section, kind in TABLES.items():
        for entry in _of(f"[{section}]", kind):
            yield attrs.evolve(entry, variable=f"{PREFIX}{section}_{entry.key}".upper())
    for section, kind in LISTS.items():
        yield from _of(f"[[{section}]]", kind)


def _of(section: str, kind: type[attrs.AttrsInstance]) -> Iterator[Entry]:
    for attribute in attrs.fields(kind):
        key = keys_of(kind)[attribute.name]
        default = attribute.default
        if isinstance(default, Factory):  # type: ignore[arg-type]  # attrs types Factory as a function
            default = default.factory()
        written = "" if default is NOTHING else key.reader.write(default)
        yield Entry(section, attribute.name, key.reader.kind, written, key.doc, "")


def _block(entry: Entry) -> list[str]:
    default = f" = {entry.default}" if entry.default else "   (required)"
    lines = [f"  {entry.key}{default}", f"      {entry.meaning}", f"      Write {entry.kind}."]
    if entry.variable:
        lines.append(f"      Environment: {entry.variable}")
    return [*lines, ""]
