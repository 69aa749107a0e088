"""The house rules that no linter knows: sizes, names, tests that mirror rooms, words that must not appear.

Each rule yields complaints, one line each, that begin with the file. `python3 scripts/check` runs them all.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent

MODULE_LINES = {"shunt": 400, "scripts": 400, "tests": 600}
FUNCTION_LINES = 50
"""In shunt/, from the def line to the end, docstring included."""

BANNED_NAMES = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"}
"""Names of modules and folders that say nothing about what is inside."""

PURE_ROOMS = (
    *("routing", "providers", "protocols", "config", "accounts"),
    *("limits", "models", "inference", "wire", "errors", "views"),
)
"""Rooms without IO: their tests do without an event loop."""

UNTESTED = {
    "shunt/__main__.py": "hands over to cli; every test that starts the program runs it",
    "shunt/app/main.py": "starts the whole; the tests in tests/e2e run it",
    "shunt/app/opening.py": "puts parts together; the tests in tests/e2e run the whole",
    "shunt/app/program.py": "likewise",
    "shunt/app/sight.py": "likewise",
    "shunt/app/tracing.py": "likewise",
    "shunt/app/wiring.py": "likewise",
}
"""Modules with functions and no test file of their own, each with its reason."""

THEMED = {
    "tests/e2e/": "the whole program at real sockets",
    "tests/golden/": "cases that concern all protocols, and what reads them",
    "tests/proof/": "that no login is lost, shown by faults at every step",
    "tests/fakes/": "fakes are tested where they stand",
    "tests/faults/": "the whole program under every fault, see tests/faults/README.md",
    "tests/scripts/": "mirrors scripts/, whose programs have no .py ending",
    "tests/test_house.py": "promises about the tree itself",
}
"""Test files that mirror no module, each with its reason. A folder ends with a slash."""

FORBIDDEN = {
    r"/(?:work|root)/": "a path of one machine",
    r"pypi[.]org|pythonhosted[.]|npmjs[.]": "a package registry's host: pip and npm know their own",
    r"(?i)(?:conformance|acceptance)[ ]suite": "a test suite that is not in this tree",
    r"\b(?:behaviour|contract|faults|translation|ecosystem|habits|rust-shunt)[.]md": "a file that is not here",
}
"""Patterns that no file may contain, with what they are. Written so that they do not match themselves."""

SKIPPED = re.compile(r"^(?:[.](?!ci$|github$|gitignore$).*|build|dist|__pycache__|htmlcov)$")
"""Names of files and folders that are not the project's own text."""


def complaints(root: Path) -> Iterator[str]:
    """Everything in the tree at `root` that breaks a rule."""
    for path in sorted(files(root)):
        name = path.relative_to(root).as_posix()
        yield from named_badly(name)
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # not text
        yield from forbidden_words(name, text)
        if path.suffix != ".py":
            continue
        tree = ast.parse(text, name)
        yield from too_big(name, text, tree)
        yield from code_in_registry(name, tree)
        yield from promise_missing(name, tree)
        yield from loop_in_pure_test(name, tree)
        yield from test_missing(root, name, tree)
        yield from mirrors_nothing(root, name)
    yield from stale_exceptions(root)


def files(folder: Path) -> Iterator[Path]:
    """The project's own files below `folder`."""
    for path in folder.iterdir():
        if SKIPPED.match(path.name):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def named_badly(name: str) -> Iterator[str]:
    """Modules and folders are named after what they hold."""
    for part in name.split("/"):
        stem = part.partition(".")[0].removeprefix("test_").strip("_")
        if stem in BANNED_NAMES:
            yield f"{name}: `{stem}` says nothing about what is inside; use a noun of the field"


def forbidden_words(name: str, text: str) -> Iterator[str]:
    """Nothing in the tree points at things outside it that a reader does not have."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in FORBIDDEN.items():
            if re.search(pattern, line):
                yield f"{name}:{number}: mentions {what}"


def too_big(name: str, text: str, tree: ast.Module) -> Iterator[str]:
    """Modules and functions fit into a head."""
    room = name.partition("/")[0]
    lines = len(text.splitlines())
    limit = MODULE_LINES.get(room)
    if limit is not None and lines > limit:
        yield f"{name}: {lines} lines, more than {limit}; split it by noun"
    if room != "shunt":
        return
    for function in functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{name}:{function.lineno}: {function.name} has {length} lines, more than {FUNCTION_LINES}"


def code_in_registry(name: str, tree: ast.Module) -> Iterator[str]:
    """An __init__.py of shunt holds a registry or nothing."""
    if name.startswith("shunt/") and name.endswith("/__init__.py"):
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield f"{name}:{node.lineno}: {node.name} belongs into a module of its own"


def promise_missing(name: str, tree: ast.Module) -> Iterator[str]:
    """Every test says in words what it promises."""
    if is_test(name):
        for function in functions(tree):
            if function.name.startswith("test_") and not ast.get_docstring(function):
                yield f"{name}:{function.lineno}: {function.name} has no docstring that states the promise"


def loop_in_pure_test(name: str, tree: ast.Module) -> Iterator[str]:
    """What decides without waiting is tested without waiting."""
    if not is_test(name) or Path(mirrored(name)).parts[1] not in {*PURE_ROOMS, "errors.py"}:
        return
    for node in ast.walk(tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        if any(module.partition(".")[0] == "trio" for module in modules):
            yield f"{name}: imports trio, though what it tests is pure"


def test_missing(root: Path, name: str, tree: ast.Module) -> Iterator[str]:
    """A module that does something has a test file of its own."""
    if not name.startswith("shunt/") or name in UNTESTED or name.endswith("/__init__.py"):
        return
    folder, _, module = name.removeprefix("shunt/").rpartition("/")
    test = "/".join(part for part in ("tests", folder, f"test_{module.lstrip('_')}") if part)
    if any(map(does_something, functions(tree))) and not (root / test).exists():
        yield f"{name}: has functions, but {test} does not exist"


def mirrors_nothing(root: Path, name: str) -> Iterator[str]:
    """A test file is found where its module is, under the same name."""
    if not is_test(name) or any(name.startswith(theme) for theme in THEMED):
        return
    module = root / mirrored(name)
    # tests/providers/test_providers.py is about the registry in shunt/providers/__init__.py.
    registry = module.parent / "__init__.py"
    is_registry_test = module.stem == module.parent.name and registry.exists()
    if not module.exists() and not is_registry_test:
        yield f"{name}: mirrors no module ({mirrored(name)} does not exist)"


def stale_exceptions(root: Path) -> Iterator[str]:
    """An exception outlives neither its file nor its reason."""
    for name in (*UNTESTED, *THEMED):
        if not (root / name).exists():
            yield f"scripts/_rules.py: lists an exception for {name}, which does not exist"


def is_test(name: str) -> bool:
    """Whether pytest collects this file."""
    return name.startswith("tests/") and name.rpartition("/")[2].startswith("test_")


def mirrored(test: str) -> str:
    """The module that a test file is about: tests/limits/test_headers.py → shunt/limits/headers.py."""
    folder, _, module = test.removeprefix("tests/").rpartition("/")
    return "/".join(part for part in ("shunt", folder, module.removeprefix("test_")) if part)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods of a module."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def does_something(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """False for the empty bodies of a Protocol and for the methods that Python itself calls."""
    if function.name.startswith("__"):
        return False
    return not all(
        isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body
    )


if __name__ == "__main__":
    found = list(complaints(ROOT))
    print(*found, sep="\n" if found else "")
    sys.exit(1 if found else 0)
