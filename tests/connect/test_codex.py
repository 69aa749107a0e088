"""Codex's settings and what gets in their way."""

from __future__ import annotations

import tomllib
from pathlib import Path

from shunt.connect.codex import arguments, conflicts, detours, edits, environment
from shunt.connect.plan import planned
from tests.connect.machines import KEYED, TARGET, machine, write


def test_a_provider_of_its_own(tmp_path: Path) -> None:
    """The built-in one cannot be moved; a key travels in a header."""
    (edit,) = edits(machine(tmp_path), TARGET)
    assert edit.file == tmp_path / ".codex" / "config.toml"
    assert tomllib.loads(planned("", edit).after) == {
        "model_provider": "shunt",
        "model_providers": {
            "shunt": {"name": "shunt", "base_url": "http://127.0.0.1:8082/v1", "wire_api": "responses"}
        },
    }
    (keyed,) = edits(machine(tmp_path, CODEX_HOME=str(tmp_path / "c")), KEYED)
    assert keyed.file == tmp_path / "c" / "config.toml"
    provider = tomllib.loads(planned("", keyed).after)["model_providers"]["shunt"]
    assert provider["http_headers"] == {"x-api-key": "shk_test-key"}


def test_a_single_run_keeps_its_key_out_of_the_arguments(tmp_path: Path) -> None:
    """Everybody on the machine can read those."""
    words = arguments(machine(tmp_path), KEYED, tmp_path)
    assert "shk_test-key" not in " ".join(words)
    assert 'model_providers.shunt_exec.base_url="https://box.test:8082/v1"' in words
    assert "shk_test-key" in environment(KEYED).values()
    assert set(words[::2]) == {"-c"}


def test_a_profile_s_provider_does_not_win_over_a_single_run(tmp_path: Path) -> None:
    """Codex prefers it to the top of its settings, so each that names one is set as well, and said."""
    text = '[profiles.work]\nmodel_provider = "azure"\n[profiles.x]\nmodel = "m"\n'
    file = write(tmp_path / ".codex" / "config.toml", text)
    words = arguments(machine(tmp_path), TARGET, tmp_path)
    assert 'profiles.work.model_provider="shunt_exec"' in words
    assert not any("profiles.x" in word for word in words)
    assert list(detours(machine(tmp_path))) == [
        f"the provider of profile work in {file} is not used for this run"
    ]


def test_profiles_and_projects_that_choose_another_provider(tmp_path: Path) -> None:
    """They win over the top of the file."""
    text = 'profile = "work"\n[profiles.work]\nmodel_provider = "azure"\n[profiles.x]\nmodel_provider = "shunt"\n'
    write(tmp_path / ".codex" / "config.toml", text)
    write(tmp_path / "repo" / ".codex" / "config.toml", 'model_provider = "other"')
    lines = list(conflicts(machine(tmp_path, folder=tmp_path / "repo"), TARGET))
    assert len(lines) == 2
    assert "the one in use" in lines[0]
    assert "'other'" in lines[1]
    write(tmp_path / "repo" / ".codex" / "config.toml", "broken =")
    assert len(list(conflicts(machine(tmp_path, folder=tmp_path / "repo"), TARGET))) == 1
