"""`shunt doctor` about connected clients."""

from __future__ import annotations

from shunt.cli.client_checks import client_remarks
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation
from shunt.cli.remarks import Level, Remark
from tests.cli.desk import T0, Desk, never


def remarks(desk: Desk, url: str = "", **environ: str) -> list[Remark]:
    whole = {"HOME": str(desk.user), "SHUNT_HOME": str(desk.home), **environ}
    files = open_files(Invocation(whole, lambda: T0, never))
    return list(client_remarks(files, url or f"http://127.0.0.1:{desk.port}"))


def test_nothing_connected_nothing_said(desk: Desk) -> None:
    """Nobody is told of what was never asked for."""
    assert remarks(desk) == []


def test_a_connection_that_stands(desk: Desk) -> None:
    """Fine, and the shell's obstacles are notes."""
    desk.run("connect", "claude", "--yes")
    assert [each.level for each in remarks(desk)] == [Level.FINE]
    levels = [each.level for each in remarks(desk, ANTHROPIC_API_KEY="sk-test-0123456789")]
    assert levels == [Level.FINE, Level.NOTE]


def test_drift_another_address_and_damage(desk: Desk) -> None:
    """Each with the command that puts it right."""
    desk.run("connect", "claude", "--yes")
    (note,) = remarks(desk, "http://127.0.0.1:1")
    assert (note.level, note.cure) == (Level.NOTE, "shunt connect claude")
    file = desk.user / ".claude" / "settings.json"
    file.write_text("{}")
    (drift,) = remarks(desk)
    assert drift.level is Level.WARNING
    assert "ANTHROPIC_BASE_URL" in drift.says
    file.write_text("{")
    assert remarks(desk)[0].level is Level.WARNING
    assert "cannot be read" in desk.run("doctor", "--offline").output


def test_a_damaged_journal_and_no_home(desk: Desk) -> None:
    """Said, and the rest of the doctor goes on."""
    desk.home.mkdir()
    (desk.home / "connections.json").write_text("{")
    assert [each.level for each in remarks(desk)] == [Level.WARNING]
    assert [each.level for each in remarks(desk, HOME="")] == [Level.WARNING]
