"""Putting another version in the place of the one that runs, and going back."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

from attrs import frozen

from shunt.desktop import download
from shunt.desktop.feed import File, Release, newer
from shunt.desktop.form import Form, Interpreter, form_of, managed_root
from shunt.desktop.versions import PROGRAM, Versions
from shunt.errors import UpdateError

OTHERWISE: Final = {
    Form.PYTHON: "it was installed for Python: pipx upgrade shunt, or uv tool upgrade shunt, or pip install -U shunt",
    Form.SOURCE: "it runs from a checkout: git pull",
    Form.FOLDER: "it came with a package or an archive: install the newer one the same way",
}
"""What else replaces a program that is not ours to replace."""
MACHINES: Final = {"amd64": "x86_64", "aarch64": "arm64"}
TRIAL: Final = 60
"""Seconds in which the new program has to say its version."""
ASIDE: Final = ".previous"
"""Behind the name of the one-file program that was replaced."""


def here() -> tuple[str, str]:
    """This system and machine, as the feed names them."""
    machine = platform.machine().lower()
    return platform.system().lower(), MACHINES.get(machine, machine)


@frozen
class Updater:
    """Replaces the program that runs. All methods block, and raise UpdateError having changed nothing."""

    found: Interpreter
    version: str
    """The one that runs."""
    environ: Mapping[str, str]

    def check(self, release: Release) -> bool:
        """Whether the release is newer."""
        return newer(release.version, self.version)

    def require_ours(self) -> Form:
        """Return the form, unless this program is another tool's to replace."""
        form = form_of(self.found)
        if form in OTHERWISE:
            raise UpdateError(f"shunt does not replace this program itself; {OTHERWISE[form]}")
        if sys.platform == "win32":
            raise UpdateError("on Windows a running program cannot be replaced: download the newer one")
        return form

    def install(self, release: Release) -> None:
        """Fetch, verify, try, and make it the one that is started from now on."""
        form = self.require_ours()
        file = release.file(*here(), "folder" if form is Form.MANAGED else "file")
        if form is Form.MANAGED:
            self._folder(file, release.version)
        else:
            self._file(file, release.version)

    def back(self) -> str:
        """Put the version before in the place again; returns it."""
        if self.require_ours() is Form.MANAGED:
            return self._versions().back()
        program = self.found.executable
        aside = program.with_name(program.name + ASIDE)
        if not aside.exists():
            raise UpdateError("there is no version to go back to")
        version = self._version_of(aside)
        swap = program.with_name(f".{program.name}.{token_hex(4)}")
        try:
            program.rename(swap)
            aside.rename(program)
            swap.rename(aside)
        except OSError as error:
            raise UpdateError(f"cannot replace {program}: {error.strerror}") from error
        return version

    def _versions(self) -> Versions:
        root = managed_root(self.found)
        if root is None:
            raise UpdateError("this program is not among versions")
        return Versions(root)

    def _folder(self, file: File, version: str) -> None:
        versions = self._versions()
        growing = versions.root / f".fetch.{token_hex(4)}"
        growing.mkdir()
        try:
            archive = growing / file.name
            download.fetch(file, archive)
            unpacked = _unpack(archive, growing / "unpacked")
            self._try(unpacked / PROGRAM, version)
            versions.adopt_folder(unpacked, version)
        finally:
            shutil.rmtree(growing, ignore_errors=True)
        versions.switch(version)
        versions.prune()

    def _file(self, file: File, version: str) -> None:
        program = self.found.executable
        new = program.with_name(f".{program.name}.{token_hex(4)}")
        try:
            download.fetch(file, new)
            new.chmod(0o755)
            self._try(new, version)
            aside = program.with_name(program.name + ASIDE)
            aside.unlink(missing_ok=True)
            aside.hardlink_to(program)  # the name is never without a program
            new.replace(program)
        except OSError as error:
            raise UpdateError(f"cannot replace {program}: {error.strerror}") from error
        finally:
            new.unlink(missing_ok=True)

    def _try(self, program: Path, version: str) -> None:
        said = self._version_of(program)
        if said != version:
            raise UpdateError(f"the new program says that it is {said!r}, not {version}; it was not kept")

    def _version_of(self, program: Path) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - what was verified against the feed
                [program, "--version"],
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TRIAL,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UpdateError(
                f"the new program does not run here ({type(error).__name__}); it was not kept"
            ) from None
        if done.returncode:
            raise UpdateError(
                f"the new program does not run here (status {done.returncode}); it was not kept"
            )
        return done.stdout.strip().removeprefix("shunt ")


def _unpack(archive: Path, folder: Path) -> Path:
    """Unpack a folder form; returns the folder that holds the program."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UpdateError(f"{archive.name} cannot be unpacked: {error}") from None
    inside = [each for each in folder.iterdir() if (each / PROGRAM).is_file()]
    if len(inside) != 1:
        raise UpdateError(f"{archive.name} holds no program; it was not kept")
    return inside[0]
