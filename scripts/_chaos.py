"""Misbehaviour from both sides, against a real shunt: rude clients, broken upstreams, and a count at the end.

Nothing may be left over from a storm: the process is alive and serves, and holds as many tasks and file
descriptors as before.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import trio
from attrs import define, field, frozen

from tests.fakes import anthropic
from tests.fakes.http1 import reset
from tests.fakes.upstream import (
    Answer,
    End,
    Forever,
    Pause,
    Raw,
    Request,
    closed_port,
    raw,
    scripted_upstream,
)

ROOT = Path(__file__).resolve().parent.parent
ACCOUNTS = ("coral", "reef", "lagoon")
CLIENTS = 40
"""Clients at any time."""
BURST = 300
"""Connections that come all at once."""
SETTLE = 30.0
"""Seconds that may pass until everything is back."""
BODY = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
STREAM = json.dumps({**json.loads(BODY), "stream": True})

WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: bKdPyn3u98cTfZJSh4TNeQ==\r\n"
)
H2C = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: !\r\n"
CHUNKED = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
RUDE = (
    b"",
    b"\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET /health HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /\xff\xfe%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: [::1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \xff\xfe\x00\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    + b"".join(b"X%d: 1\r\n" % n for n in range(3000))
    + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + WEBSOCKET + b"\r\nx",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + WEBSOCKET.replace(b"13", b"99") + b"\r\n",
    H2C + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)),
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    CHUNKED + b"ZZ\r\nabc\r\n0\r\n\r\n",
    CHUNKED + b"fffffffffffffffffffff\r\nabc",
    CHUNKED.replace(b"chunked", b"chunked\r\nContent-Length: 3") + b"3\r\nabc\r\n0\r\n\r\n",
    CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: -3") + b"abc",
    CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 99999999999999999999") + b"abc",
    CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 50") + b'{"model": "half',
    CHUNKED.replace(b"Transfer-Encoding: chunked", b"Content-Length: 9") + b"[[[[[[[[[",
    CHUNKED.replace(b"Transfer-Encoding", b"Expect: 100-continue\r\nTransfer-Encoding"),
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20,
)
"""What no client should send."""


ANSWERS: tuple[Callable[[list[str]], Answer], ...] = (
    lambda words: anthropic.stream(*words),
    lambda words: anthropic.stream(*words, every=0.02),
    lambda words: anthropic.cut_stream(*words, ending=End.CUT),
    lambda words: anthropic.cut_stream(*words, ending=End.RST),
    lambda _: anthropic.events_answer([*anthropic.opening_events(), Raw(b"ZZ\r\n")]),
    lambda _: anthropic.events_answer([*anthropic.opening_events(), Pause(3), Forever(b"")]),
    lambda _: raw(bytes(300)),
    lambda _: raw(b"HTTP/1.1 200 OK\r\nX"),
    lambda _: raw(End.RST),
    lambda _: anthropic.rejected(time.time() + 3600),
    lambda _: anthropic.throttled(),
    lambda _: anthropic.overloaded(),
    lambda _: anthropic.server_error(502),
)
"""What an upstream may do with a request, by the words it would say. The first two are decent."""
GOOD = 0.5
"""Share of requests that are answered as they should be, about."""


@frozen
class Count:
    """What the process holds."""

    tasks: int
    fds: int
    rss: float
    """MiB."""

    def __str__(self) -> str:
        return f"{self.tasks:5} tasks  {self.fds:5} descriptors  {self.rss:7.1f} MiB"


@define(eq=False)
class Watched:
    """A running shunt that can be counted."""

    process: trio.Process
    port: int
    report: Path

    async def count(self) -> Count:
        """Ask the process to count itself."""
        self.report.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR2)
        with trio.fail_after(10):
            while not self.report.exists():  # noqa: ASYNC110 - another process writes it
                await trio.sleep(0.01)
        return Count(**json.loads(self.report.read_text(encoding="ascii")))

    async def settled(self, wanted: Count | None = None) -> Count:
        """Count until the numbers rest, or are back where they were."""
        before = await self.count()
        with trio.move_on_after(SETTLE):
            while True:
                await trio.sleep(1)
                now = await self.count()
                back = wanted is None or (now.tasks <= wanted.tasks and now.fds <= wanted.fds)
                if back and (now.tasks, now.fds) == (before.tasks, before.fds):
                    break
                before = now
        return before

    async def ask(self, method: str, path: str, body: str = "", *, seconds: float = 10) -> bytes:
        """Send a decent request on a connection of its own; the whole answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = b""
        with trio.fail_after(seconds):
            async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
                await stream.send_all((head + body).encode())
                while data := await stream.receive_some():
                    answer += data
        return answer


