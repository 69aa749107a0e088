"""Changing another program's file: nothing it wrote is lost, and nothing about the file changes but its content."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from shunt.errors import StoreError
from shunt.store.exchange import exchange
from shunt.store.shared_file import alone_with, change_shared


def upper(key: str = "it") -> Callable[[bytes], bytes | None]:
    """Put one field into capitals, where it is there and is not."""

    def change(text: bytes) -> bytes | None:
        document = json.loads(text)
        value = document.get(key, "")
        if value == value.upper():
            return None
        return json.dumps({**document, key: value.upper()}).encode()

    return change


def written(path: Path, **fields: str) -> Path:
    path.write_text(json.dumps(fields))
    return path


def at_once(_seconds: float) -> None:
    """No waiting for late writers."""


def names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o400])
def test_mode_and_other_fields_stay(tmp_path: Path, mode: int) -> None:
    """The content is exchanged, nothing else; and nothing is left lying around."""
    path = written(tmp_path / "auth.json", it="a", other="b")
    path.chmod(mode)
    assert change_shared(path, upper(), pause=at_once)
    assert json.loads(path.read_bytes()) == {"it": "A", "other": "b"}
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert names(tmp_path) == {"auth.json"}
    before = path.stat()
    assert not change_shared(path, upper(), pause=at_once)  # there is nothing to change any more
    assert path.stat() == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    """A shunt that runs as root (in a container) does not take the file away from its user."""
    path = written(tmp_path / "auth.json", it="a")
    os.chown(path, 12345, 54321)
    assert change_shared(path, upper(), pause=at_once)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_links_are_followed_and_stay(tmp_path: Path) -> None:
    """People link their dotfiles: what the link leads to is changed."""
    (tmp_path / "real").mkdir()
    real = written(tmp_path / "real" / "auth.json", it="a")
    middle, link = tmp_path / "middle", tmp_path / "auth.json"
    middle.symlink_to(real)
    link.symlink_to("middle")
    assert change_shared(link, upper(), pause=at_once)
    assert (str(link.readlink()), json.loads(real.read_bytes())) == ("middle", {"it": "A"})


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    """Its user has logged out."""
    assert not change_shared(tmp_path / "auth.json", upper(), pause=at_once)
    assert not change_shared(tmp_path / "gone" / "auth.json", upper(), pause=at_once)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert not change_shared(tmp_path / "link", upper(), pause=at_once)
    assert names(tmp_path) == {"link"}


def test_what_is_no_plain_file_is_left_alone(tmp_path: Path) -> None:
    """Each with its reason: a folder, a FIFO (without waiting), a circle, two names, open to everybody."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.link(written(tmp_path / "one", it="a"), tmp_path / "two")
    written(tmp_path / "open", it="a").chmod(0o666)
    reasons = {"folder": "a folder", "fifo": "a FIFO", "one": "2 names", "open": "everybody"}
    for name, reason in reasons.items():
        with pytest.raises(StoreError, match=reason):
            change_shared(tmp_path / name, upper(), pause=at_once)
    with suppress(StoreError):
        assert not change_shared(tmp_path / "circle", upper(), pause=at_once)
    assert json.loads((tmp_path / "two").read_bytes()) == {"it": "a"}


@pytest.mark.parametrize("replaced", [False, True], ids=["in place", "by a rename"])
def test_what_comes_in_between_wins(tmp_path: Path, replaced: bool) -> None:
    """A version that was written while ours was being prepared is the one that is changed."""
    path = written(tmp_path / "auth.json", it="a")
    seen: list[bytes] = []

    def change(text: bytes) -> bytes | None:
        if not seen:  # the other program writes just now
            place = written(tmp_path / "temp", it="b", new="c")
            place.replace(path) if replaced else path.write_bytes(place.read_bytes())
        seen.append(text)
        return upper()(text)

    assert change_shared(path, change, pause=at_once)
    assert json.loads(path.read_bytes()) == {"it": "B", "new": "c"}
    assert len(seen) == 2


def test_a_file_that_never_stands_still(tmp_path: Path) -> None:
    """Is given up after a few attempts, and left as the other program has it."""
    path = written(tmp_path / "auth.json", it="a")

    def change(text: bytes) -> bytes | None:
        path.write_text(json.dumps({"it": json.loads(text)["it"] + "a"}))
        return upper()(text)

    with pytest.raises(StoreError, match="keeps writing"):
        change_shared(path, change, pause=at_once)
    assert json.loads(path.read_bytes()) == {"it": "aaaaaa"}
    assert names(tmp_path) == {"auth.json"}


