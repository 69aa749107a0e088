"""Hearing of changes: whatever way a program writes its file, and an end that is quick."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
import trio

from shunt.watchers.bell import Bell
from shunt.watchers.lookout import listen


async def test_every_way_of_writing_is_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In place, by renaming another file over it, by removing it; but not what happens to other files."""
    path, other = tmp_path / "auth.json", tmp_path / "history.jsonl"
    path.write_text("1")
    caplog.set_level(logging.WARNING)
    bell = Bell()

    def replace() -> None:
        temp = tmp_path / "temp"
        temp.write_text("3")
        temp.replace(path)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, [path], bell.ring)
        with trio.fail_after(30):  # until the listening has begun
            while not await bell.within(0.5):
                path.write_text("begun")
        while await bell.within(0.6):  # and everything of it has been told
            pass
        other.write_text("not this one")
        assert not await bell.within(0.6)
        for change in (lambda: path.write_text("2"), replace, path.unlink, lambda: path.write_text("4")):
            change()
            assert await bell.within(20)
            await bell.within(0.4)
        begun = time.monotonic()
        nursery.cancel_scope.cancel()
    assert time.monotonic() - begun < 10  # not the whole turn


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is an error at once, not a silence."""
    with pytest.RaisesGroup(FileNotFoundError):
        await listen([tmp_path / "gone" / "auth.json"], lambda: None)
