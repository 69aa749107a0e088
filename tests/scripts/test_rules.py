"""The house rules: each complains about its violation, and about nothing else."""

from __future__ import annotations

from pathlib import Path

import _rules
import pytest

TEST = '"""Tests."""\n\n\ndef test_it() -> None:\n    """It works."""\n'
CODE = '"""Code."""\n\n\ndef go() -> None:\n    print()\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree without a fault."""
    for name in (*_rules.UNTESTED, *_rules.THEMED):
        if name.endswith("/"):
            (tmp_path / name).mkdir(parents=True)
        else:
            put(tmp_path, name, '"""Nothing."""\n')
    put(tmp_path, "shunt/routing/__init__.py", '"""Routing."""\n\nALL = (1, 2)\n')
    put(tmp_path, "shunt/routing/choose.py", CODE)
    put(tmp_path, "tests/routing/test_choose.py", TEST)
    put(tmp_path, "README.md", "shunt\n")
    return tmp_path


def put(root: Path, name: str, text: str | bytes) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ~ keeps words that must not appear in this tree from appearing in this file.
    path.write_bytes(text.replace("~", "").encode() if isinstance(text, str) else text)


def test_a_tree_without_fault_is_left_alone(tree: Path) -> None:
    """No rule complains where there is nothing to complain about."""
    put(tree, "logo.png", b"\x89PNG\xff")
    put(tree, ".git/config", "/wo~rk/main/")
    put(tree, "shunt/routing/data.json", "{}")
    assert list(_rules.complaints(tree)) == []


LONG_FUNCTION = "def go() -> None:\n" + "    print()\n" * 50


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("shunt/routing/choose.py", CODE + "x = 1\n" * 400, "405 lines, more than 400"),
        ("tests/routing/test_choose.py", TEST + "x = 1\n" * 600, "605 lines, more than 600"),
        ("shunt/routing/choose.py", LONG_FUNCTION, "go has 51 lines, more than 50"),
        ("shunt/routing/__init__.py", "def go() -> None:\n    print()\n", "belongs into a module of its own"),
        ("shunt/routing/score.py", CODE, "tests/routing/test_score.py does not exist"),
        ("shunt/score.py", CODE, "tests/test_score.py does not exist"),
        ("tests/routing/test_score.py", TEST, "mirrors no module (shunt/routing/score.py does not exist)"),
        ("tests/test_routing.py", TEST, "mirrors no module"),
        ("tests/routing/test_choose.py", "def test_it() -> None:\n    pass\n", "no docstring"),
        (
            "tests/routing/test_choose.py",
            "class TestIt:\n    def test_it(self) -> None: ...\n",
            "no docstring",
        ),
        ("tests/routing/test_choose.py", TEST + "import trio\n", "imports trio"),
        ("tests/routing/test_choose.py", TEST + "from trio.testing import MockClock\n", "imports trio"),
        ("shunt/routing/utils.py", "", "`utils` says nothing"),
        ("shunt/helpers/score.py", "", "`helpers` says nothing"),
        ("tests/test_common.py", "", "`common` says nothing"),
        ("README.md", "see /wo~rk/main/x", "a path of one machine"),
        ("a.lock", "--index-url https://py~pi.org/simple", "a package registry's host"),
        ("README.md", "see faults~.md", "a file that is not here"),
    ],
)
def test_a_violation_is_named(tree: Path, name: str, text: str, complaint: str) -> None:
    """What breaks a rule is found, and the complaint begins with the file and says what is wrong."""
    put(tree, name, text)
    assert any(line.startswith(name) and complaint in line for line in _rules.complaints(tree))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shunt/routing/view.py", '"""Only records."""\n\n\nclass View:\n    x: int\n'),
        ("shunt/routing/base.py", 'class P:\n    def go(self) -> None:\n        """Go."""\n        ...\n'),
        (
            "shunt/routing/errors.py",
            "class E(Exception):\n    def __init__(self) -> None:\n        self.x = 1\n",
        ),
        ("tests/routing/test_routing.py", TEST),
        ("tests/e2e/test_anything.py", TEST + "import trio\n"),
        ("shunt/routing/choose.py", "def go() -> None:\n" + "    print()\n" * 49),
    ],
)
def test_what_is_no_violation_passes(tree: Path, name: str, text: str) -> None:
    """Records need no test, registries may have one, and a limit may be reached."""
    put(tree, name, text)
    assert list(_rules.complaints(tree)) == []


def test_exceptions_do_not_outlive_their_files(tree: Path) -> None:
    """An exception for a file that has gone is complained about."""
    (tree / "shunt/app/main.py").unlink()
    assert any("shunt/app/main.py" in line for line in _rules.complaints(tree))
