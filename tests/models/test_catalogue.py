"""Known models."""

from __future__ import annotations

import re

import pytest

from shunt.models.catalogue import MODELS, RETIRED, model_named, read_catalogue, read_retired
from shunt.models.families import FAMILIES


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("claude-opus-5-5", "Claude Opus 5.5"),
        ("claude-opus-5-5[1m]", "Claude Opus 5.5"),
        ("claude-sonnet-4-5", "Claude Sonnet 4.5"),
        ("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5"),
        ("anthropic/claude-haiku-4.5", "Claude Haiku 4.5"),
        ("claude-opus-99", None),
        ("gpt-5.5", None),
    ],
)
def test_models_are_found_by_any_name(name: str, title: str | None) -> None:
    """Dates, prefixes and modes do not hide a model; unknown ones are unknown, not guessed."""
    found = model_named(name)
    assert (found.title if found else None) == title


def test_the_catalogue_makes_sense() -> None:
    """Names are unique, sizes are sizes, dates are dates, the newest dated model is first."""
    assert len({model.name for model in MODELS}) == len(MODELS)
    assert all(200_000 <= model.context <= 2_000_000 for model in MODELS)
    assert all(0 < model.output < model.context for model in MODELS)
    dates = [model.released for model in MODELS if model.released]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for date in dates)
    assert dates == sorted(dates, reverse=True)


def test_a_catalogue_without_sizes_is_refused() -> None:
    """A slip in the data file stops the program instead of showing nonsense."""
    with pytest.raises(KeyError):
        read_catalogue('[[models]]\nname = "m"\ntitle = "M"\n')


def test_what_is_retired_is_no_longer_listed() -> None:
    """Each has a family that takes its place; a file may name none."""
    assert not [name for name in RETIRED if model_named(name)]
    assert all(heir.removeprefix("claude-") in FAMILIES for heir in RETIRED.values())
    assert read_retired("") == {}
