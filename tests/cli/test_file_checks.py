"""What the doctor says of files and folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shunt.cli.file_checks import path_remarks
from shunt.cli.remarks import Level

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


def test_what_is_not_there_needs_no_remark(tmp_path: Path) -> None:
    """A file that was never written is not a problem."""
    assert list(path_remarks(tmp_path / "credentials.json", secret=True)) == []


@posix
@pytest.mark.parametrize(
    ("mode", "secret", "level"),
    [
        (0o600, True, Level.FINE),
        (0o600, False, Level.FINE),
        (0o644, True, Level.FAULT),
        (0o640, True, Level.FAULT),
        (0o644, False, Level.NOTE),
    ],
)
def test_a_file_is_judged_by_who_else_can_read_it(
    tmp_path: Path, mode: int, secret: bool, level: Level
) -> None:
    """A secret that others can read is a fault with its cure; an ordinary file is only noted."""
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(mode)
    (remark,) = path_remarks(path, secret=secret)
    assert remark.level is level
    assert ("chmod 600" in remark.cure) is (level is not Level.FINE)


@posix
@pytest.mark.parametrize(
    ("mode", "level"), [(0o700, Level.FINE), (0o755, Level.WARNING), (0o777, Level.FAULT)]
)
def test_a_folder_is_judged_by_who_else_can_change_it(tmp_path: Path, mode: int, level: Level) -> None:
    """Looking in is a warning, since the files inside are closed; putting files in is a fault."""
    folder = tmp_path / "shunt"
    folder.mkdir()
    folder.chmod(mode)
    (remark,) = path_remarks(folder, secret=True)
    assert remark.level is level


def test_a_synchronised_folder_is_a_warning(tmp_path: Path) -> None:
    """Logins in Dropbox are told, with the way out."""
    folder = tmp_path / "Dropbox" / "shunt"
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    (remark,) = path_remarks(folder, secret=True)
    assert remark.level is Level.WARNING
    assert "SHUNT_HOME" in remark.cure
