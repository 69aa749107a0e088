"""What the doctor says of files that run at every start of Python."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from shunt.cli.package_checks import package_remarks, planted
from shunt.cli.remarks import Level

EVIL = b"import os; os.system('true')\n"


def installed(folder: Path, name: str, content: bytes) -> None:
    """Put a file there as an installed package does, with its record."""
    (folder / name).write_bytes(content)
    facts = folder / "decent-1.0.dist-info"
    facts.mkdir()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: decent\nVersion: 1.0\n")
    (facts / "RECORD").write_text(f"{name},sha256={digest},{len(content)}\n")


@pytest.mark.parametrize("content", [EVIL, b"/some/where\n" + EVIL, b"import\tos\n"])
def test_a_planted_file_is_named(tmp_path: Path, content: bytes) -> None:
    """Lines that run, in a file that no package installed: a warning with its path and what to do."""
    (tmp_path / "zz.pth").write_bytes(content)
    (remark,) = planted([tmp_path])
    assert remark.level is Level.WARNING
    assert str(tmp_path / "zz.pth") in remark.says
    assert "log in anew" in remark.cure


@pytest.mark.parametrize("name", ["sitecustomize.py", "usercustomize.py", "sitecustomize/__init__.py"])
@pytest.mark.parametrize("searched", [False, True], ids=["among packages", "on the path"])
def test_modules_that_run_by_their_name_are_named(tmp_path: Path, name: str, searched: bool) -> None:
    """Wherever Python would find them."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(EVIL)
    (remark,) = planted([], [tmp_path]) if searched else planted([tmp_path])
    assert remark.level is Level.WARNING
    assert str(tmp_path / name) in remark.says


def test_what_a_package_installed_is_noted_until_somebody_changes_it(tmp_path: Path) -> None:
    """The record of an installed package vouches for a file, by its digest."""
    installed(tmp_path, "decent.pth", b"import decent\n")
    (remark,) = planted([tmp_path])
    assert remark.level is Level.NOTE
    assert "decent" in remark.says
    (tmp_path / "decent.pth").write_bytes(EVIL)
    (remark,) = planted([tmp_path])
    assert remark.level is Level.WARNING


def test_control_characters_of_a_planted_file_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """It is shown in a terminal, so it is shown as harmless text."""
    (tmp_path / "zz.pth").write_bytes(b"import os\x1b[2J\xff\n")
    (remark,) = planted([tmp_path])
    assert "\x1b" not in remark.says


def test_ordinary_files_are_fine(tmp_path: Path) -> None:
    """Paths, comments, and what tools for environments write are no remark."""
    (tmp_path / "a.pth").write_bytes(b"# import os\n/some/folder\n")
    (tmp_path / "_virtualenv.pth").write_bytes(b"import _virtualenv")
    (remark,) = planted([tmp_path], [tmp_path / "missing"])
    assert remark.level is Level.FINE


def test_this_environment_can_be_looked_at() -> None:
    """Without a warning that nobody could act on."""
    assert all(remark.level is not Level.FAULT for remark in package_remarks())