@define(eq=False)
class Storm:
    """All misbehaviour of one run, repeatable by its seed."""

    shunt: Watched
    random: Random
    done: Counter[str] = field(factory=Counter)

    async def blow(self, seconds: float) -> None:
        """Misbehave for a while."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_serving)
                nursery.start_soon(self._bursts, seconds / 3)
                for _ in range(CLIENTS):
                    nursery.start_soon(self._clients)

    def upstream(self, request: Request, _: int) -> Answer:
        """Answer one of shunt's requests, or fail at it."""
        plain = b'"stream"' not in request.body
        if plain and self.random.random() < GOOD:
            return anthropic.plain("hi")
        words = [f"word{n} " for n in range(self.random.randrange(1, 60))]
        return self.random.choice(ANSWERS[:2] if self.random.random() < GOOD else ANSWERS)(words)

    async def _clients(self) -> None:
        kinds = {
            "reads all": self._read,
            "leaves early": self._leave_early,
            "resets": self._reset,
            "reads slowly": self._read_slowly,
            "leaves before the answer": self._leave_before,
            "pipelines": self._pipeline,
            "is rude": self._be_rude,
        }
        while True:
            kind = self.random.choice(list(kinds))
            try:
                with trio.move_on_after(10):
                    async with await trio.open_tcp_stream("127.0.0.1", self.shunt.port) as stream:
                        await kinds[kind](stream)
            except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                kind = f"{kind}, was cut off"
            self.done[kind] += 1

    def _request(self, *, close: bool = False) -> bytes:
        body = self.random.choice((STREAM, STREAM, BODY))
        head = f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        return f"{head}{'Connection: close' if close else 'X-Keep: yes'}\r\n\r\n{body}".encode()

    async def _read(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self._request(close=True))
        while await stream.receive_some():
            pass

    async def _leave_early(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self._request())
        wanted = self.random.randrange(1, 3000)
        while wanted > 0:
            data = await stream.receive_some(wanted)
            wanted -= len(data) or wanted

    async def _reset(self, stream: trio.SocketStream) -> None:
        await self._leave_early(stream)
        reset(stream)

    async def _read_slowly(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self._request(close=True))
        data = b"?"
        while data:
            await trio.sleep(0.02)
            data = await stream.receive_some(200)

    async def _leave_before(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self._request())
        await trio.sleep(self.random.random() * 0.05)

    async def _pipeline(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self._request() + b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await stream.receive_some(self.random.randrange(1, 3000))

    async def _be_rude(self, stream: trio.SocketStream) -> None:
        await stream.send_all(self.random.choice(RUDE))
        ending = self.random.choice(("eof", "reset", "leave"))
        if ending == "eof":
            await stream.send_eof()
        with trio.move_on_after(0.5):
            await stream.receive_some()
        if ending == "reset":
            reset(stream)

    async def _bursts(self, every: float) -> None:
        while True:
            await trio.sleep(every)
            async with trio.open_nursery() as nursery:
                for _ in range(BURST):
                    nursery.start_soon(self._one_of_many)

    async def _one_of_many(self) -> None:
        try:
            served = (await self.shunt.ask("GET", "/health", seconds=30)).startswith(b"HTTP/1.1 200")
        except (OSError, trio.TooSlowError, trio.BrokenResourceError):
            served = False
        self.done["burst, served" if served else "burst, not served"] += 1

    async def _keep_serving(self) -> None:
        """Bring rested accounts back at once: a storm that only waits proves nothing."""
        while True:
            await trio.sleep(0.3)
            for account in ACCOUNTS:
                try:
                    await self.shunt.ask("POST", f"/accounts/{account}/clear")
                except (OSError, trio.TooSlowError, trio.BrokenResourceError):
                    self.done["clear failed"] += 1


@asynccontextmanager
async def watched(home: Path, upstream_url: str) -> AsyncIterator[Watched]:
    """Start a shunt whose accounts are all at the upstream; stop it at the end."""
    port = closed_port()
    config = '[prefetch]\nmode = "off"\n'
    for name in ACCOUNTS:
        config += f'[[accounts]]\nname = "{name}"\nprovider = "anthropic-compatible"\n'
        config += f'upstream_url = "{upstream_url}"\napi_key = "sk-test-{name}"\n'
    path = home / "config.toml"
    path.write_text(config, encoding="utf-8")
    path.chmod(0o600)
    report = home / "count.json"
    program = [sys.executable, str(ROOT / "scripts" / "_watched.py"), str(report)]
    process = await trio.lowlevel.open_process(
        [*program, "run", "--home", str(home), "--port", str(port)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    shunt = Watched(process, port, report)
    try:
        with trio.fail_after(30):
            while process.poll() is None:
                try:
                    await shunt.ask("GET", "/health")
                    break
                except OSError:
                    await trio.sleep(0.1)
        yield shunt
    finally:
        process.terminate()
        with trio.move_on_after(45) as scope:
            scope.shield = True
            await process.wait()
        if process.poll() is None:
            process.kill()


async def warm(shunt: Watched) -> None:
    """Bring every part into use, so that what is opened once does not count as a leak."""
    for account in ACCOUNTS:
        await shunt.ask("POST", f"/accounts/{account}/clear")
    async with trio.open_nursery() as nursery:
        for _ in range(CLIENTS):
            nursery.start_soon(shunt.ask, "POST", "/v1/messages", STREAM)


async def main(seconds: float, seed: int) -> list[str]:
    """Run one storm; print the counts; return what went wrong."""
    kind = ["good"]

    def script(request: Request, n: int) -> Answer:
        return storm.upstream(request, n) if kind[0] == "storm" else anthropic.stream("hi")

    with tempfile.TemporaryDirectory(prefix="shunt-chaos-") as home:
        async with scripted_upstream(script) as up, watched(Path(home), up.url) as shunt:
            storm = Storm(shunt, Random(seed))  # noqa: S311 - a storm, not a secret
            await warm(shunt)
            start = await shunt.settled()
            print(f"start  {start}   (seed {seed})", flush=True)
            kind[0] = "storm"
            await storm.blow(seconds)
            kind[0] = "good"
            if shunt.process.poll() is not None:
                return [f"the process ended with status {shunt.process.returncode}"]
            await warm(shunt)
            end = await shunt.settled(start)
            print(f"end    {end}", flush=True)
            for what, times in sorted(storm.done.items()):
                print(f"{times:7}  {what}")
            served = b"message_stop" in await shunt.ask("POST", "/v1/messages", STREAM)
            open_upstream = up.open_connections
        faults = []
        if not served:
            faults.append("a decent request is not served any more")
        if end.tasks > start.tasks:
            faults.append(f"{end.tasks - start.tasks} tasks were left over")
        if end.fds > start.fds:
            faults.append(
                f"{end.fds - start.fds} descriptors were left over ({open_upstream} connections upstream)"
            )
        if shunt.process.returncode != 0:
            faults.append(f"SIGTERM ended the process with status {shunt.process.returncode}")
        return faults
