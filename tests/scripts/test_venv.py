"""The environment that the programs in scripts/ make for themselves: when it is fresh, and who may make it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import _venv
import pytest


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with two lock files, whose environment is pretended."""
    locks = {"runtime": tmp_path / "requirements.lock", "dev": tmp_path / "requirements-dev.lock"}
    for path in locks.values():
        path.write_text("trio==0.35.0\n", encoding="utf-8")
    monkeypatch.setattr(_venv, "ROOT", tmp_path)
    monkeypatch.setattr(_venv, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(_venv, "STAMP", tmp_path / ".venv" / "shunt-stamp")
    monkeypatch.setattr(_venv, "LOCKS", locks)
    return tmp_path


@pytest.fixture
def steps(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to the environment; nothing is really made or installed."""
    done: list[str] = []

    def create() -> None:
        done.append("create")
        _venv.venv_python().parent.mkdir(parents=True, exist_ok=True)
        _venv.venv_python().touch()
        _venv.STAMP.unlink(missing_ok=True)

    def usable() -> bool:
        half_made = _venv.STAMP.exists() and _venv.STAMP.read_text(encoding="utf-8") == _venv.HALF_MADE
        return _venv.venv_python().exists() and not half_made

    monkeypatch.setattr(_venv, "create", create)
    monkeypatch.setattr(_venv, "is_usable", usable)
    monkeypatch.setattr(_venv, "install", lambda *args: done.append(f"install {Path(args[-1]).name}"))
    return done


def test_a_second_run_does_nothing(steps: list[str]) -> None:
    """The first run makes and installs, the second finds everything fresh."""
    _venv.prepare("runtime")
    assert steps == ["create", "install requirements.lock"]
    _venv.prepare("runtime")
    assert len(steps) == 2


def test_what_development_needs_includes_what_running_needs(steps: list[str]) -> None:
    """After scripts/check, scripts/start has nothing to install; the other way round it has."""
    _venv.prepare("runtime")
    _venv.prepare("dev")
    _venv.prepare("runtime")
    assert steps == ["create", "install requirements.lock", "install requirements-dev.lock"]


def test_a_changed_lock_is_installed(steps: list[str], checkout: Path) -> None:
    """After a pull that changes the lock file the same environment is brought up to date."""
    _venv.prepare("runtime")
    (checkout / "requirements.lock").write_text("trio==0.36.0\n", encoding="utf-8")
    _venv.prepare("runtime")
    assert steps[2:] == ["install requirements.lock"]


def test_an_interrupted_install_starts_over(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose install was killed is made anew."""

    def killed(*_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_venv, "install", killed)
        with pytest.raises(KeyboardInterrupt):
            _venv.prepare("runtime")
    assert not _venv.is_fresh("runtime")
    _venv.prepare("runtime")
    assert steps == ["create", "create", "install requirements.lock"]


def test_an_interpreter_that_has_gone_is_noticed(steps: list[str]) -> None:
    """An environment whose Python was uninstalled is made anew."""
    _venv.prepare("runtime")
    _venv.venv_python().unlink()
    assert not _venv.is_fresh("runtime")
    _venv.prepare("runtime")
    assert steps.count("create") == 2


def test_another_interpreter_makes_its_own(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamp belongs to one version of Python."""
    _venv.prepare("runtime")
    monkeypatch.setattr(sys, "version", "3.99.0 (other)")
    assert not _venv.is_fresh("runtime")


def test_only_one_program_at_a_time(checkout: Path) -> None:
    """A second process waits for the lock until the first lets go."""
    program = textwrap.dedent("""
        import sys, _venv, pathlib
        _venv.ROOT = pathlib.Path(sys.argv[1])
        print("asking", flush=True)
        with _venv.alone():
            print("got it", flush=True)
    """)
    scripts = Path(_venv.__file__).parent
    with _venv.alone():
        other = subprocess.Popen(
            [sys.executable, "-c", program, str(checkout)], cwd=scripts, stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "asking\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.3)
    assert other.communicate(timeout=20)[0] == "got it\n"


def test_an_old_interpreter_looks_for_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names on PATH are asked for their version; one that leads nowhere is passed over."""
    monkeypatch.setattr(_venv, "NAMES", ("python-that-is-not", "shim", "python-new"))
    found = {"shim": "/bin/false", "python-new": sys.executable}
    monkeypatch.setattr(shutil, "which", found.get)
    assert _venv.newer_python() == sys.executable


def test_no_newer_interpreter_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Python 3.11 on PATH, the end says what is needed and what was found."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer\. This is 3\."):
        _venv.newer_python()


def test_a_machine_without_venv_is_told_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian ships Python without ensurepip; the cure is named."""
    monkeypatch.setattr(_venv, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="python3-venv"):
        _venv.create()
