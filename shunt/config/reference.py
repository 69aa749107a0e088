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


def markdown() -> str:
    """The reference as the topic `shunt help configuration`."""
    blocks = [_INTRODUCTION]
    sections = {f"[{name}]": kind for name, kind in TABLES.items()}
    sections |= {f"[[{name}]]": kind for name, kind in LISTS.items()}
    for section, kind in sections.items():
        about = (inspect.getdoc(kind) or "").partition("`: ")[2]
        lines = [f"## {section}", "", f"{about[:1].upper()}{about[1:]}", ""]
        for entry in entries():
            if entry.section == section:
                lines += _item(entry)
        blocks.append("\n".join(lines))
    families = ", ".join(f"`{family}`" for family in FAMILIES)
    blocks.append(_MODELS_MARKDOWN.format(families=families))
    return "\n".join(blocks)


_INTRODUCTION = """# Configuration: every key of config.toml

`shunt config path` tells where the file is, `shunt config check` reads it for you, `shunt config show` prints what is
in force. Changes are taken up while shunt runs; a bad edit keeps the old configuration and says so.

Every key can be set by the environment, which wins over the file. For `[[accounts]]` and `[[clients]]` the item's name
stands in the variable: `SHUNT_ACCOUNTS_WORK_PROVIDER=openai` sets the provider of the account `work`, and makes that
account if the file has none of this name. A secret may lie in a file: its variable with `_FILE` behind it names that
file. Lists are separated by commas, headers are one `Name: value` per line.
"""

_MODELS_MARKDOWN = """## [models]

A client's model name, or a pattern for such names, and the model to ask for instead, per provider family ({families}).
Set in config.toml only.

    [models]
    "claude-opus-*" = {{ openai = "gpt-5.5" }}
"""

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
        for entry in _of(f"[[{section}]]", kind):
            variable = "" if entry.key == "name" else f"{PREFIX}{section}_NAME_{entry.key}".upper()
            yield attrs.evolve(entry, variable=variable)


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


def _item(entry: Entry) -> list[str]:
    default = f"`{entry.default}`" if entry.default else "has to be given"
    lines = [f"- **`{entry.key}`**: {entry.meaning}", f"  Write {entry.kind}. Default: {default}."]
    if entry.variable:
        lines.append(f"  Environment: `{entry.variable}`")
    return [*lines, ""]
