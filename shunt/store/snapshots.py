"""The pool's state on disk: `{"version": 1, "state": …}`, structured by cattrs.

Losing it costs freshness, not safety: whatever is wrong with the file, shunt starts without it, says so,
and keeps the old file beside it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from attrs import frozen
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from shunt.accounts.state import AccountState
from shunt.errors import StoreError
from shunt.store.files import read_private, remove_stray, set_aside, write_private

VERSION: Final = 1
LIMIT: Final = 64 * 1024 * 1024
"""Bytes; the state is bounded and far smaller."""

S = TypeVar("S")


@frozen
class Loaded(Generic[S]):
    """What was found."""

    snapshot: S | None
    """None when there was none, or none that could be used."""
    warning: str | None = None
    """What had to be left out, for people."""


def save(path: Path, snapshot: Any) -> None:
    """Write a frozen attrs record durably; what only counts while the process runs is left out.

    Raises:
        StoreError: the snapshot before is intact.
    """
    document = {"version": VERSION, "state": _converter().unstructure(snapshot)}
    # ASCII escapes carry any text, lone surrogates included.
    write_private(path, json.dumps(document, separators=(",", ":")).encode())


def load(path: Path, kind: type[S], at: float) -> Loaded[S]:
    """Read the last snapshot; never raises.

    Args:
        path: The file.
        kind: The record it holds. Fields it does not know are ignored, ones that are absent get their default.
        at: Epoch seconds of now; part of the name under which an unusable file is kept.
    """
    remove_stray(path)
    try:
        text = read_private(path, limit=LIMIT)
    except StoreError as error:
        return _without(path, str(error), at)
    if text is None:
        return Loaded(None)
    try:
        document = json.loads(text)
        version, state = document["version"], document["state"]
        if version == VERSION:
            return Loaded(_converter().structure(state, kind))
        reason = f"{path} has format {str(version)[:20]}, and this shunt knows {VERSION}"
    except Exception:  # noqa: BLE001 - cattrs meets any error that a foreign document can cause
        reason = f"{path} is not a state that shunt wrote"
    return _without(path, reason, at)


def _without(path: Path, reason: str, at: float) -> Loaded[Any]:
    try:
        kept = f"it is kept as {set_aside(path, at)}"
    except StoreError as error:
        kept = str(error)
    return Loaded(None, f"{reason}; starting without what was known of the accounts' limits ({kept})")


@lru_cache(maxsize=1)
def _converter() -> Converter:
    converter = Converter()
    # Requests in flight end with the process.
    omitted = override(omit=True)
    converter.register_unstructure_hook(
        AccountState, make_dict_unstructure_fn(AccountState, converter, in_flight=omitted)
    )
    converter.register_structure_hook(
        AccountState, make_dict_structure_fn(AccountState, converter, in_flight=omitted)
    )
    return converter
