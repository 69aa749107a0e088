"""The program for this system, made by PyInstaller from shunt.spec and kept until its sources change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

from _venv import LOCKS, ROOT, alone, say

STAMP = ROOT / "build" / "built-from"
PROGRAM = ROOT / "dist" / "shunt" / ("shunt.exe" if sys.platform == "win32" else "shunt")
ONE_FILE = ROOT / "dist" / ("shunt-onefile.exe" if sys.platform == "win32" else "shunt-onefile")
OPTIONS = ("--noconfirm", "--log-level", "WARN", "--distpath", "dist", "--workpath", "build")


class CannotBuild(Exception):
    """A tool or Python's shared library is missing; the text says which."""


class BuildFailed(Exception):
    """PyInstaller gave up; what it printed says why."""


def build(*, force: bool = False) -> bool:
    """Make PROGRAM, unless it was made from the same sources before; whether anything was done."""
    with alone():
        wanted = sources()
        if (
            not force
            and PROGRAM.exists()
            and ONE_FILE.exists()
            and STAMP.exists()
            and STAMP.read_text(encoding="utf-8") == wanted
        ):
            return False
        reason = obstacle()
        if reason:
            raise CannotBuild(reason)
        say("building the program (half a minute)")
        STAMP.unlink(missing_ok=True)
        if subprocess.call([sys.executable, "-m", "PyInstaller", *OPTIONS, "shunt.spec"], cwd=ROOT):
            raise BuildFailed
        STAMP.write_text(wanted, encoding="utf-8")
        return True


def sources() -> str:
    """One hash over everything that goes into the program."""
    digest = hashlib.sha256(sys.version.encode())
    package = (it for it in (ROOT / "shunt").rglob("*") if it.is_file() and "__pycache__" not in it.parts)
    for path in (*sorted(package), ROOT / "shunt.spec", ROOT / "scripts" / "_frozen.py", LOCKS["dev"]):
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def obstacle() -> str:
    """Why PyInstaller cannot work here; empty when it can."""
    if sys.platform == "linux":
        missing = [tool for tool in ("ldd", "objdump", "objcopy", "strip") if shutil.which(tool) is None]
        if missing:
            return f"PyInstaller needs {', '.join(missing)} (Debian: apt-get install binutils)"
    question = "from PyInstaller.depend.bindepend import get_python_library_path as found; print(found())"
    done = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip().rpartition("\n")[2]
