"""Promises about the tree itself: what the papers say exists, and what exists is in the papers."""

from __future__ import annotations

import ast
import itertools
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import _rules
import pytest
from packaging.requirements import Requirement

import shunt
from shunt.cli.program import COMMANDS
from shunt.config.reference import markdown
from shunt.config.structure import parse
from shunt.errors import ConfigError
from shunt.providers import PROVIDERS
from shunt.routing.strategies import STRATEGIES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LAYERS = next(it["layers"] for it in PROJECT["tool"]["importlinter"]["contracts"] if it["type"] == "layers")
PROGRAMS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


def blocks(language: str) -> list[str]:
    """Code blocks of the README."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def locked(name: str) -> dict[str, set[str]]:
    """Package → versions with their markers and hashes, from a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        package, _, rest = line.partition("==")
        package = package.partition("[")[0]
        found.setdefault(package, set()).add(" ".join(rest.split()))
    return found


# ── README ────────────────────────────────────────────────────────────────────────────────────────


def test_every_program_of_the_readme_exists() -> None:
    """A stranger can copy each `python3 scripts/…` line."""
    named = set(re.findall(r"python3 scripts/(\w+)", README))
    assert {"start", "check"} <= named
    assert named <= {path.name for path in PROGRAMS}


def test_every_command_of_the_readme_exists() -> None:
    """Each `shunt …` that the README shows is a command."""
    shown = re.findall(r"^shunt ([a-z-]+)", "\n".join(blocks("sh")), re.MULTILINE)
    shown += re.findall(r"`shunt ([a-z][a-z-]+)", README)
    assert shown
    assert set(shown) <= {entry.name for entry in COMMANDS}


@pytest.mark.parametrize("command", [entry.name for entry in COMMANDS])
def test_every_command_is_in_the_readme(command: str) -> None:
    """A new command is not finished before the README tells of it."""
    assert re.search(rf"^\| `shunt {command}\b", README, re.MULTILINE)


@pytest.mark.parametrize("strategy", [strategy.name for strategy in STRATEGIES])
def test_every_strategy_is_in_the_readme(strategy: str) -> None:
    """The table of strategies is complete, and so is the comment in the example."""
    assert f"| `{strategy}` |" in README
    assert re.search(rf"^strategy = .*\b{strategy}\b", README, re.MULTILINE)


@pytest.mark.parametrize("provider", [provider.name for provider in PROVIDERS])
def test_every_provider_is_in_the_readme(provider: str) -> None:
    """The table of providers is complete: nobody has to read the code to learn a name."""
    assert re.search(rf"^\| .*`{re.escape(provider)}`.* \|", README, re.MULTILINE)


@pytest.mark.parametrize("example", blocks("toml"))
def test_configuration_examples_are_right(example: str) -> None:
    """What the README says to write into config.toml is accepted."""
    providers = [provider.name for provider in PROVIDERS]
    config = parse(example, source="README.md", environ={}, known_providers=providers)
    assert config.accounts
    assert config.ignored == ()


def test_configuration_examples_can_be_wrong() -> None:
    """The test above would notice: the same example with a slip is refused."""
    with pytest.raises(ConfigError):
        parse(
            blocks("toml")[0].replace("wait", "waits"), source="x", environ={}, known_providers=["anthropic"]
        )


@pytest.mark.parametrize("example", blocks("json"))
def test_json_examples_are_json(example: str) -> None:
    """What the README says to put into a settings file can be read."""
    json.loads(example)


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(link: str) -> None:
    """Files that the README links to exist."""
    assert (ROOT / link).exists()


@pytest.mark.parametrize("room", LAYERS)
def test_every_room_is_in_the_readme(room: str) -> None:
    """The table of rooms names every layer that has been built."""
    for name in re.findall(r"\w+", room):
        folder, module = ROOT / "shunt" / name, ROOT / "shunt" / f"{name}.py"
        if (folder.exists() or module.exists()) and name != "__main__":
            assert re.search(rf"\| .*`{name}(\.py)?`.* \|", README), name


