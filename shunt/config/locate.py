"""Where in a TOML text a key stands.

Python's TOML parser keeps no positions. But a text cut off after a complete statement is itself valid
TOML, so the first cut whose document holds the key ends at the key's last line. That is exact for
every way TOML has of writing a key (dotted, quoted, inline, spread over lines), since the parser
itself is asked.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_left

from attrs import field, frozen

Path = tuple[str | int, ...]
"""Keys and list positions from the top: `("accounts", 1, "name")`."""


@frozen
class Lines:
    """The lines of one valid TOML text."""

    text: str = field(repr=False)

    def of(self, path: Path) -> tuple[int, int] | None:
        """First and last line (from 1) of the statement that first brings `path`; None if nothing does."""
        lines = self.text.split("\n")
        # A cut inside a list or a text over several lines does not parse and is moved to its end, so a
        # statement counts from its first line on, and bisecting is sound.
        ends = range(1, len(lines) + 1)
        first = bisect_left(ends, True, key=lambda n: _holds(_cut(lines, n)[0], path)) + 1  # noqa: FBT003 - False sorts before True
        return (first, _cut(lines, first)[1]) if first <= len(lines) else None

    def first(self, path: Path) -> int | None:
        """First line of `path`, or of the nearest thing around it that stands in the text."""
        for length in range(len(path), 0, -1):
            found = self.of(path[:length])
            if found is not None:
                return found[0]
        return None


def _cut(lines: list[str], count: int) -> tuple[dict[str, object], int]:
    """The document of the statements that touch the first `count` lines, and their last line."""
    while True:
        try:
            return tomllib.loads("\n".join(lines[:count]) + "\n"), count
        except ValueError:
            if count >= len(lines):
                raise
            count += 1


def _holds(document: object, path: Path) -> bool:
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step in range(len(document)):
            document = document[int(step)]
        else:
            return False
    return True
