"""What `shunt connect` has written where, so that it can be taken back exactly.

The file as it was before is kept whole: the way back is then the same bytes. It may hold the user's own
keys, so the journal is as private as our other files.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path as File
from typing import Any, Final

from attrs import define, field, frozen

from shunt.connect.base import Notation
from shunt.connect.places import ABSENT, Item, Path, Step
from shunt.errors import StoreError
from shunt.store.files import read_private, write_private
from shunt.store.lock import writing

NAME: Final = "connections.json"
VERSION: Final = 1
LIMIT: Final = 32 * 1024 * 1024
"""Bytes; a handful of files of settings."""


@frozen
class Written:
    """One value that was set."""

    path: Path
    value: Any = field(repr=False)
    before: Any = field(repr=False)
    """What stood there; ABSENT when nothing did."""
    depth: int
    """Steps of the path that were there already; the rest was made by us."""


@frozen
class Connection:
    """One file of one client."""

    client: str
    file: File
    notation: Notation
    url: str
    """The address it was pointed at."""
    before: bytes | None = field(repr=False)
    """The whole file as it was; None when there was none."""
    digest: str
    """SHA-256 of the file as we left it."""
    written: tuple[Written, ...]
    mode: int | None = None
    """Permissions the file had; None when there was none, or the system knows no such thing."""
    folders: tuple[File, ...] = ()
    """Folders that were made for it, outermost first."""


@define
class Journal:
    """The connections of one shunt, on disk. All methods block."""

    file: File

    def entries(self, client: str = "") -> tuple[Connection, ...]:
        """All connections, or those of one client. Raises StoreError."""
        return tuple(each for each in self._load() if not client or each.client == client)

    def put(self, connection: Connection) -> None:
        """Note a connection, in place of an older one to the same file. Raises StoreError."""
        self._change(
            lambda each: (each.client, each.file) != (connection.client, connection.file), connection
        )

    def drop(self, client: str, file: File) -> None:
        """Forget a connection. Raises StoreError."""
        self._change(lambda each: (each.client, each.file) != (client, file), None)

    def _change(self, keep: Any, new: Connection | None) -> None:
        with writing(self.file):
            kept = [each for each in self._load() if keep(each)]
            if new is not None:
                kept.append(new)
            if not kept:
                self.file.unlink(missing_ok=True)
                return
            document = {"version": VERSION, "connections": [_document(each) for each in kept]}
            write_private(self.file, (json.dumps(document, indent=1) + "\n").encode())

    def _load(self) -> list[Connection]:
        content = read_private(self.file, limit=LIMIT)
        if content is None:
            return []
        try:
            document = json.loads(content)
            if document["version"] != VERSION:
                raise StoreError(f"{self.file} was written by a newer shunt")
            return [_connection(each) for each in document["connections"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"{self.file} is damaged; it says how to undo `shunt connect`. Put it right or move it away"
            ) from error


def digest(content: bytes) -> str:
    """The mark of a file's content."""
    return sha256(content).hexdigest()


# ── As JSON ───────────────────────────────────────────────────────────────────────────────────────


def _document(connection: Connection) -> dict[str, Any]:
    before = connection.before
    return {
        "client": connection.client,
        "file": str(connection.file),
        "notation": connection.notation.value,
        "url": connection.url,
        "before": None if before is None else b64encode(before).decode(),
        "digest": connection.digest,
        "mode": connection.mode,
        "folders": [str(folder) for folder in connection.folders],
        "written": [_setting(each) for each in connection.written],
    }


def _setting(written: Written) -> dict[str, Any]:
    found: dict[str, Any] = {
        "path": [step if isinstance(step, str) else {step.key: step.value} for step in written.path],
        "value": written.value,
        "depth": written.depth,
    }
    return found if written.before is ABSENT else {**found, "before": written.before}


def _connection(document: Mapping[str, Any]) -> Connection:
    before = document["before"]
    return Connection(
        client=str(document["client"]),
        file=File(document["file"]),
        notation=Notation(document["notation"]),
        url=str(document["url"]),
        before=None if before is None else b64decode(before, validate=True),
        digest=str(document["digest"]),
        written=tuple(_written(each) for each in document["written"]),
        mode=document["mode"],
        folders=tuple(File(folder) for folder in document["folders"]),
    )


def _written(document: Mapping[str, Any]) -> Written:
    steps: list[Step] = []
    for step in document["path"]:
        steps += [step] if isinstance(step, str) else [Item(key, value) for key, value in step.items()]
    return Written(tuple(steps), document["value"], document.get("before", ABSENT), int(document["depth"]))