def test_the_configuration_reference_is_up_to_date() -> None:
    """It is written by `python3 scripts/document`; run that after a change of the configuration's keys."""
    written = (ROOT / "shunt" / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == markdown(), "run: python3 scripts/document"


# ── Changes, versions, locks ──────────────────────────────────────────────────────────────────────


def test_changelog_has_a_place_for_the_next_change() -> None:
    """Keep a Changelog: an Unreleased section on top."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", changelog, re.MULTILINE)[0] == "[Unreleased]"


def test_there_is_one_version() -> None:
    """The package and its metadata agree."""
    assert PROJECT["project"]["version"] == shunt.__version__


@pytest.mark.parametrize("dependency", PROJECT["project"]["dependencies"])
def test_every_dependency_is_locked(dependency: str) -> None:
    """requirements.lock holds a version that pyproject.toml allows, with hashes."""
    wanted = Requirement(dependency)
    name = wanted.name.lower().replace("_", "-").replace(".", "-")
    entries = locked("requirements.lock").get(name, set())
    versions = [re.match(r"[^\s;]+", entry) for entry in entries]
    assert any(found and wanted.specifier.contains(found[0]) for found in versions)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_development_runs_on_the_versions_that_users_run() -> None:
    """requirements-dev.lock holds all of requirements.lock: nobody tests other versions than are used."""
    development = locked("requirements-dev.lock")
    for name, entries in locked("requirements.lock").items():
        versions = {re.split(r"[\s;]", entry)[0] for entry in entries}
        assert versions <= {re.split(r"[\s;]", entry)[0] for entry in development.get(name, set())}, name


# ── Files ─────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_points_out_of_the_tree() -> None:
    """No file mentions a path of one machine, a registry's host, or a paper that a reader does not have."""
    found: list[str] = []
    for path in _rules.files(ROOT):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += _rules.forbidden_words(path.relative_to(ROOT).as_posix(), text)
    assert found == []


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_programs_can_be_run_and_explain_themselves(program: Path) -> None:
    """Each has a first line for the shell, a docstring, and may be executed."""
    text = program.read_text(encoding="utf-8")
    assert text.startswith('#!/usr/bin/env python3\n"""')
    assert os.name == "nt" or program.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("program", [*PROGRAMS, ROOT / "scripts" / "_venv.py"], ids=lambda path: path.name)
def test_programs_can_be_read_by_an_old_python(program: Path) -> None:
    """An interpreter that is too old must come as far as the line that says so."""
    ast.parse(program.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_continuous_integration_runs_what_a_newcomer_runs() -> None:
    """Both CI files call scripts/check and have no checks of their own."""
    for name in (".ci/run", ".github/workflows/check.yml"):
        assert "python3 scripts/check" in (ROOT / name).read_text(encoding="utf-8")


def test_continuous_integration_leaves_no_test_out() -> None:
    """Every test is either a quick one, which runs first and on all cores, or one of those that run afterwards."""
    check = ast.parse((ROOT / "scripts" / "check").read_text(encoding="utf-8"))
    slow = next(
        ast.literal_eval(line.value)
        for line in check.body
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "SLOW"
    )
    quick = PROJECT["tool"]["pytest"]["ini_options"]["addopts"][-1]
    for marked in itertools.product((False, True), repeat=2):
        names = dict(zip(("slow", "faults"), marked, strict=True))
        verdicts = [eval(expression, {}, names) for expression in (quick, slow)]  # noqa: S307 (our own files)
        assert sum(verdicts) == 1


def test_ignored_files_are_not_the_projects_own() -> None:
    """No file that git ignores is one of the project's: it would be missing in a clone."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = "\0".join(path.relative_to(ROOT).as_posix() for path in _rules.files(ROOT))
    command = ["git", "check-ignore", "--stdin", "-z", "--no-index"]
    done = subprocess.run(command, cwd=ROOT, input=names, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_the_interpreter_is_one_we_support() -> None:
    """What runs these tests is what pyproject.toml asks for."""
    assert Requirement(f"python{PROJECT['project']['requires-python']}").specifier.contains(
        ".".join(map(str, sys.version_info[:3]))
    )


def test_what_runs_elsewhere_is_pinned() -> None:
    """The release workflow names every action by commit, and shows which version that is."""
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    for action, remark in used:
        assert re.search(r"@[0-9a-f]{40}$", action), action
        assert re.search(r"# v\d", remark), action


def test_the_image_is_the_wheel_and_a_user_without_rights() -> None:
    """Nothing but the lock file and the package goes in; it is not root's; health is looked at."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in text
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "/health" in text
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    for name in " ".join(copied).split():
        assert f"!{name.removeprefix('./')}" in ignored, name
