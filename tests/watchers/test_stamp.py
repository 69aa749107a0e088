"""Noticing that a file is another one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shunt.watchers.stamp import stamp_of


def rewrite(path: Path) -> None:
    path.write_text("longer than before")


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("same")
    os.utime(other, ns=(0, path.stat().st_mtime_ns))
    other.replace(path)


def touch(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("change", [rewrite, replace, touch, Path.unlink])
def test_every_change_shows(change: Callable[[Path], None], tmp_path: Path) -> None:
    """New content, another file in its place with the same size and time, a new time, no file."""
    path = tmp_path / "config.toml"
    path.write_text("1234")
    before = stamp_of(path)
    assert before == stamp_of(path)
    change(path)
    assert stamp_of(path) != before


def test_links_lead_to_what_they_stand_for(tmp_path: Path) -> None:
    """People link their dotfiles: what counts is the file at the end."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("1234")
    link.symlink_to(real)
    before = stamp_of(link)
    rewrite(real)
    assert stamp_of(link) != before


def test_no_file_is_no_stamp(tmp_path: Path) -> None:
    """Neither where the folder is missing nor where it is a file."""
    (tmp_path / "file").write_text("")
    assert stamp_of(tmp_path / "none" / "config.toml") is None
    assert stamp_of(tmp_path / "file" / "config.toml") is None


def test_not_knowing_is_not_missing(tmp_path: Path) -> None:
    """A path that cannot be looked at is an error, not an absent file."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        stamp_of(loop)
