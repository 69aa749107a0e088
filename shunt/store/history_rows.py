"""How requests and windows lie in the tables of history.sqlite3, and come out of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import attrs

from shunt.accounts.state import AttemptNote, RequestRecord
from shunt.inference.usage import Usage
from shunt.limits.samples import Sample

PLAIN: Final = tuple(name for name in attrs.fields_dict(RequestRecord) if name not in {"attempts", "usage"})
COUNTS: Final = tuple(attrs.fields_dict(Usage))
COLUMNS: Final = (*PLAIN, *COUNTS)
"""The columns of `requests` besides its number, in the order of `row_of` and `record_of`."""
FLAGS: Final = frozenset({"streamed", "metered"})
WINDOW_COLUMNS: Final = ("at", "account", "name", "used", "resets_at", "standing", "source", "length")

_plain, _counts = attrgetter(*PLAIN), attrgetter(*COUNTS)
_LARGEST: Final = 2**63 - 1
"""SQLite's largest integer."""


def row_of(record: RequestRecord) -> list[Any]:
    """The values of COLUMNS, as they are; hardly ever something that SQLite cannot keep."""
    return [*_plain(record), *_counts(record.usage)]


def attempt_rows(request: int | None, record: RequestRecord) -> list[tuple[Any, ...]]:
    """The rows of `attempts` of a request, whose number is `request`."""
    return [
        (request, place, storable(note.account), storable(note.verdict), storable(note.reason))
        for place, note in enumerate(record.attempts)
    ]


def record_of(row: Sequence[Any], attempts: Sequence[AttemptNote]) -> RequestRecord:
    """The record of a row of COLUMNS."""
    plain = dict(zip(PLAIN, row, strict=False))
    plain.update({name: bool(plain[name]) for name in FLAGS})
    return RequestRecord(**plain, attempts=tuple(attempts), usage=Usage(*row[len(PLAIN) :]))


def window_row(sample: Sample) -> list[Any]:
    """The values of WINDOW_COLUMNS."""
    return [storable(value) for value in attrs.astuple(sample)]


def sample_of(row: Sequence[Any]) -> Sample:
    """The sample of a row of WINDOW_COLUMNS."""
    return Sample(*row)


def attempts_by_request(rows: Sequence[Sequence[Any]]) -> Mapping[int, list[AttemptNote]]:
    """Attempts by the number of their request, from rows of (request, account, verdict, reason)."""
    found: dict[int, list[AttemptNote]] = {}
    for request, account, verdict, reason in rows:
        found.setdefault(request, []).append(AttemptNote(account, verdict, reason))
    return found


def storable(value: Any) -> Any:
    """What SQLite can keep: no lone surrogates, no integers beyond 64 bits."""
    if type(value) is str and value.isascii():  # as nearly always
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return max(-_LARGEST, min(int(value), _LARGEST))
    return value
