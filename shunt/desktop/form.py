"""In which form this program is on the machine, and how it is started again."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import frozen

from shunt.errors import ServiceError

INSIDE: Final = "shunt-folder"
"""Folder in the one-file form that holds the program of the folder form, for `Versions.adopt`."""
CURRENT: Final = "current"
VERSIONS: Final = "versions"
PACKAGED: Final = Path("/usr/bin/shunt")
"""The link that a package keeps up to date."""


class Form(StrEnum):
    """How it came here."""

    FOLDER = "folder"
    """A built folder of a package or an archive."""
    MANAGED = "managed"
    """A built folder among others, which `shunt update` can replace."""
    FILE = "file"
    """One built file, which unpacks itself at each start."""
    PYTHON = "python"
    """Installed for an interpreter: pip, pipx, uv."""
    SOURCE = "source"
    """A checkout."""


@frozen
class Interpreter:
    """What `sys` knows; tests make their own."""

    executable: Path
    bundle: Path | None
    """Where the built program's parts are; None when it is not built."""
    package: Path
    """The folder of the package `shunt`."""
    prefix: Path


def this() -> Interpreter:
    """The interpreter that runs."""
    bundle = getattr(sys, "_MEIPASS", None)
    return Interpreter(
        executable=Path(sys.executable),
        bundle=Path(bundle) if bundle else None,
        package=Path(__file__).resolve().parents[1],
        prefix=Path(sys.prefix).resolve(),
    )


def form_of(found: Interpreter) -> Form:
    """Which form runs."""
    if found.bundle is None:
        checkout = found.package.parent / "scripts" / "shunt"
        return Form.SOURCE if checkout.exists() else Form.PYTHON
    folder = found.executable.resolve().parent
    if not found.bundle.resolve().is_relative_to(folder):
        return Form.FILE
    return Form.MANAGED if managed_root(found) is not None else Form.FOLDER


def managed_root(found: Interpreter) -> Path | None:
    """The folder of all versions, when the program that runs is one of them."""
    root = found.executable.resolve().parent.parent
    return root if root.name == VERSIONS and (root / CURRENT).is_symlink() else None


def command(found: Interpreter) -> tuple[str, ...]:
    """How to start this program again, with absolute paths that stay right after an update."""
    form = form_of(found)
    if form is Form.MANAGED and (root := managed_root(found)):
        return (str(root / CURRENT / found.executable.name),)
    if form is Form.FOLDER and PACKAGED.is_symlink() and PACKAGED.resolve() == found.executable.resolve():
        return (str(PACKAGED),)
    if form in (Form.FOLDER, Form.FILE):
        return (str(found.executable.absolute()),)
    if form is Form.SOURCE:
        return (str(found.executable), str(found.package.parent / "scripts" / "shunt"))
    return (str(found.executable), "-m", "shunt")


def readable_by_others(path: Path) -> bool:
    """Whether another user of this machine can start what lies there."""
    path = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in path.parents) and bool(path.stat().st_mode & 0o001)


def require_readable(path: Path) -> None:
    """Raise ServiceError when a service of another user could not start the program."""
    if not readable_by_others(path):
        raise ServiceError(
            f"{path} is in a folder that other users cannot enter. Install shunt for everybody first "
            "(the .deb, or the unpacked folder in /opt), then: shunt service install --system"
        )
