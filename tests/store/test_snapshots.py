from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from shunt.accounts.state import (
    AccountState,
    AttemptNote,
    Cooldown,
    Custody,
    DayTotals,
    PoolState,
    RequestRecord,
)
from shunt.errors import StoreError
from shunt.inference.usage import Usage
from shunt.limits.windows import Source, Standing, Window
from shunt.store.snapshots import VERSION, Loaded, load, save

T0 = 1_700_000_000.0


@frozen
class Snapshot:
    """Like the pool's own: the state and what else survives a restart."""

    pool: PoolState
    sticky: Mapping[str, tuple[str, float]] = field(factory=dict)
    chosen: str | None = None


WINDOW = Window("5h", 0.75, T0 + 60, Standing.REJECTED, Source.HEADER, T0, 18000.0, "opus")
ACCOUNT = AccountState(
    "main",
    custody=Custody.PRESENT,
    paused=True,
    windows={"5h": WINDOW, "7d": evolve(WINDOW, used=None, resets_at=None, length=None)},
    cooldowns={"": Cooldown(T0 + 1, T0, "limited: 5h rejected")},
    throttles=2,
    last_used=T0,
    in_flight=3,
    usage=Usage(input=1, cache_read=2, output=3),
    email="u@example.test",
)
RECORD = RequestRecord(
    id="req_1",
    at=T0,
    client="",
    conversation="c",
    account="main",
    attempts=(AttemptNote("b", "limited", "5h rejected"),),
    protocol_in="anthropic_messages",
    protocol_out="anthropic_messages",
    model="claude-opus-5-5",
    served_model="claude-opus-5-5",
    status=200,
    outcome="served",
    usage=Usage(output=7),
    first_byte_ms=None,
    duration_ms=12,
    streamed=True,
)
STATE = PoolState(
    accounts={"main": ACCOUNT, "Zoë \ud83d": AccountState("Zoë \ud83d")},
    pinned="main",
    overloads={"anthropic": (("main", T0), ("b", T0 + 1))},
    recent=(RECORD,),
    days={"2026-01-01": DayTotals(1, 2, 0.5, 1)},
    total=DayTotals(1, 2, 0.5, 1),
)
SNAPSHOT = Snapshot(STATE, {"conversation": ("main", T0)}, None)


def test_a_snapshot_survives_a_restart(tmp_path: Path) -> None:
    """Everything known comes back, of every type, except requests that were in flight."""
    path = tmp_path / "state" / "state.json"
    save(path, SNAPSHOT)
    accounts = {**STATE.accounts, "main": evolve(ACCOUNT, in_flight=0)}
    assert load(path, Snapshot, T0) == Loaded(evolve(SNAPSHOT, pool=evolve(STATE, accounts=accounts)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"in_flight" not in path.read_bytes()


def test_the_first_start(tmp_path: Path) -> None:
    """No file is no warning."""
    assert load(tmp_path / "no" / "state.json", Snapshot, T0) == Loaded(None)


def test_fields_come_and_go(tmp_path: Path) -> None:
    """A field of a later version is ignored; one this version added gets its default."""
    path = tmp_path / "state.json"
    save(path, Snapshot(PoolState()))
    document = json.loads(path.read_text())
    document["state"]["later"] = {"x": 1}
    document["state"]["pool"]["later"] = 1
    del document["state"]["sticky"]
    del document["state"]["pool"]["carousel"]
    path.write_text(json.dumps(document))
    assert load(path, Snapshot, T0) == Loaded(Snapshot(PoolState()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x00" * 64,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 1}',
        b'{"version": 1, "state": null}',
        b'{"version": 1, "state": {"pool": 5}}',
        b'{"version": 1, "state": {"pool": {"accounts": {"a": {}}}}}',
        b'{"version": 1, "state": {"pool": {"accounts": {"a": {"name": "a", "custody": "lost"}}}}}',
        b"[" * 200_000,
        json.dumps({"version": VERSION + 1, "state": {}}).encode(),
        b'{"accounts": {}, "sticky": {}, "pinned_account": null}',
    ],
)
def test_an_unusable_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    """Whatever is in it, shunt starts with nothing known, says so, and the file is kept."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    path.chmod(0o600)
    loaded = load(path, Snapshot, T0)
    assert loaded.snapshot is None
    assert loaded.warning is not None
    assert str(path) in loaded.warning
    aside = tmp_path / "state.json.corrupt-1700000000"
    assert aside.read_bytes() == content
    assert str(aside) in loaded.warning
    assert not path.exists()
    save(path, SNAPSHOT)
    assert load(path, Snapshot, T0).snapshot is not None


@given(st.binary(max_size=50) | st.text(max_size=50).map(str.encode))
def test_loading_never_fails(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No content of the file stops a start."""
    path = tmp_path_factory.mktemp("state") / "state.json"
    path.write_bytes(content)
    assert load(path, Snapshot, T0).snapshot is None


def test_what_is_no_file_is_moved_out_of_the_way(tmp_path: Path) -> None:
    """A FIFO or a folder does not hang or stop a start."""
    path = tmp_path / "state.json"
    os.mkfifo(path)
    assert "FIFO" in (load(path, Snapshot, T0).warning or "")
    path.mkdir()
    assert "folder" in (load(path, Snapshot, T0).warning or "")
    assert not path.exists()


def test_a_file_that_can_neither_be_read_nor_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even then shunt starts, and the warning says both."""
    path = tmp_path / "state.json"
    path.write_bytes(b"{")

    def denied(*_args: Any, **_keywords: Any) -> Any:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", denied)
        loaded = load(path, Snapshot, T0)
    assert "permission denied" in (loaded.warning or "")
    assert path.read_bytes() == b"{"


def test_left_overs_are_swept(tmp_path: Path) -> None:
    """What a killed process left of its last write is gone after the start."""
    save(tmp_path / "state.json", SNAPSHOT)
    (tmp_path / ".state.json.0123456789abcdef.tmp").write_bytes(b"x")
    load(tmp_path / "state.json", Snapshot, T0)
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_failed_save_keeps_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is reported; the snapshot before can still be read."""
    path = tmp_path / "state.json"
    save(path, Snapshot(PoolState(), chosen="before"))

    def full(*_args: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(StoreError, match="no space"):
            save(path, SNAPSHOT)
    assert load(path, Snapshot, T0) == Loaded(Snapshot(PoolState(), chosen="before"))
