"""The wheel in an empty environment: what pip, pipx and uv give to people who have Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import shunt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(shunt.__file__).parents[1]
SETTINGS = ("PATH", "HOME", "PIP_", "UV_", "SSL_", "HTTP", "http", "NO_PROXY", "no_proxy", "LANG")


def run(*words: str | Path, environ: dict[str, str] | None = None) -> str:
    """Run a program outside the checkout's environment; what it printed."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)}
    done = subprocess.run(
        [str(word) for word in words],
        env={**kept, **(environ or {})},
        cwd="/" if os.name == "posix" else None,
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this tree, in a build environment of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (made,) = folder.glob("*.whl")
    return made


def test_everything_is_in_the_wheel(wheel: Path) -> None:
    """Pages, topics and data files as well as code; nothing of the tests."""
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "shunt").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == own
    assert "shunt/docs/configuration.md" in inside


def works(program: Path, home: Path) -> None:
    """Version, topics, and a demo that answers."""
    home.mkdir(exist_ok=True)
    environ = {"HOME": str(home)}
    assert run(program, "--version", environ=environ) == f"shunt {shunt.__version__}\n"
    assert run(program, "help", "configuration", environ=environ).startswith("# Configuration")
    for command in ("doctor", "service", "update"):
        assert f"shunt {command}" in run(program, command, "--help", environ=environ)
    inner = f"SHUNT_TEST_COMMAND={program}"
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e/test_demo.py"]
    done = subprocess.run(
        tests,
        cwd=ROOT,
        env={**os.environ, **dict([inner.split("=", 1)])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert list(home.iterdir()) == []


def test_pip(wheel: Path, tmp_path: Path) -> None:
    """A virtual environment with what the lock file names."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock")
    run(*pip, "--no-deps", wheel)
    run(python, "-m", "pip", "check")
    works(python.with_name("shunt"), tmp_path / "home")


@pytest.mark.parametrize("tool", ["pipx", "uv"])
def test_tools(wheel: Path, tmp_path: Path, tool: str) -> None:
    """An environment of its own, and nothing left of it once it is uninstalled."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"this machine has no {tool}")
    folder = tmp_path / "tools"
    environ = {
        "PIPX_HOME": str(folder),
        "PIPX_BIN_DIR": str(folder / "bin"),
        "PIPX_MAN_DIR": str(folder / "man"),
        "UV_TOOL_DIR": str(folder / "uv"),
        "UV_TOOL_BIN_DIR": str(folder / "bin"),
        "HOME": str(tmp_path),
    }
    words = ["tool", "install", "--python", sys.executable] if tool == "uv" else ["install"]
    run(path, *words, wheel, environ=environ)
    works(folder / "bin" / "shunt", tmp_path / "home")
    run(path, *(["tool"] if tool == "uv" else []), "uninstall", "shunt", environ=environ)
    assert not (folder / "bin" / "shunt").exists()
