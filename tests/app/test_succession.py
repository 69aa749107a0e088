from __future__ import annotations

import os
import socket
import sys
from typing import Any

import pytest
import trio
import trio.testing

from shunt.app.options import RunOptions
from shunt.app.succession import Succession
from shunt.desktop.form import command, this
from shunt.server.sockets import INHERITED, inherit, listen


async def test_a_running_answer_is_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing happens unasked; asked for, the last answer ends first; somebody who only watches is not waited for."""
    change = Succession()
    ended: list[float] = []

    async def give_way() -> None:
        await change.come(600)
        ended.append(trio.current_time())

    async def answer(seconds: float, *, awaited: bool) -> None:
        with change.drain.call(awaited=awaited):
            await trio.sleep(seconds)

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(give_way)
        nursery.start_soon(lambda: answer(50, awaited=True))
        nursery.start_soon(lambda: answer(5000, awaited=False))
        await trio.sleep(20)
        assert ended == []
        change.asked.set()
    assert ended == [start + 50]


async def test_patience_ends(autojump_clock: trio.testing.MockClock) -> None:
    """An answer that never ends does not keep the old version for ever."""
    change = Succession()
    change.asked.set()
    start = trio.current_time()
    with change.drain.call():
        await change.come(600)
    assert trio.current_time() == start + 600


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are inherited by number")
def test_the_sockets_are_left_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """They listen on though their first owner closed them; the same words start the next version."""
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *arguments: called.append(arguments))
    sockets = listen("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    change = Succession()
    change.keep(sockets)
    for sock in sockets:
        sock.close()
    change.become(RunOptions(environ={"A": "b"}, arguments=("run", "--port", str(port))))
    ((path, words, environ),) = called
    assert (path, words[-3:]) == (words[0], ["run", "--port", str(port)])
    assert words[:-3] == list(command(this()))
    assert environ["A"] == "b"
    for sock in change.kept:  # execve was only played: leave the descriptors to the heir
        sock.detach()
    heirs = inherit(environ, "localhost", port)
    assert len(heirs) == len(sockets)
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
    for heir in heirs:
        heir.close()
    assert inherit({INHERITED: environ[INHERITED]}, "localhost", port) == []
