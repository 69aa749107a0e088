"""Parameters of a query string: known ones only, each of the right form."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

from attrs import frozen

from shunt.config.spelling import hint, quoted
from shunt.errors import InvalidRequest
from shunt.limits.durations import parse_duration, parse_moment

LONGEST = 200
"""Characters of a value."""
MOST = 100
"""Parameters."""


@frozen
class Query:
    """The parameters that came."""

    pairs: tuple[tuple[str, str], ...]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter, also those given with commas."""
        values = (part.strip() for key, value in self.pairs if key == name for part in value.split(","))
        return tuple(value for value in values if value)

    def one(self, name: str) -> str:
        """The last value of a parameter; empty when it is not there."""
        return next((value.strip() for key, value in reversed(self.pairs) if key == name), "")

    def whole(self, name: str, default: int, most: int) -> int:
        """A number from 1 to `most`. Raises InvalidRequest."""
        text = self.one(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= most or len(text) > 9:
            raise InvalidRequest(f"{name} has to be a number from 1 to {most}.", param=name)
        return int(text)

    def moment(self, name: str, now: float) -> float | None:
        """Epoch seconds; a length of time counts back from now. Raises InvalidRequest."""
        text = self.one(name)
        if not text:
            return None
        found = past(text, now)
        if found is None:
            raise InvalidRequest(
                f"{name} has to be epoch seconds, a date (2026-11-27, 2026-11-27T14:05Z) or a length of time "
                "ago (90m, 24h, 7d).",
                param=name,
            )
        return found


def past(text: str, now: float) -> float | None:
    """The moment a person means by a date, by epoch seconds, or by how long ago it was."""
    ago = parse_duration(text)
    if ago is not None and ago < 1e8:
        return now - ago
    return parse_moment(text, now)


def read(query: bytes, known: Collection[str]) -> Query:
    """Read a query string. Raises InvalidRequest for parameters that mean nothing here."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST, errors="strict")
    except ValueError:
        raise InvalidRequest("The query string cannot be read.") from None
    for name, value in pairs:
        if name not in known:
            wanted = ", ".join(known) or "none"
            raise InvalidRequest(
                f"There is no parameter {quoted(name[:40])}{hint(name, known)} (known: {wanted}).",
                param=name[:40],
            )
        if len(value) > LONGEST:
            raise InvalidRequest(f"{name} is longer than {LONGEST} characters.", param=name)
    return Query(tuple(pairs))
