"""Pointing clients at shunt on a disk, and undoing it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shunt.accounts.secret import Secret
from shunt.connect import CLIENTS
from shunt.connect.base import Client, Machine, Target
from shunt.connect.claude_code import CLAUDE_CODE
from shunt.connect.journal import Journal
from shunt.connect.pointing import Ending, Pointing
from shunt.errors import StoreError

TARGET = Target("http://127.0.0.1:8082")
ORIGINAL = b'\xef\xbb\xbf{\r\n\t// mine\r\n\t"model": "opus", "env": {"A": "1"},\r\n}\r\n'


@pytest.fixture
def pointing(tmp_path: Path) -> Pointing:
    home = tmp_path / "home"
    home.mkdir()
    machine = Machine({}, home, home, "linux")
    return Pointing(Journal(tmp_path / "state" / "connections.json"), machine)


def settings(pointing: Pointing, content: bytes = ORIGINAL) -> Path:
    file = pointing.machine.home / ".claude" / "settings.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return file


def connect(pointing: Pointing, client: Client = CLAUDE_CODE, target: Target = TARGET) -> None:
    for step in pointing.prepare(client, target):
        pointing.carry_out(step, keyed=target.keyed)


def everything(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_client_is_undone_without_a_trace(pointing: Pointing, client: Client) -> None:
    """Files and folders that were made for it are gone; drift is seen in between."""
    before = everything(pointing.machine.home)
    connect(pointing, client)
    found = list(pointing.conditions())
    assert found
    assert not any(each.drift or each.trouble for each in found)
    assert {each.ending for each in pointing.undo(client.name)} == {Ending.REMOVED}
    assert everything(pointing.machine.home) == before
    assert not list(pointing.conditions())


def test_all_clients_together_leave_no_folder_behind(pointing: Pointing) -> None:
    """Folders that several share go with the last one."""
    for client in CLIENTS:
        connect(pointing, client)
    for client in CLIENTS:
        list(pointing.undo(client.name))
    assert everything(pointing.machine.home) == {}


def test_undo_is_byte_for_byte(pointing: Pointing) -> None:
    """Marks, line ends, comments and permissions come back."""
    file = settings(pointing)
    file.chmod(0o644)
    connect(pointing, target=Target("http://127.0.0.1:8082", Secret("shk_test-canary")))
    assert b"// mine" in file.read_bytes()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it holds a key now"
    (undone,) = pointing.undo("claude")
    assert undone.ending is Ending.RESTORED
    assert file.read_bytes() == ORIGINAL
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_connecting_again_still_leads_back_to_the_first(pointing: Pointing) -> None:
    """Another address replaces the old one, and one undo goes all the way."""
    file = settings(pointing)
    connect(pointing)
    connect(pointing, target=Target("http://127.0.0.1:9999"))
    assert b"9999" in file.read_bytes()
    assert b"8082" not in file.read_bytes()
    assert [each.ending for each in pointing.undo("claude")] == [Ending.RESTORED]
    assert file.read_bytes() == ORIGINAL


def test_the_user_s_edits_survive_an_undo(pointing: Pointing) -> None:
    """Only shunt's part goes, and it is said so."""
    file = settings(pointing)
    connect(pointing)
    file.write_bytes(file.read_bytes().replace(b'"opus"', b'"sonnet"'))
    (undone,) = pointing.undo("claude")
    assert (undone.ending, undone.kept) == (Ending.TAKEN_OUT, ())
    assert file.read_bytes() == ORIGINAL.replace(b'"opus"', b'"sonnet"')


def test_connecting_again_after_an_edit_keeps_the_edit(pointing: Pointing) -> None:
    """The way back then ends at the user's file with that edit."""
    file = settings(pointing)
    connect(pointing)
    file.write_bytes(file.read_bytes().replace(b'"opus"', b'"sonnet"'))
    connect(pointing, target=Target("http://127.0.0.1:9999"))
    list(pointing.undo("claude"))
    assert file.read_bytes() == ORIGINAL.replace(b'"opus"', b'"sonnet"')


def test_values_changed_by_others_are_named_and_left(pointing: Pointing) -> None:
    """Somebody pointed the client elsewhere since."""
    file = settings(pointing)
    connect(pointing)
    file.write_bytes(file.read_bytes().replace(b"127.0.0.1:8082", b"10.0.0.1"))
    (condition,) = pointing.conditions()
    assert condition.drift == ("env.ANTHROPIC_BASE_URL",)
    (undone,) = pointing.undo("claude")
    assert undone.kept == ("env.ANTHROPIC_BASE_URL",)
    assert b"10.0.0.1" in file.read_bytes()
    assert b"AUTH_TOKEN" not in file.read_bytes()


@pytest.mark.parametrize("content", [b"{ broken", b"\xff\xfe", b'{"env": "text"}', b'{"env": 1, "env": 2}'])
def test_what_cannot_be_read_is_not_touched(pointing: Pointing, content: bytes) -> None:
    """A parse error changes nothing, and names the file."""
    file = settings(pointing, content)
    with pytest.raises(StoreError, match="settings"):
        pointing.prepare(CLAUDE_CODE, TARGET)
    assert file.read_bytes() == content
    assert not pointing.journal.file.exists()


def test_a_file_broken_after_connecting_is_not_undone(pointing: Pointing) -> None:
    """The undo says so and stays possible."""
    file = settings(pointing)
    connect(pointing)
    file.write_bytes(b"{ broken")
    (condition,) = pointing.conditions()
    assert "settings.json" in condition.trouble
    with pytest.raises(StoreError):
        list(pointing.undo("claude"))
    assert file.read_bytes() == b"{ broken"
    assert list(pointing.conditions())


def test_a_file_that_is_gone_is_told(pointing: Pointing) -> None:
    """As drift, and at the undo."""
    file = settings(pointing)
    connect(pointing)
    file.unlink()
    (condition,) = pointing.conditions()
    assert condition.drift
    assert [each.ending for each in pointing.undo("claude")] == [Ending.GONE]


def test_a_change_in_between_is_noticed(pointing: Pointing) -> None:
    """What was shown is what is written, or nothing is."""
    file = settings(pointing)
    (step,) = pointing.prepare(CLAUDE_CODE, TARGET)
    file.write_bytes(b"{}")
    with pytest.raises(StoreError, match="somebody else"):
        pointing.carry_out(step, keyed=False)
    assert file.read_bytes() == b"{}"


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_linked_file_stays_linked(pointing: Pointing, tmp_path: Path) -> None:
    """People keep their dotfiles elsewhere."""
    real = tmp_path / "dotfiles.json"
    real.write_bytes(ORIGINAL)
    link = pointing.machine.home / ".claude" / "settings.json"
    link.parent.mkdir()
    link.symlink_to(real)
    connect(pointing)
    assert link.is_symlink()
    assert b"ANTHROPIC_BASE_URL" in real.read_bytes()
    list(pointing.undo("claude"))
    assert real.read_bytes() == ORIGINAL
