from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shunt.desktop import form
from shunt.desktop.form import Form, Interpreter, command, form_of, managed_root, require_readable, this
from shunt.errors import ServiceError


def interpreter(executable: Path, bundle: Path | None = None, package: Path | None = None) -> Interpreter:
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.touch()
    return Interpreter(executable, bundle, package or executable.parent / "site" / "shunt", executable.parent)


def test_the_forms_are_told_apart(tmp_path: Path) -> None:
    """By where the parts lie: beside the program, in a temporary folder, in a checkout, among libraries."""
    folder = interpreter(tmp_path / "opt" / "shunt", tmp_path / "opt" / "_internal")
    file = interpreter(tmp_path / "bin" / "shunt", tmp_path / "tmp" / "_MEI1")
    installed = interpreter(tmp_path / "venv" / "bin" / "python")
    checkout = tmp_path / "checkout"
    (checkout / "scripts").mkdir(parents=True)
    (checkout / "scripts" / "shunt").touch()
    source = interpreter(tmp_path / "bin" / "python", package=checkout / "shunt")
    assert [form_of(each) for each in (folder, file, installed, source)] == [
        *(Form.FOLDER, Form.FILE, Form.PYTHON, Form.SOURCE),
    ]
    assert command(folder) == (str(tmp_path / "opt" / "shunt"),)
    assert command(file) == (str(tmp_path / "bin" / "shunt"),)
    assert command(installed) == (str(tmp_path / "venv" / "bin" / "python"), "-m", "shunt")
    assert command(source) == (str(tmp_path / "bin" / "python"), str(checkout / "scripts" / "shunt"))


def test_a_managed_program_is_started_through_the_link(tmp_path: Path) -> None:
    """The command stays right when another version becomes the current one."""
    root = tmp_path / "versions"
    found = interpreter(root / "1.0" / "shunt", root / "1.0" / "_internal")
    assert form_of(found) is Form.FOLDER
    (root / "current").symlink_to("1.0")
    assert form_of(found) is Form.MANAGED
    assert managed_root(found) == root.resolve()
    assert command(found) == (str(root.resolve() / "current" / "shunt"),)


def test_a_packaged_program_is_started_through_its_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package's folder carries its version and goes with it; its link stays."""
    found = interpreter(tmp_path / "lib" / "1.0" / "shunt", tmp_path / "lib" / "1.0" / "_internal")
    monkeypatch.setattr(form, "PACKAGED", tmp_path / "bin-shunt")
    assert command(found) == (str(tmp_path / "lib" / "1.0" / "shunt"),)
    (tmp_path / "bin-shunt").symlink_to(found.executable)
    assert command(found) == (str(tmp_path / "bin-shunt"),)


def test_this_is_a_checkout() -> None:
    """The tests run from one."""
    assert form_of(this()) is Form.SOURCE
    assert command(this())[0] == sys.executable


def test_others_must_be_able_to_enter(tmp_path: Path) -> None:
    """A program in a private folder is no use to a service of another user."""
    program = tmp_path / "private" / "shunt"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    program.parent.chmod(0o700)
    with pytest.raises(ServiceError, match="cannot enter"):
        require_readable(program)
    require_readable(Path("/bin/sh"))
