"""`shunt doctor` among the installed packages: what would run at every start of this Python.

A `.pth` file whose lines begin with `import`, and modules called sitecustomize or usercustomize, run before
shunt does and see all it sees. That is how stolen releases of other projects read keys. Packages put such files
there as well, so what an installed package vouches for, unchanged, is only noted.
"""

from __future__ import annotations

import base64
import hashlib
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from shunt.cli.remarks import Level, Remark
from shunt.cli.terminal import clean

ABOUT: Final = "packages"
NAMES: Final = ("sitecustomize", "usercustomize")
ENDINGS: Final = (".py", ".pyc", "/__init__.py")
HARMLESS: Final = {"_virtualenv.pth": b"import _virtualenv"}
"""Written by tools that make environments, which leave no record of it."""
LARGEST: Final = 1024 * 1024
SHOWN: Final = 80
CURE: Final = "Look at it. If you did not put it there, install shunt anew and log in anew."


def package_remarks() -> Iterator[Remark]:
    """Look at the environment that this program runs in; a packaged build has none."""
    if getattr(sys, "frozen", False):
        return
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    own = Path(sysconfig.get_path("stdlib"))
    yield from planted(folders, [path for path in sys.path if path and Path(path) != own])


def planted(folders: Iterable[str | Path], searched: Iterable[str | Path] = ()) -> Iterator[Remark]:
    """Name what runs at every start.

    Args:
        folders: where Python reads `.pth` files.
        searched: further folders in which it would find a module.
    """
    clear = True
    places = dict.fromkeys(Path(folder) for folder in folders)
    for folder in places:
        known: Mapping[Path, tuple[str, str]] | None = None
        for path in sorted(folder.glob("*.pth")):
            line = _runs(path)
            if not line or HARMLESS.get(path.name) == line:
                continue
            if known is None:
                known = _recorded(folder)
            clear = False
            yield _judged(path, line, known)
    for folder in dict.fromkeys([*places, *map(Path, searched)]):
        for path in (folder / f"{name}{ending}" for name in NAMES for ending in ENDINGS):
            if path.is_file():
                clear = False
                yield Remark(Level.WARNING, ABOUT, f"{path} runs at every start of this Python", CURE)
    if clear:
        yield Remark(Level.FINE, ABOUT, "nothing is planted that runs at every start")


def _judged(path: Path, line: bytes, known: Mapping[Path, tuple[str, str]]) -> Remark:
    shown = clean(line.decode("utf-8", "replace"))[:SHOWN]
    owner, recorded = known.get(path, ("", ""))
    says = f"{path} runs at every start of this Python: {shown}"
    if not owner:
        return Remark(Level.WARNING, ABOUT, f"{says} (no installed package knows it)", CURE)
    if recorded != _digest(path):
        return Remark(Level.WARNING, ABOUT, f"{says} (not as {owner} installed it)", CURE)
    return Remark(Level.NOTE, ABOUT, f"{says} ({owner} installed it)")


def _runs(path: Path) -> bytes:
    """The first line of a `.pth` file that Python runs; empty when there is none."""
    try:
        with path.open("rb") as file:
            lines = file.read(LARGEST).splitlines()
    except OSError:
        return b""
    return next((line for line in lines if line.startswith((b"import ", b"import\t"))), b"")


def _recorded(folder: Path) -> dict[Path, tuple[str, str]]:
    """Package and SHA-256 of every `.pth` file that an installed package vouches for."""
    found: dict[Path, tuple[str, str]] = {}
    for package in distributions(path=[str(folder)]):
        for path, digest in _files(package):
            found[path] = (package.metadata["Name"] or "a package", digest)
    return found


def _files(package: Distribution) -> Iterator[tuple[Path, str]]:
    for file in package.files or ():
        if file.suffix == ".pth" and file.hash is not None and file.hash.mode == "sha256":
            yield Path(str(package.locate_file(file))), file.hash.value


def _digest(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
