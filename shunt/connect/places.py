"""Values inside a document of settings, whatever notation it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from attrs import frozen


@frozen
class Item:
    """The element of a list of tables whose `key` has this value."""

    key: str
    value: str


Step = str | Item
Path = tuple[Step, ...]


class _Absent:
    """Stands for a value that is not there; None is a value that may be."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


class CannotEdit(ValueError):
    """The text is laid out, or says things, in a way that only a person should change."""


class Unreadable(ValueError):
    """The text is not what its notation allows; the message says where."""


def find(document: Any, path: Path) -> Any:
    """The value at a path; ABSENT when there is none."""
    for step in path:
        document = _child(document, step)
        if document is ABSENT:
            return ABSENT
    return document


def missing_from(document: Any, path: Path) -> int:
    """How many steps of a path lead to something; all of them when its value is there."""
    for depth in range(len(path), 0, -1):
        if find(document, path[:depth]) is not ABSENT:
            return depth
    return 0


def shown(path: Path) -> str:
    """A path as people name it: `env.ANTHROPIC_BASE_URL`."""
    return ".".join(step if isinstance(step, str) else step.value for step in path)


def place_of(items: Sequence[Any], item: Item) -> int | None:
    """Where in a list the element stands."""
    return next(
        (n for n, each in enumerate(items) if isinstance(each, dict) and each.get(item.key) == item.value),
        None,
    )


def _child(document: Any, step: Step) -> Any:
    if isinstance(step, Item):
        place = place_of(document, step) if isinstance(document, list) else None
        return ABSENT if place is None else document[place]
    return document.get(step, ABSENT) if isinstance(document, dict) else ABSENT
