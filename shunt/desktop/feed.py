"""The release feed: a JSON document that names the newest version and its files, each with size and checksum.

    {"schema": 1, "version": "1.2.0", "notes": "https://…",
     "files": [{"name": "shunt-1.2.0-linux-x86_64.tar.xz", "url": "shunt-1.2.0-linux-x86_64.tar.xz",
                "system": "linux", "machine": "x86_64", "form": "folder", "size": 11000000, "sha256": "…"}]}

Addresses may be relative to the feed's own. `scripts/build --release` writes one.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from shunt.errors import UpdateError

LARGEST: Final = 512 * 1024 * 1024
"""Bytes; a file that claims more is not ours."""
_VERSION = re.compile(r"\d+(?:\.\d+){1,3}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,120}")
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@frozen
class File:
    """One file of a release."""

    name: str
    url: str
    system: str
    """`linux`, `darwin`, `windows`."""
    machine: str
    """`x86_64`, `arm64`."""
    form: str
    """`folder` (tar.xz) or `file`."""
    size: int
    sha256: str


@frozen
class Release:
    """What the feed announces."""

    version: str
    notes: str
    files: tuple[File, ...]

    def file(self, system: str, machine: str, form: str) -> File:
        """The one for a machine. Raises UpdateError when there is none."""
        for each in self.files:
            if (each.system, each.machine, each.form) == (system, machine, form):
                return each
        raise UpdateError(f"version {self.version} has no {form} for {system} on {machine}")


def parse(text: bytes, address: str) -> Release:
    """Read a feed that was fetched from `address`. Raises UpdateError; nothing in it is trusted."""
    try:
        document = json.loads(text)
        schema = document["schema"]
        release = _release(document, address) if schema == 1 else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UpdateError(f"{address} is no release feed") from None
    if release is None:
        raise UpdateError("the release feed is written for a newer shunt; install that one by hand")
    return release


def _release(document: dict[str, Any], address: str) -> Release:
    version = document["version"]
    if not _VERSION.fullmatch(version):
        raise ValueError
    files = tuple(_file(item, address) for item in document["files"])
    return Release(version, str(document.get("notes", "")), files)


def newer(version: str, than: str) -> bool:
    """Whether a version comes after another; only their numbers count."""
    return _numbers(version) > _numbers(than)


def safe(address: str) -> bool:
    """Whether an address may be fetched from: nobody on the way can change what comes."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _file(item: dict[str, Any], address: str) -> File:
    found = File(
        name=item["name"],
        url=urljoin(address, item["url"]),
        system=item["system"],
        machine=item["machine"],
        form=item["form"],
        size=int(item["size"]),
        sha256=item["sha256"].lower(),
    )
    if not _NAME.fullmatch(found.name) or not re.fullmatch(r"[0-9a-f]{64}", found.sha256):
        raise ValueError
    if not 0 < found.size <= LARGEST or not safe(found.url):
        raise ValueError
    return found


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", version.partition("-")[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
