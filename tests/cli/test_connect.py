"""`shunt connect` as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shunt.connect import CLIENTS
from tests.cli.desk import Desk

KEYED = '[[clients]]\nname = "laptop"\nkey_sha256 = "' + "0" * 64 + '"\n'


@pytest.fixture
def settings(desk: Desk) -> Path:
    """Claude Code's, with a comment."""
    file = desk.user / ".claude" / "settings.json"
    file.parent.mkdir(parents=True)
    file.write_text('{\n  // mine\n  "model": "opus"\n}\n')
    return file


def test_the_change_is_shown_and_nothing_written_without_consent(desk: Desk, settings: Path) -> None:
    """Nobody can be asked in a pipe: say --yes."""
    before = settings.read_text()
    result = desk.run("connect", "claude")
    assert result.exit_code == 1
    assert f'+    "ANTHROPIC_BASE_URL": "http://127.0.0.1:{desk.port}"' in result.output
    assert "--yes" in result.output
    assert settings.read_text() == before
    assert desk.run("connect", "claude", "--dry-run").exit_code == 0
    assert settings.read_text() == before


def test_connect_look_and_undo(desk: Desk, settings: Path) -> None:
    """One command each; the file is the same afterwards."""
    before = settings.read_bytes()
    done = desk.run("connect", "claude", "--yes")
    assert done.exit_code == 0, done.output
    assert "--undo" in done.output
    assert "// mine" in settings.read_text()
    assert "says so already" in desk.run("connect", "claude", "--yes").output
    listed = desk.document("connect")["clients"]
    assert [each["name"] for each in listed if each["connected"]] == ["claude"]
    assert "at http://127.0.0.1" in desk.run("connect").output
    assert "byte for byte" in desk.run("connect", "claude", "--undo").output
    assert settings.read_bytes() == before
    assert desk.run("connect", "claude", "--undo").exit_code == 1


def test_a_parse_error_changes_nothing(desk: Desk, settings: Path) -> None:
    """The file is named, with the place."""
    settings.write_text('{"model": \n')
    result = desk.run("connect", "claude", "--yes")
    assert result.exit_code == 1
    assert "settings.json" in result.output
    assert "line 2" in result.output
    assert settings.read_text() == '{"model": \n'


def test_conflicts_are_named(desk: Desk, settings: Path) -> None:
    """A key in the shell, without its value."""
    result = desk.run("connect", "claude", "--yes", environ={"ANTHROPIC_API_KEY": "sk-ant-test-0000000000"})
    assert "ANTHROPIC_API_KEY is set" in result.output
    assert "sk-ant-test" not in result.output
    assert settings.exists()


def test_a_keyed_shunt_wants_a_key(desk: Desk, settings: Path) -> None:
    """It comes from stdin, goes into the file and is not shown."""
    desk.write_config(KEYED)
    refused = desk.run("connect", "claude", "--yes")
    assert refused.exit_code == 1
    assert "shunt client add" in refused.output
    done = desk.run("connect", "claude", "--yes", "--key-stdin", input="canary-0123456789\n")
    assert done.exit_code == 0, done.output
    assert "canary-0123456789" in settings.read_text()


def test_the_one_key_of_all_is_used(desk: Desk, settings: Path) -> None:
    """server.remote_key needs no second telling."""
    desk.write_config('[server]\nremote_key = "canary-remote-key-1"\n')
    assert desk.run("connect", "claude", "--yes").exit_code == 0
    assert "canary-remote-key-1" in settings.read_text()


def test_scripts_get_one_document(desk: Desk, settings: Path) -> None:
    """Written, files and conflicts; and at the undo whether it was exact."""
    document = desk.document("connect", "claude", "--yes")
    assert document["written"] is True
    assert document["files"] == [{"path": str(settings), "changed": True}]
    document = desk.document("connect", "claude", "--undo", "--yes")
    assert document["files"][0]["exact"] is True


def test_another_address(desk: Desk) -> None:
    """A shunt on another machine is named by --url."""
    done = desk.run("connect", "codex", "--yes", "--url", "https://box.test:8082")
    assert done.exit_code == 0, done.output
    assert 'base_url = "https://box.test:8082/v1"' in (desk.user / ".codex" / "config.toml").read_text()


def test_an_unknown_client(desk: Desk) -> None:
    """The nearest is named, and all of them."""
    result = desk.run("connect", "cladue")
    assert result.exit_code == 2
    assert "claude" in result.output
    assert all(client.name in result.output for client in CLIENTS)


def test_lines_for_a_shell(desk: Desk) -> None:
    """Nothing but the lines, so that eval takes them."""
    result = desk.run("connect", "env", "--shell", "fish")
    assert f"set -gx OPENAI_BASE_URL 'http://127.0.0.1:{desk.port}/v1'\n" in result.stdout
    assert all(line.startswith("set ") for line in result.stdout.splitlines())


def test_drift_is_listed(desk: Desk, settings: Path) -> None:
    """Somebody else wrote the file since."""
    desk.run("connect", "claude", "--yes")
    changed = json.loads('{"env": {"ANTHROPIC_BASE_URL": "http://other"}}')
    settings.write_text(json.dumps(changed))
    assert "changed since: env.ANTHROPIC_BASE_URL" in desk.run("connect").output
    undone = desk.run("connect", "claude", "--undo")
    assert "Left, since somebody has changed it" in undone.output
    assert "http://other" in settings.read_text()


def test_without_a_home(desk: Desk) -> None:
    """Said plainly."""
    result = desk.run("connect", "claude", environ={"HOME": ""})
    assert result.exit_code == 1
    assert "HOME" in result.output
