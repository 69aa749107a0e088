"""config.toml and the environment → `Config`, or every problem at once.

One problem is one line: where it stands, which key, what is wrong, and the nearest right spelling.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from shunt.config.draft import Draft
from shunt.config.locate import Lines
from shunt.config.misread import Misread
from shunt.config.overrides import merged, overrides
from shunt.config.predecessor import translate
from shunt.config.telling import Telling
from shunt.config.types import Config, ServerConfig, keys_of
from shunt.errors import ConfigError

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse(text: str, *, source: str, environ: Mapping[str, str], known_providers: Collection[str]) -> Config:
    """Read a configuration.

    Args:
        text: The whole of config.toml; empty text gives the defaults.
        source: The file's name as the user knows it, for messages.
        environ: The environment; `SHUNT_…` variables override the file.
        known_providers: Names an account's `provider` may have.

    Raises:
        ConfigError: with one line per problem.
    """
    text = text.removeprefix("\ufeff")
    translation = translate(read_toml(text, source))
    found, lines = overrides(environ)
    draft = Draft(merged(translation.document, found))
    config = draft.config(known_providers, translation.ignored)
    if draft.problems or lines or config is None:
        told = Telling(
            Lines(text),
            source,
            attrs.evolve(translation, document=draft.document),
            {each.place: each for each in found},
        )
        raise ConfigError(*lines, *told.lines(draft.problems))
    return config


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML; raises ConfigError with file, line and column."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{source}: lists or tables are nested too deeply") from None
    except ValueError as error:
        place = _TOML_PLACE.search(str(error))
        reason = _TOML_PLACE.sub("", str(error)) or "is not TOML"
        if place is None:
            raise ConfigError(f"{source}: {reason}") from None
        line, column = place.groups(default="")
        if not line:  # the parser met the end of the file
            last = text.rstrip("\n").split("\n")
            line, column = str(len(last)), str(len(last[-1]) + 1)
        raise ConfigError(f"{source}:{line}:{column}: {reason}") from None


def with_overrides(
    config: Config, *, host: str | None = None, port: int | None = None, log_level: str | None = None
) -> Config:
    """Put what the command line says over the configuration; raises ConfigError."""
    given = {"host": host, "port": port, "log_level": log_level}
    keys, changes, problems = keys_of(ServerConfig), {}, []
    for key, value in given.items():
        if value is None:
            continue
        try:
            changes[key] = keys[key].reader.read(value)
        except Misread as complaint:
            problems.append(f"--{key.replace('_', '-')}: {complaint}")
    if problems:
        raise ConfigError(*problems)
    return attrs.evolve(config, server=attrs.evolve(config.server, **changes))
