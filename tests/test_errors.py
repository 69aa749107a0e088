from __future__ import annotations

import inspect

import pytest

from shunt import errors
from shunt.errors import Kind, ShuntError
from shunt.inference.failure import STATUS

CLASSES = [
    value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, ShuntError)
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_on_top(error: type[ShuntError]) -> None:
    """The picture in the module's docstring names every error there is."""
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_has_a_kind_with_a_status(error: type[ShuntError]) -> None:
    """Whatever is raised on purpose can be told to a client."""
    assert isinstance(error.kind, Kind)
    assert error.kind in STATUS


def test_a_config_error_keeps_its_lines_apart() -> None:
    """All problems are shown at once, one line each."""
    error = errors.ConfigError("a.toml:1: x", "a.toml:2: y")
    assert error.problems == ("a.toml:1: x", "a.toml:2: y")
    assert str(error) == "a.toml:1: x\na.toml:2: y"
