"""Which shunt a client is pointed at."""

from __future__ import annotations

import io
import sys

import pytest

from shunt.cli.client_target import target_of
from shunt.cli.exits import Failed
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation
from shunt.config.client_key import made_of
from tests.cli.desk import T0, Desk, never


def files(desk: Desk) -> Files:
    return open_files(
        Invocation({"SHUNT_HOME": str(desk.home), "SHUNT_PORT": str(desk.port)}, lambda: T0, never)
    )


def test_this_machine_without_keys(desk: Desk) -> None:
    """Any word does."""
    target = target_of(files(desk), None, from_stdin=False)
    assert (target.url, target.keyed) == (f"http://127.0.0.1:{desk.port}", False)


def test_a_key_from_stdin(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes wherever the address is."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("remote-key-123\n"))
    target = target_of(files(desk), "https://box.test", from_stdin=True)
    assert (target.url, target.key.reveal()) == ("https://box.test", "remote-key-123")


def test_a_key_that_was_cut_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it stands in anybody's settings."""
    whole = made_of(b"k" * 32).reveal()
    monkeypatch.setattr(sys, "stdin", io.StringIO(whole))
    assert target_of(files(desk), None, from_stdin=True).key.reveal() == whole
    monkeypatch.setattr(sys, "stdin", io.StringIO(whole[:-1]))
    with pytest.raises(Failed, match="cut short"):
        target_of(files(desk), None, from_stdin=True)


def test_the_owner_s_key_does_not_go_to_another_address(desk: Desk) -> None:
    """remote_key opens this shunt only."""
    desk.write_config('[server]\nremote_key = "remote-key-1"\n')
    assert target_of(files(desk), None, from_stdin=False).key.reveal() == "remote-key-1"
    assert not target_of(files(desk), "https://box.test", from_stdin=False).keyed


def test_clients_without_a_key_are_sent_for_one(desk: Desk) -> None:
    """Their names help to find it; a broken configuration is no obstacle."""
    desk.write_config('[[clients]]\nname = "laptop"\nkey_sha256 = "' + "0" * 64 + '"\n')
    with pytest.raises(Failed, match="laptop"):
        target_of(files(desk), None, from_stdin=False)
    desk.write_config("broken")
    assert not target_of(files(desk), None, from_stdin=False).keyed
