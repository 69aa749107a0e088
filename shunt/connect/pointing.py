"""Pointing clients at shunt on this disk, and undoing it. All of it blocks."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path as File
from typing import Final

from attrs import evolve, field, frozen

from shunt.connect.base import Client, Edit, Machine, Target
from shunt.connect.journal import Connection, Journal, digest
from shunt.connect.places import CannotEdit, Unreadable
from shunt.connect.plan import EDITORS, Change, drifted, planned, taken_back
from shunt.errors import StoreError
from shunt.store.files import PRIVATE, read_private, write_private

LIMIT: Final = 8 * 1024 * 1024
"""Bytes of a file of settings."""
MARK: Final = "\ufeff"
"""Some editors on Windows begin a file with it; it is no part of the text."""


@frozen
class Step:
    """What is about to happen to one file."""

    client: str
    file: File
    change: Change
    content: bytes | None = field(repr=False)
    """The file as it is; None when there is none."""
    connection: Connection
    """What will be noted."""

    @property
    def changes(self) -> bool:
        """Whether the file has to be written at all."""
        return self.change.before != self.change.after or self.content is None


class Ending(StrEnum):
    """How an undo went."""

    RESTORED = "restored, byte for byte"
    REMOVED = "removed, as it was not there before"
    TAKEN_OUT = "changed by somebody else since; only shunt's own settings were taken out"
    GONE = "gone already"


@frozen
class Undone:
    """What became of one file."""

    file: File
    ending: Ending
    kept: tuple[str, ...] = ()
    """Settings that somebody has changed since, and that were left as they are."""


@frozen
class Condition:
    """How one connection stands now."""

    connection: Connection
    drift: tuple[str, ...] = ()
    """Settings that no longer are as shunt wrote them."""
    trouble: str = ""
    """Why that cannot be told."""


@frozen
class Pointing:
    """Points clients of one machine at shunt."""

    journal: Journal
    machine: Machine

    def prepare(self, client: Client, target: Target) -> tuple[Step, ...]:
        """Work out every change; nothing is written. Raises StoreError naming the file."""
        known = {each.file: each for each in self.journal.entries(client.name)}
        return tuple(
            self._prepared(client, target, edit, known.get(_real(edit.file)))
            for edit in client.edits(self.machine, target)
        )

    def _prepared(self, client: Client, target: Target, edit: Edit, old: Connection | None) -> Step:
        file = _real(edit.file)
        content = read_private(file, limit=LIMIT, follow=True)
        text = _text(file, content)
        with _told(file):
            base, before = text, content
            if old is not None and content is not None:
                # Connected before, perhaps to another address: begin where the user was.
                if digest(content) == old.digest:
                    base, before = _text(file, old.before), old.before
                else:
                    base = taken_back(text, old.notation, old.written).after
                    before = _bytes(base, content)
            change = planned(base, edit)
        after = _bytes(change.after, content)
        connection = Connection(
            client=client.name,
            file=file,
            notation=edit.notation,
            url=target.url,
            before=before,
            digest=digest(after),
            written=change.written,
            mode=old.mode if old is not None else _mode(file),
            folders=old.folders if old is not None else tuple(_missing(file.parent)),
        )
        return Step(client.name, file, evolve(change, before=text), content, connection)

    def carry_out(self, step: Step, *, keyed: bool) -> None:
        """Write one file, which holds a key of ours if `keyed`, and note it. Raises StoreError; the file is the old or the new one then."""
        if read_private(step.file, limit=LIMIT, follow=True) != step.content:
            raise StoreError(f"{step.file} was changed by somebody else just now; try again")
        # Noted first: a change that nobody knows of could not be undone.
        self.journal.put(step.connection)
        if step.changes:
            # What now holds a token is for its owner alone; the undo gives the others their rights back.
            mode = PRIVATE if keyed or step.connection.mode is None else step.connection.mode
            write_private(step.file, _bytes(step.change.after, step.content), mode=mode)

    def undo(self, client: str) -> Iterator[Undone]:
        """Take back what was written for a client, file by file. Raises StoreError naming the file."""
        for connection in self.journal.entries(client):
            yield self._undone(connection)
            self.journal.drop(client, connection.file)
            self._bequeath(connection)

    def _bequeath(self, gone: Connection) -> None:
        """Folders that were made for one file and are still needed by others go with the last of these."""
        left = [folder for folder in gone.folders if folder.exists()]
        for other in self.journal.entries():
            inherited = tuple(folder for folder in left if folder in other.file.parents)
            if inherited:
                self.journal.put(evolve(other, folders=(*inherited, *other.folders)))
                return

    def _undone(self, connection: Connection) -> Undone:
        file = connection.file
        content = read_private(file, limit=LIMIT, follow=True)
        if content is None:
            return Undone(file, Ending.GONE)
        if digest(content) == connection.digest:
            if connection.before is None:
                _remove(connection)
                return Undone(file, Ending.REMOVED)
            write_private(file, connection.before, mode=connection.mode or _mode(file) or PRIVATE)
            return Undone(file, Ending.RESTORED)
        with _told(file):
            retreat = taken_back(_text(file, content), connection.notation, connection.written)
            left = EDITORS[connection.notation].document(retreat.after)
        if connection.before is None and not left and not retreat.kept:
            _remove(connection)
            return Undone(file, Ending.REMOVED)
        write_private(file, _bytes(retreat.after, content), mode=connection.mode or _mode(file) or PRIVATE)
        return Undone(file, Ending.TAKEN_OUT, retreat.kept)

    def conditions(self, client: str = "") -> Iterator[Condition]:
        """How every connection stands. Raises StoreError when the journal cannot be read."""
        for connection in self.journal.entries(client):
            yield _condition(connection)


def _condition(connection: Connection) -> Condition:
    try:
        content = read_private(connection.file, limit=LIMIT, follow=True)
        if content is None:
            return Condition(connection, drift=("the whole file",))
        return Condition(
            connection, drifted(_text(connection.file, content), connection.notation, connection.written)
        )
    except StoreError as error:
        return Condition(connection, trouble=str(error))
    except Unreadable as error:
        return Condition(connection, trouble=f"{connection.file} cannot be read: {error}")


@contextmanager
def _told(file: File) -> Iterator[None]:
    """Turn what is wrong with a text into an error that names its file."""
    try:
        yield
    except Unreadable as error:
        raise StoreError(f"{file} cannot be read, and nothing was changed: {error}") from None
    except CannotEdit:
        raise StoreError(
            f"{file} is laid out in a way that has to be edited by hand; nothing was changed"
        ) from None


def _text(file: File, content: bytes | None) -> str:
    try:
        return (content or b"").decode().removeprefix(MARK)
    except UnicodeDecodeError:
        raise StoreError(f"{file} is not UTF-8 text, and nothing was changed") from None


def _bytes(text: str, like: bytes | None) -> bytes:
    marked = like is not None and like.startswith(MARK.encode())
    return (MARK if marked else "").encode() + text.encode()


def _real(file: File) -> File:
    # People link their dotfiles: a change goes to the file, not into the place of the link.
    return file.resolve() if file.is_symlink() else file.absolute()


def _mode(file: File) -> int | None:
    if os.name != "posix":
        return None
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return None


def _missing(folder: File) -> Iterator[File]:
    """Folders that are not there yet, outermost first."""
    if not folder.exists():
        yield from _missing(folder.parent)
        yield folder


def _remove(connection: Connection) -> None:
    try:
        connection.file.unlink()
    except OSError as error:
        raise StoreError(f"cannot remove {connection.file}: {(error.strerror or '').lower()}") from error
    for folder in reversed(connection.folders):
        with suppress(OSError):
            folder.rmdir()  # only an empty one goes
