"""One shunt gives way to another: the port stays open, running answers end well, nobody is refused."""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from tests.e2e.program import key_account, program
from tests.fakes import anthropic
from tests.fakes.client import RawResponse
from tests.fakes.upstream import Answer, scripted_upstream

pytestmark = [
    pytest.mark.built,
    pytest.mark.skipif(not hasattr(signal, "SIGUSR2"), reason="the system has no such signal"),
    pytest.mark.skipif(sys.platform == "win32", reason="sockets are inherited by number"),
]


async def test_a_stream_ends_and_new_requests_wait(tmp_path: Path) -> None:
    """A stream that runs is finished by the old version; requests are served by either; the process is the same."""
    words = [f"word{n} " for n in range(20)]
    answers: list[RawResponse] = []
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(0)
    async with (
        scripted_upstream(lambda request, _: _answer(request.body, words)) as up,
        program(tmp_path, up.url) as shunt,
    ):
        shunt.configure([key_account("a")])
        shunt.extra["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        await shunt.start()
        before = (await shunt.status())["started_ms"]
        pid = shunt.process.pid if shunt.process else 0

        async def long() -> None:
            answers.append(await shunt.message("long", stream=True))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(long)
            while not up.requests:  # noqa: ASYNC110 - a fake tells nobody
                await trio.sleep(0.02)
            shunt.signal(signal.SIGUSR2)
            assert (await shunt.message()).status == 200  # the old one serves while it waits
        assert answers[0].body.count(b"word") == 20
        with trio.fail_after(60):
            while (await shunt.status())["started_ms"] == before:  # not once refused
                assert (await shunt.message()).status == 200
        assert shunt.process
        assert (shunt.process.pid, shunt.process.poll()) == (pid, None)
        assert shunt.output.count("serves at") == 2
        said = told(manager)
        assert [line for line in said if line.startswith("READY")] == ["READY=1", "READY=1"]
        assert "STOPPING=1" not in said, "the service manager would take the change for the end, and kill"
        assert await shunt.stop() == 0
        assert "STOPPING=1" in told(manager)
    manager.close()


def told(manager: socket.socket) -> list[str]:
    """What the service manager was told so far, line by line."""
    lines: list[str] = []
    with suppress(BlockingIOError):
        while True:
            lines += manager.recv(1000).decode().splitlines()
    return lines


def _answer(body: bytes, words: list[str]) -> Answer:
    return anthropic.stream(*words, every=0.1) if b"long" in body else anthropic.plain("hi")
