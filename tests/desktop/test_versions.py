from __future__ import annotations

from pathlib import Path

import pytest

from shunt.desktop.form import INSIDE, Interpreter
from shunt.desktop.versions import PROGRAM, Versions
from shunt.errors import UpdateError


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions.below(tmp_path)


def add(versions: Versions, version: str) -> None:
    source = versions.root.parent / f"unpacked-{version}"
    source.mkdir(parents=True)
    (source / PROGRAM).write_text(version)
    versions.root.mkdir(exist_ok=True)
    versions.adopt_folder(source, version)


def test_a_switch_keeps_the_one_before(versions: Versions) -> None:
    """The path of the program never changes; back and forth is one rename each."""
    assert (versions.current(), versions.previous()) == (None, None)
    add(versions, "1.0")
    add(versions, "1.1")
    versions.switch("1.0")
    assert (versions.current(), versions.previous()) == ("1.0", None)
    with pytest.raises(UpdateError, match="no version to go back to"):
        versions.back()
    versions.switch("1.1")
    versions.switch("1.1")
    assert versions.program.read_text() == "1.1"
    assert versions.back() == "1.0"
    assert (versions.program.read_text(), versions.previous()) == ("1.0", "1.1")
    with pytest.raises(UpdateError, match="no version 2"):
        versions.switch("2.0")


def test_only_two_are_kept(versions: Versions) -> None:
    """Old versions and half-made ones go; those in use and before it stay."""
    for version in ("1.0", "1.1", "1.2"):
        add(versions, version)
        versions.switch(version)
    (versions.root / ".1.3.abcd").mkdir()
    versions.prune()
    assert {path.name for path in versions.root.iterdir()} == {"1.1", "1.2", "current", "previous"}
    versions.remove()
    assert not versions.root.exists()
    versions.prune()


def test_the_one_file_program_becomes_a_folder(versions: Versions, tmp_path: Path) -> None:
    """Its unpacked parts and the folder's program, which it carries, make the folder form."""
    bundle = tmp_path / "_MEI1"
    (bundle / INSIDE).mkdir(parents=True)
    (bundle / INSIDE / PROGRAM).write_text("program")
    (bundle / "lib.so").write_text("library")
    found = Interpreter(tmp_path / "shunt", bundle, tmp_path / "p", tmp_path)
    versions.adopt_bundle(found, "1.0")
    assert (versions.root / "1.0" / PROGRAM).read_text() == "program"
    assert (versions.root / "1.0" / "_internal" / "lib.so").read_text() == "library"
    assert not (versions.root / "1.0" / "_internal" / INSIDE).exists()
    versions.adopt_bundle(found, "1.0")  # again is fine
    (bundle / INSIDE / PROGRAM).unlink()
    with pytest.raises(UpdateError, match="does not hold"):
        versions.adopt_bundle(found, "1.1")
    with pytest.raises(UpdateError, match="only the built program"):
        versions.adopt_bundle(Interpreter(tmp_path, None, tmp_path, tmp_path), "1.1")


def test_a_full_disk_leaves_nothing_half_made(versions: Versions, tmp_path: Path) -> None:
    """What cannot be finished is removed, and the error says where it stood."""
    versions.root.mkdir()
    with pytest.raises(UpdateError, match="cannot write"):
        versions.adopt_folder(tmp_path / "nowhere", "1.0")
    assert list(versions.root.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UpdateError, match="cannot write"):
        Versions(tmp_path / "file").adopt_folder(tmp_path / "nowhere", "1.0")