@pytest.fixture(params=[True, False], ids=["exchanged", "renamed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system cannot exchange names."""
    if not request.param:
        monkeypatch.setattr("shunt.store.shared_file.exchange", lambda *_: False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("late", "expected"),
    [
        ('{"it": "late", "more": "x"}', {"it": "LATE", "more": "x"}),
        ('{"it": "DONE", "more": "x"}', {"it": "DONE", "more": "x"}),
        ('{"it": "la', {"it": "A"}),
        ("", {"it": "A"}),
    ],
    ids=["to be changed", "to be kept", "half", "emptied"],
)
def test_what_is_written_into_the_old_version_is_carried_over(
    tmp_path: Path, late: str, expected: object
) -> None:
    """A program that had the file open when it was replaced writes to a file without a name: that is noticed."""
    path = written(tmp_path / "auth.json", it="a")
    opened = path.open("r+")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            opened.truncate(0)
            opened.write(late)
            opened.flush()

    assert change_shared(path, upper(), pause=pause)
    opened.close()
    assert names(tmp_path) == {"auth.json"}
    assert json.loads(path.read_bytes()) == expected


def test_a_file_that_comes_at_the_last_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put there between the last look and the exchange, it is not lost either."""
    path = written(tmp_path / "auth.json", it="a")

    def late(one: Path, other: Path) -> bool:
        monkeypatch.undo()
        written(tmp_path / "temp", it="b", new="c").replace(path)
        return exchange(one, other)

    monkeypatch.setattr("shunt.store.shared_file.exchange", late)
    assert change_shared(path, upper(), pause=at_once)
    if not _can_exchange(tmp_path):
        pytest.skip("this file system cannot exchange names")
    assert json.loads(path.read_bytes()) == {"it": "B", "new": "c"}


def _can_exchange(folder: Path) -> bool:
    return exchange(written(folder / "probe-1", it="x"), written(folder / "probe-2", it="y"))


def test_a_file_that_is_removed_at_the_last_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stays removed: its user has logged out."""
    path = written(tmp_path / "auth.json", it="a")

    def late(one: Path, other: Path) -> bool:
        path.unlink()
        return exchange(one, other)

    monkeypatch.setattr("shunt.store.shared_file.exchange", late)
    if _can_exchange(tmp_path):
        assert not change_shared(path, upper(), pause=at_once)
        assert not path.exists()


def test_a_writer_that_never_rests_loses_nothing(tmp_path: Path) -> None:
    """A program counts up in its file, sometimes in place, sometimes by a rename, while another field is
    changed again and again: at the end its last count stands, and every field is there."""
    path = written(tmp_path / "auth.json", it="a", count="0", kept="yes")
    over = threading.Event()

    def count() -> None:
        for number in range(1, 401):
            with suppress(ValueError):
                document = json.loads(path.read_bytes())
                text = json.dumps({**document, "it": document["it"].lower(), "count": str(number)})
                if number % 2:
                    path.write_text(text)
                else:
                    (tmp_path / "temp").write_text(text)
                    (tmp_path / "temp").replace(path)
        over.set()

    writer = threading.Thread(target=count)
    writer.start()
    while not over.is_set():
        with suppress(StoreError, ValueError):
            change_shared(path, upper(), pause=lambda _: None)
    writer.join()
    while change_shared(path, upper(), pause=at_once):
        pass
    assert json.loads(path.read_bytes()) == {"it": "A", "count": "400", "kept": "yes"}


def test_one_shunt_at_a_time(tmp_path: Path) -> None:
    """Through whatever link they come to the file; without a file there is nothing to agree on."""
    path = written(tmp_path / "auth.json", it="a")
    link = tmp_path / "link"
    link.symlink_to(path)
    with alone_with(path, "taken", 0.05):
        with pytest.raises(StoreError, match="taken"), alone_with(link, "taken", 0.05):
            pass
        with alone_with(tmp_path / "gone", "taken", 0.05):
            pass
    with alone_with(link, "taken", 0.05):
        pass
    assert names(tmp_path) <= {"auth.json", "link", ".auth.json.shunt.lock"}


def test_a_folder_that_takes_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder does not stand in the way of a renewal."""
    path = written(tmp_path / "auth.json", it="a")
    (tmp_path / ".auth.json.shunt.lock").mkdir()  # cannot be opened as a file, by root neither
    with alone_with(path, "taken", 0.05):
        pass
