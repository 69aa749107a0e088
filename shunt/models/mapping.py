"""What a client's model is called at another provider: the `[models]` table."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

Mappings = Mapping[str, Mapping[str, str]]
"""Client's model name (glob) → provider family → model name there."""


def mapped_model(mappings: Mappings, model: str, *families: str) -> str:
    """The name to send for `model` to a provider of these families, most specific first.

    The first glob that matches and names a family decides; without one the name is passed on as it
    is: guessing a substitute would serve something that nobody asked for.
    """
    for glob, names in mappings.items():
        if not fnmatchcase(model, glob):
            continue
        for family in families:
            if family in names:
                return names[family]
    return model
