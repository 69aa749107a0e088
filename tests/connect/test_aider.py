"""aider's settings and what gets in their way."""

from __future__ import annotations

from pathlib import Path

from shunt.connect.aider import conflicts, edits, environment
from shunt.connect.plan import planned
from shunt.connect.yaml_text import document
from tests.connect.machines import KEYED, TARGET, machine, write


def test_addresses_and_keys_of_both_vendors(tmp_path: Path) -> None:
    """In the file of the home folder."""
    (edit,) = edits(machine(tmp_path), KEYED)
    assert edit.file == tmp_path / ".aider.conf.yml"
    assert document(planned("", edit).after) == {
        "openai-api-base": "https://box.test:8082/v1",
        "openai-api-key": "shk_test-key",
        "anthropic-api-key": "shk_test-key",
        "set-env": {"ANTHROPIC_API_BASE": "https://box.test:8082"},
    }
    assert environment(KEYED)["AIDER_OPENAI_API_BASE"] == "https://box.test:8082/v1"


def test_variables_and_projects_win(tmp_path: Path) -> None:
    """Each is named with its file."""
    repo = tmp_path / "repo"
    (repo / ".git").mkdir(parents=True)
    write(repo / ".aider.conf.yml", "openai-api-base: http://other\nset-env:\n- A=1\n")
    lines = list(conflicts(machine(tmp_path, folder=repo / "src", AIDER_SET_ENV="x"), TARGET))
    assert len(lines) == 3
    assert str(repo) in lines[1]
    write(repo / ".aider.conf.yml", "words")
    assert list(conflicts(machine(tmp_path, folder=repo), TARGET)) == []
