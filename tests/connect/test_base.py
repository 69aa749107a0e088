"""Where clients keep things, and what points them."""

from __future__ import annotations

from pathlib import Path

from shunt.connect.base import overriding, variables
from tests.connect.machines import KEYED, TARGET, machine


def test_folders_of_each_system(tmp_path: Path) -> None:
    """Linux, macOS and Windows, and the variables that move them."""
    assert machine(tmp_path).config_folder("x") == tmp_path / ".config" / "x"
    assert machine(tmp_path, XDG_CONFIG_HOME="/c").config_folder("x") == Path("/c/x")
    assert machine(tmp_path, XDG_CONFIG_HOME="relative").config_folder("x") == tmp_path / ".config" / "x"
    mac = machine(tmp_path, platform="darwin")
    assert mac.config_folder("x", mac="X") == tmp_path / "Library" / "Application Support" / "X"
    assert mac.config_folder("x") == tmp_path / ".config" / "x"
    assert machine(tmp_path, platform="win32", APPDATA="/a").config_folder("x") == Path("/a/x")


def test_both_vendors_variables_follow_their_own_habit() -> None:
    """OpenAI's addresses carry /v1, Anthropic's do not."""
    found = variables(KEYED)
    assert found["ANTHROPIC_BASE_URL"] == "https://box.test:8082"
    assert found["OPENAI_BASE_URL"] == "https://box.test:8082/v1"
    assert {found[name] for name in found if name.endswith(("KEY", "TOKEN"))} == {"shk_test-key"}
    assert (KEYED.keyed, TARGET.keyed) == (True, False)
    assert "shk_test" not in repr(KEYED)


def test_variables_in_the_way_are_named(tmp_path: Path) -> None:
    """Only those that are set to something."""
    lines = list(overriding(machine(tmp_path, A="1", B=""), ("A", "B", "C"), "unset it"))
    assert lines == ["A is set in this shell: unset it"]
