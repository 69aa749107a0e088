"""Problems → lines for people, each with the place it concerns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from shunt.config.locate import Lines, Path
from shunt.config.misread import Problem
from shunt.config.overrides import Override, item_variable, token
from shunt.config.predecessor import Translation
from shunt.config.spelling import quoted
from shunt.config.types import LISTS

MOST_SHOWN: Final = 25
"""Problems that are listed; each costs some parses of the text to find its line."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}")


@frozen
class Telling:
    """What is needed to say where a problem stands."""

    text: Lines
    source: str
    translation: Translation
    overridden: Mapping[tuple[str, str], Override]
    """Keys that the environment set, by their place."""

    def lines(self, problems: Sequence[Problem]) -> Iterator[str]:
        """The problems in the order of the file."""
        placed = sorted(
            ((self._line(problem.path), n, problem) for n, problem in enumerate(problems[:MOST_SHOWN])),
            key=lambda each: each[:2],
        )
        for line, _n, problem in placed:
            yield f"{self._origin(problem.path, line)}: {_where(problem.path, self.translation.document)}: {problem.message}"
        if len(problems) > MOST_SHOWN:
            yield f"{self.source}: and {len(problems) - MOST_SHOWN} more"

    def _line(self, path: Path) -> int:
        for length in range(len(path), 0, -1):
            if path[:length] in self.translation.moved:
                path = (*self.translation.moved[path[:length]], *path[length:])
                break
        return self.text.first(path) or 0

    def _origin(self, path: Path, line: int) -> str:
        section, key = str(path[0]), str(path[-1])
        name = _name(path, self.translation.document)
        override_ = self.overridden.get((f"{section} {token(name)}" if name else section, key))
        if override_ is not None:
            return override_.variable
        if name and not line:  # an item that only the environment knows
            return item_variable(section, name, key)
        return f"{self.source}:{line}" if line else self.source


def _where(path: Path, document: Mapping[str, Any]) -> str:
    section = str(path[0])
    if section not in LISTS or len(path) == 1:
        return " ".join((f"[{section}]", *(_key(step) for step in path[1:])))
    item = document[section][path[1]]
    written = item.get("name") if isinstance(item, dict) else None
    called = quoted(written) if isinstance(written, str) else f"#{int(path[1]) + 1}"
    return " ".join((f"[[{section}]]", called, *(_key(step) for step in path[2:])))


def _name(path: Path, document: Mapping[str, Any]) -> str:
    """Name of the item that a path leads into; empty when it leads into none."""
    if len(path) < 3 or path[0] not in LISTS:
        return ""
    item = document[str(path[0])][path[1]]
    written = item.get("name") if isinstance(item, dict) else None
    return written if isinstance(written, str) else ""


def _key(step: str | int) -> str:
    return step if isinstance(step, str) and _BARE_KEY.fullmatch(step) else quoted(str(step))
