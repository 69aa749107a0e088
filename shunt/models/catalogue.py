"""Known Claude models: display names and sizes. The figures are in catalogue.toml beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from attrs import frozen

from shunt.models.families import plain_name


@frozen
class Model:
    """A model as lists of models show it."""

    name: str
    """The name that requests use, dated where only that is certain to work."""
    title: str
    """For people."""
    context: int
    """Most tokens of prompt and answer together."""
    output: int
    """Most tokens of an answer."""
    released: str = ""
    """Date of release, `YYYY-MM-DD`; empty when unknown."""


def read_catalogue(text: str) -> tuple[Model, ...]:
    """Read a catalogue file. Raises KeyError, TypeError or ValueError when it is not one."""
    return tuple(
        Model(
            name=entry["name"],
            title=entry["title"],
            context=int(entry["context"]),
            output=int(entry["output"]),
            released=str(entry.get("released", "")),
        )
        for entry in tomllib.loads(text)["models"]
    )


def read_retired(text: str) -> Mapping[str, str]:
    """Read the models of a catalogue file that are no longer served: plain name → name of their family."""
    return dict(tomllib.loads(text).get("retired", {}))


def model_named(name: str) -> Model | None:
    """The known model of this name, whatever date, prefix or context mode it carries."""
    return _BY_NAME.get(plain_name(name))


_TEXT: Final = (files("shunt.models") / "catalogue.toml").read_text(encoding="utf-8")

MODELS: Final = read_catalogue(_TEXT)
"""Known models, newest first."""

RETIRED: Final = read_retired(_TEXT)
"""Models that are no longer served, by plain name, and the family that takes their place."""

_BY_NAME: Final = {plain_name(model.name): model for model in MODELS}
