"""The checkout's own virtual environment, made on first use and kept in step with the lock files.

Standard library only, and written so that Python 3.7 can still read it: an interpreter that is too
old must get far enough to look for a newer one, or to say so.

`enter("runtime")` is the first thing a program in this folder does. It returns inside `.venv`, with
everything that the lock file names installed; anywhere else it prepares `.venv` and starts the same
program again in there. shunt itself is not installed: programs put the checkout first on `sys.path`.
So no build backend has to be fetched, edits take effect at once, and a broken install cannot be ours.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

OLDEST = (3, 11)
NAMES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
"""Tried in this order when the interpreter that runs us is too old."""

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "shunt-stamp"
LOCKS = {"runtime": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
CONTAINS = {"runtime": ("runtime",), "dev": ("runtime", "dev")}
"""What installing a group makes up to date: requirements-dev.lock holds all of requirements.lock."""
HALF_MADE = "half-made\n"
"""The stamp while an install is under way; found later, it means that the install never ended."""


def enter(group: str) -> None:
    """Return inside an up-to-date `.venv`; from anywhere else, prepare it and start over in there."""
    if sys.version_info < OLDEST:
        become([newer_python(), *sys.argv])
    inside = VENV.exists() and VENV.samefile(sys.prefix)
    if inside and is_fresh(group):
        return
    if inside:
        # An environment cannot be rebuilt by the interpreter that lives in it.
        become([base_python(), *sys.argv])
    prepare(group)
    become([str(venv_python()), *sys.argv])


def prepare(group: str) -> None:
    """Make or repair `.venv` until it holds what the lock file of `group` names."""
    if is_fresh(group):
        return
    with alone():
        if is_fresh(group):  # somebody else did it while we waited
            return
        if not is_usable():
            create()
        STAMP.write_text(HALF_MADE, encoding="utf-8")
        install("--require-hashes", "-r", str(LOCKS[group]))
        STAMP.write_text("".join(stamp_line(name) for name in CONTAINS[group]), encoding="utf-8")


def is_fresh(group: str) -> bool:
    """Whether `.venv` was finished for this interpreter and today's lock file of `group`."""
    try:
        lines = STAMP.read_text(encoding="utf-8")
    except OSError:
        return False
    # exists() follows the link: an interpreter that was uninstalled leaves it dangling.
    return stamp_line(group) in lines.splitlines(keepends=True) and venv_python().exists()


def stamp_line(group: str) -> str:
    """What the stamp holds once `group` is installed."""
    digest = hashlib.sha256()
    for fact in (sys.version, sysconfig.get_platform()):
        digest.update(fact.encode() + b"\0")
    digest.update(LOCKS[group].read_bytes())
    return f"{group} {digest.hexdigest()}\n"


def is_usable() -> bool:
    """Whether `.venv` is whole, and of the interpreter that runs us."""
    try:
        if STAMP.read_text(encoding="utf-8") == HALF_MADE:
            return False
    except OSError:
        pass  # no stamp: made by another tool, or by hand. Its own test decides.
    question = "import sys, pip; print(sys.version)"
    return ask([str(venv_python()), "-c", question]) == " ".join(sys.version.split())


def create() -> None:
    """Make `.venv` anew, with pip."""
    if find_spec("ensurepip") is None:
        raise SystemExit(
            f"{sys.executable} cannot make virtual environments with pip.\n"
            f"On Debian and Ubuntu: sudo apt-get install python3-venv (or run: python3 scripts/system, as root)"
        )
    say("making .venv")
    if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)], close_fds=False):
        raise SystemExit(f"{VENV} could not be made; the reason stands above.")


def install(*arguments: str) -> None:
    """Run `.venv`'s pip. The caller's own pip settings (PIP_* and pip.conf) apply."""
    say("installing what the lock file names (once; a minute or so)")
    pip = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.call([*pip, *arguments], close_fds=False):
        raise SystemExit(
            "The install failed; the reason stands above. Run the same command again once it is cured."
        )


def become(command: Sequence[str]) -> NoReturn:
    """Go on as another program. Windows has no exec, so there we wait for it and leave with its status."""
    if sys.platform == "win32":
        child = subprocess.Popen(list(command))
        while True:
            try:
                raise SystemExit(child.wait())
            except KeyboardInterrupt:
                continue  # the child got it too, and decides what it means
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], list(command))


def venv_python() -> Path:
    """The interpreter of `.venv`."""
    return VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def base_python() -> str:
    """The interpreter that a virtual environment was made from."""
    return getattr(sys, "_base_executable", sys.executable)


def newer_python() -> str:
    """Path of an interpreter that is new enough, or the end."""
    for name in NAMES:
        path = shutil.which(name)
        # Asked, not trusted: version switchers put names on PATH that lead nowhere.
        if path and ask([path, "-c", f"import sys; print(sys.version_info >= {OLDEST})"]) == "True":
            return path
    wanted, found = ".".join(map(str, OLDEST)), platform.python_version()
    raise SystemExit(f"shunt needs Python {wanted} or newer. This is {found}, and PATH holds no newer one.")


def ask(command: Sequence[str]) -> str:
    """What a short command prints, on one line; empty when it fails."""
    try:
        done = subprocess.run(list(command), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return " ".join(done.stdout.decode(errors="replace").split())


def say(text: str) -> None:
    """One line for whoever waits, kept apart from the program's own output."""
    print(f"shunt: {text}", file=sys.stderr, flush=True)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock that keeps two programs from changing `.venv` or `build/` at the same time.

    It ends with the last process that has the file open. Those that we start inherit it: pip goes on
    when we are killed, and nobody may begin anew beside it.
    """
    with (ROOT / ".venv.lock").open("a+b") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 - the call has no keyword
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - this system's only

            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:
                    continue  # LK_LOCK gives up after ten seconds; an install takes longer
        else:
            import fcntl  # noqa: PLC0415 - those systems' only

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
