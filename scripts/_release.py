"""What is published of one build: archive, Debian package, single file, checksums, and the release feed.

The same build gives the same bytes: names are sorted, owners and times are fixed (SOURCE_DATE_EPOCH, or
the last commit).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from _freeze import ONE_FILE, PROGRAM
from _venv import ROOT, say

MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}
DEBIAN = {"x86_64": "amd64", "arm64": "arm64"}
CONTROL = """Package: shunt
Version: {version}
Architecture: {architecture}
Maintainer: the shunt project <shunt@localhost>
Section: net
Priority: optional
Installed-Size: {kilobytes}
Depends: libc6 (>= {libc})
Recommends: ca-certificates
Description: local proxy that spreads coding agents over your own accounts
 One address on this machine for every coding agent; each request goes to an
 account that can serve it now.
"""
POSTINST = """#!/bin/sh
set -e
# A running program reads its own files: after an upgrade it has to be the new one.
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
    systemctl try-restart shunt.service || true
fi
"""


def release(folder: Path) -> list[Path]:
    """Write everything that is published of the program that was built; returns the files."""
    version, system, machine = names()
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".exe" if system == "windows" else ""
    stem = f"shunt-{version}-{system}-{machine}"
    single = folder / f"{stem}{suffix}"
    shutil.copy2(ONE_FILE, single)
    archive = folder / f"{stem}.tar.xz"
    pack(PROGRAM.parent, archive, f"shunt-{version}")
    made = [archive, single]
    if system == "linux" and shutil.which("dpkg-deb"):
        made.append(debian(folder, version, DEBIAN.get(machine, machine)))
    (folder / f"{stem}.json").write_text(feed(version, system, machine, archive, single), encoding="utf-8")
    sums = "".join(f"{checksum(path)}  {path.name}\n" for path in sorted(made))
    (folder / f"{stem}.sha256").write_text(sums, encoding="ascii")
    for path in made:
        say(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    return made


def names() -> tuple[str, str, str]:
    """Version, system and machine, as the feed names them."""
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    machine = platform.machine().lower()
    return done.stdout.split()[1], platform.system().lower(), MACHINES.get(machine, machine)


def moment() -> int:
    """Epoch seconds that stand for the time of everything inside."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    git = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout.strip() or 0)


def pack(source: Path, target: Path, name: str) -> None:
    """Pack a folder under another name: sorted, without owners, all of one time."""
    stamp = moment()

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mtime = stamp
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(target, "w:xz", format=tarfile.PAX_FORMAT) as tar:
        for path in [source, *sorted(source.rglob("*"))]:
            tar.add(path, (Path(name) / path.relative_to(source)).as_posix(), recursive=False, filter=plain)


def debian(folder: Path, version: str, architecture: str) -> Path:
    """Build the Debian package with nothing but dpkg-deb."""
    target = folder / f"shunt_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="shunt-deb-") as temporary:
        root = Path(temporary)
        root.chmod(0o755)
        inside = root / "usr" / "lib" / "shunt" / version
        shutil.copytree(PROGRAM.parent, inside, symlinks=True)
        (root / "usr" / "bin").mkdir()
        (root / "usr" / "bin" / "shunt").symlink_to(f"../lib/shunt/{version}/shunt")
        share = root / "usr" / "share"
        put(share / "man" / "man1" / "shunt.1.gz", packed(said("help", "--man")))
        put(share / "bash-completion" / "completions" / "shunt", said("completions", "bash"))
        put(share / "zsh" / "vendor-completions" / "_shunt", said("completions", "zsh"))
        put(share / "fish" / "vendor_completions.d" / "shunt.fish", said("completions", "fish"))
        put(share / "doc" / "shunt" / "copyright", (ROOT / "LICENSE").read_bytes())
        put(share / "doc" / "shunt" / "changelog.gz", packed((ROOT / "CHANGELOG.md").read_bytes()))
        kilobytes = sum(path.lstat().st_size for path in root.rglob("*")) // 1024
        control = CONTROL.format(
            version=version, architecture=architecture, kilobytes=kilobytes, libc=oldest_libc(inside)
        )
        put(root / "DEBIAN" / "control", control.encode())
        put(root / "DEBIAN" / "postinst", POSTINST.encode())
        (root / "DEBIAN" / "postinst").chmod(0o755)
        for path in root.rglob("*"):
            if path.is_dir():
                path.chmod(0o755)
            elif not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(target)],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(moment())},
            stdout=subprocess.DEVNULL,
            check=True,
        )
    return target


def oldest_libc(folder: Path) -> str:
    """The newest symbol version that anything inside asks of the C library."""
    found = {(2, 17)}
    for path in folder.rglob("*"):
        if path.is_file() and (path.suffix == ".so" or ".so." in path.name or path.name == "shunt"):
            for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", path.read_bytes()):
                found.add((int(major), int(minor)))
    return ".".join(map(str, max(found)))


def feed(version: str, system: str, machine: str, archive: Path, single: Path) -> str:
    """The part of the release feed that is about this machine."""
    files = [
        {
            "name": path.name,
            "url": path.name,
            "system": system,
            "machine": machine,
            "form": form,
            "size": path.stat().st_size,
            "sha256": checksum(path),
        }
        for path, form in ((archive, "folder"), (single, "file"))
    ]
    return json.dumps({"schema": 1, "version": version, "notes": "", "files": files}, indent=2) + "\n"


def join(folder: Path) -> None:
    """Make one feed, `latest.json`, and one list of checksums of those of all machines."""
    parts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("shunt-*.json"))]
    if len({part["version"] for part in parts}) != 1:
        sys.exit("the parts are not of one version")
    whole = {**parts[0], "files": [file for part in parts for file in part["files"]]}
    (folder / "latest.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    sums = "".join(path.read_text(encoding="ascii") for path in sorted(folder.glob("shunt-*.sha256")))
    (folder / "SHA256SUMS").write_text(sums, encoding="ascii")


def said(*words: str) -> bytes:
    """What the built program prints."""
    return subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, check=True).stdout


def put(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def packed(content: bytes) -> bytes:
    """Gzip without name and time."""
    return gzip.compress(content, mtime=0)


def checksum(path: Path) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
