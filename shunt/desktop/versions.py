"""Versions of the built program side by side, and the link that says which one is used.

A running program reads its own files for as long as it lives, so a version is never changed in its
place: a new one goes into a folder of its own, and one rename of the link makes it the current one.
The one before stays until the next change, for whoever still runs it and for the way back.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Final

from attrs import frozen

from shunt.desktop.form import CURRENT, INSIDE, VERSIONS, Interpreter
from shunt.errors import UpdateError

PREVIOUS: Final = "previous"
PROGRAM: Final = "shunt.exe" if sys.platform == "win32" else "shunt"


@frozen
class Versions:
    """The folder of versions. All methods block on the disk and raise UpdateError."""

    root: Path

    @classmethod
    def below(cls, data: Path) -> Versions:
        """Those in a folder of data."""
        return cls(data / VERSIONS)

    @property
    def program(self) -> Path:
        """Path of the current program; stays the same through all changes."""
        return self.root / CURRENT / PROGRAM

    def current(self) -> str | None:
        """The version in use."""
        return self._at(CURRENT)

    def previous(self) -> str | None:
        """The version that was in use before."""
        return self._at(PREVIOUS)

    def adopt_bundle(self, found: Interpreter, version: str) -> None:
        """Make a version out of the one-file program that runs: its unpacked parts are the folder's."""
        if found.bundle is None:
            raise UpdateError("only the built program can be unpacked")
        inside = found.bundle / INSIDE / PROGRAM
        if not inside.exists():
            raise UpdateError(f"this program does not hold its folder form ({INSIDE} is missing)")
        with self._new(version) as folder:
            ignore = shutil.ignore_patterns(INSIDE)
            shutil.copytree(found.bundle, folder / "_internal", symlinks=True, ignore=ignore)
            shutil.copy2(inside, folder / PROGRAM)
            (folder / PROGRAM).chmod(0o755)

    def adopt_folder(self, source: Path, version: str) -> None:
        """Move an unpacked folder among the versions."""
        with self._new(version) as folder:
            folder.rmdir()
            source.rename(folder)

    def switch(self, version: str) -> None:
        """Use another version from now on; the one in use becomes the previous one."""
        if not (self.root / version / PROGRAM).exists():
            raise UpdateError(f"there is no version {version} in {self.root}")
        before = self.current()
        if before == version:
            return
        if before is not None:
            self._link(PREVIOUS, before)
        self._link(CURRENT, version)

    def back(self) -> str:
        """Use the previous version again; returns it."""
        version = self.previous()
        if version is None:
            raise UpdateError("there is no version to go back to")
        self.switch(version)
        return version

    def prune(self) -> None:
        """Remove every version but the current and the previous one."""
        kept = {CURRENT, PREVIOUS, self.current(), self.previous()}
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _at(self, link: str) -> str | None:
        try:
            return (self.root / link).readlink().name
        except OSError:
            return None

    def _link(self, name: str, version: str) -> None:
        temporary = self.root / f".{name}.{token_hex(4)}"
        try:
            temporary.symlink_to(version, target_is_directory=True)
            temporary.replace(self.root / name)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise UpdateError(f"cannot set {self.root / name}: {error.strerror}") from error

    def _new(self, version: str) -> _Growing:
        return _Growing(self.root, version)


class _Growing:
    """A version being made: complete under its name, or not there."""

    def __init__(self, root: Path, version: str) -> None:
        self._target = root / version
        self._folder = root / f".{version}.{token_hex(4)}"

    def __enter__(self) -> Path:
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise UpdateError(f"cannot write {self._folder}: {error.strerror}") from error
        return self._folder

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if kind is None:
            shutil.rmtree(self._target, ignore_errors=True)  # an unfinished one, or the same again
            self._folder.rename(self._target)
            with suppress(OSError):
                os.sync() if hasattr(os, "sync") else None
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise UpdateError(f"cannot write {self._target}: {error.strerror}") from error
