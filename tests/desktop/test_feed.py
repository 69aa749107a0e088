from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.desktop.feed import File, newer, parse, safe
from shunt.errors import UpdateError

ADDRESS = "https://example.test/releases/latest.json"
FILE: dict[str, Any] = {
    "name": "shunt-1.2.0-linux-x86_64.tar.xz",
    "url": "shunt-1.2.0-linux-x86_64.tar.xz",
    "system": "linux",
    "machine": "x86_64",
    "form": "folder",
    "size": 10,
    "sha256": "A" * 64,
}


def feed(*files: dict[str, Any], **changed: Any) -> bytes:
    return json.dumps({"schema": 1, "version": "1.2.0", "files": list(files), **changed}).encode()


def test_a_feed_is_read() -> None:
    """Relative addresses are the feed's neighbours; each machine finds its file."""
    release = parse(feed(FILE, notes="n"), ADDRESS)
    assert (release.version, release.notes) == ("1.2.0", "n")
    assert release.file("linux", "x86_64", "folder") == File(
        **{**FILE, "url": "https://example.test/releases/shunt-1.2.0-linux-x86_64.tar.xz", "sha256": "a" * 64}
    )
    with pytest.raises(UpdateError, match="no folder for darwin on arm64"):
        release.file("darwin", "arm64", "folder")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"<html>",
        feed(version="latest"),
        feed(version="../../x"),
        feed({**FILE, "sha256": "abc"}),
        feed({**FILE, "name": "../x"}),
        feed({**FILE, "size": 0}),
        feed({**FILE, "size": 10**12}),
        feed({**FILE, "url": "http://example.test/x"}),
        feed({**FILE, "url": "file:///etc/passwd"}),
        feed({key: value for key, value in FILE.items() if key != "sha256"}),
        b'{"schema": 1, "version": 3, "files": []}',
    ],
)
def test_what_is_no_feed_is_refused(text: bytes) -> None:
    """Without checksum, size or a protected address nothing is fetched; the feed's address is named."""
    with pytest.raises(UpdateError, match="is no release feed"):
        parse(text, ADDRESS)


def test_a_later_schema_is_not_guessed_at() -> None:
    """An old shunt says that it is old."""
    with pytest.raises(UpdateError, match="newer shunt"):
        parse(b'{"schema": 2}', ADDRESS)


@pytest.mark.parametrize(
    ("version", "than", "is_newer"),
    [
        ("1.2.0", "1.1.9", True),
        ("1.10", "1.9", True),
        ("1.2", "1.2.0", False),
        ("1.1", "1.2", False),
        ("2.0", "10.0", False),
    ],
)
def test_versions_are_numbers(version: str, than: str, *, is_newer: bool) -> None:
    """1.10 comes after 1.9; the same is not newer; nobody is taken back."""
    assert newer(version, than) is is_newer


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://a.test/x", True),
        ("http://127.0.0.1:1/x", True),
        ("http://a.test/x", False),
        ("ftp://a.test", False),
    ],
)
def test_protected_addresses(address: str, *, fine: bool) -> None:
    """https, or this very machine."""
    assert safe(address) is fine
