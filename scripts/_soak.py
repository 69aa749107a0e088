"""Mixed traffic and faults from both sides, for as long as one likes, and what it leaves behind.

Rude clients, broken upstreams, bursts, changes of strategy, a process that stands still now and then. Meanwhile
memory, tasks, descriptors, connections, files and the history's size are written down; at the end all but memory
have to be back where they were, and memory has to have stopped growing.

Memory goes up in steps, at the first burst of connections above all (about 5 MiB for 300 of them), and does not come
back: measured, 2026-11, no object is left over, the interpreter keeps the pages for the next burst, since a few objects
that live on (bindings of conversations, recent requests, log lines) lie scattered among them. The second burst costs
nothing.
"""

from __future__ import annotations

import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import trio
from attrs import define, field, frozen

from tests.fakes import anthropic
from tests.fakes.client import raw_client, request
from tests.fakes.http1 import PeerLeft, reset
from tests.fakes.upstream import Answer, End, Forever, Pause, Raw, Request, raw
from tests.faults.house import ACCOUNTS, PATHS, House, Standing
from tests.faults.stage import decent, message

CLIENTS = 40
"""Clients at any time."""
BURST = 300
"""Connections that come all at once."""
SAMPLE = 15.0
"""Seconds between two looks."""
WARM = 0.4
"""Share of the time after which memory has to have stopped growing."""
GROWTH = 6.0
"""MiB by which the last part may lie above the middle one."""
SERIOUS = 480.0
"""Seconds from which on memory is judged; shorter runs still fill what is filled once."""

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
class Sample:
    """What was held at one moment."""

    at: float
    """Seconds since the start."""
    held: Standing
    history: int
    """Bytes of the history."""
    log: int
    """Bytes of all logs."""
    files: int

    def __str__(self) -> str:
        held = self.held
        return (
            f"{self.at:7.0f} s {held.rss:7.1f} MiB {held.tasks:5} tasks {held.fds:5} descriptors "
            f"{held.busy:3}+{held.idle:<3} connections {self.files:3} files "
            f"{self.history / 1024:7.0f} KiB history {self.log / 1024:7.0f} KiB log"
        )


@define(eq=False)
class Storm:
    """All misbehaviour of one run, repeatable by its seed."""

    house: House
    random: Random
    done: Counter[str] = field(factory=Counter)
    samples: list[Sample] = field(factory=list)
    _begun: float = field(factory=time.monotonic)

    async def blow(self, seconds: float) -> None:
        """Misbehave for a while."""
        self.house.stage.otherwise = self.upstream
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_serving)
                nursery.start_soon(self._look)
                nursery.start_soon(self._bursts, max(10.0, min(120.0, seconds / 3)))
                nursery.start_soon(self._stand_still)
                for _ in range(CLIENTS):
                    nursery.start_soon(self._clients)
        self.house.stage.otherwise = decent

    def sample(self) -> Sample:
        """Look at the process and its files."""
        home = self.house.home
        held = self.house.count()
        sizes = {path: path.stat().st_size for path in home.rglob("*") if path.is_file()}
        history = sum(size for path, size in sizes.items() if path.name.startswith("history"))
        log = sum(size for path, size in sizes.items() if path.parent.name == "logs")
        return Sample(time.monotonic() - self._begun, held, history, log, len(sizes))

    async def _look(self) -> None:
        while True:
            self.samples.append(await trio.to_thread.run_sync(self.sample))
            print(self.samples[-1], flush=True)
            await trio.sleep(SAMPLE)

    def upstream(self, request: Request) -> Answer:
        """Answer one of shunt's requests, or fail at it."""
        good = self.random.random() < GOOD
        if good or not request.path.endswith("/messages"):
            return decent(request)
        words = [f"word{n} " for n in range(self.random.randrange(1, 60))]
        return self.random.choice(ANSWERS)(words)

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
                    async with await trio.open_tcp_stream("127.0.0.1", self.house.port) as stream:
                        await kinds[kind](stream)
            except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                kind = f"{kind}, was cut off"
            self.done[kind] += 1

    def _request(self, *, close: bool = False) -> bytes:
        body = message("hi", **({"stream": True} if self.random.random() < 0.7 else {}))
        headers = ((b"connection", b"close"),) if close else ()
        return request(b"POST", self.random.choice(PATHS), headers, body)

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
        served = False
        with suppress(OSError, trio.BrokenResourceError, PeerLeft), trio.move_on_after(30):
            async with raw_client(self.house.port) as client:
                served = (await client.ask(b"GET", b"/health")).status == 200
        self.done["burst, served" if served else "burst, not served"] += 1

    async def _stand_still(self) -> None:
        """Stop the process for a moment, have its configuration read again, change the strategy."""
        kind = ((b"content-type", b"application/json"),)
        while True:
            await trio.sleep(20)
            self.house.send_signal(signal.SIGSTOP)
            await trio.sleep(0.5)
            self.house.send_signal(signal.SIGCONT)
            self.house.send_signal(signal.SIGHUP)
            name = self.random.choice(("maximus", "carousel", "reaper", "cushion", "priority"))
            with suppress(OSError, trio.BrokenResourceError, PeerLeft), trio.move_on_after(10):
                async with raw_client(self.house.port) as client:
                    await client.ask(b"PUT", b"/strategy", kind, b'{"strategy": "%s"}' % name.encode())

    async def _keep_serving(self) -> None:
        """Bring rested accounts back at once: a storm that only waits proves nothing."""
        while True:
            await trio.sleep(0.3)
            for account in ACCOUNTS:
                with suppress(OSError, trio.TooSlowError, trio.BrokenResourceError, PeerLeft):
                    await self.house.send_post(f"/accounts/{account}/clear")


def slope(samples: list[Sample]) -> float:
    """MiB an hour, by least squares over the samples after the warm-up; 0 when there are too few."""
    late = [sample for sample in samples if sample.at > WARM * samples[-1].at] if samples else []
    if len(late) < 3:
        return 0.0
    return statistics.linear_regression([one.at for one in late], [one.held.rss for one in late]).slope * 3600


def growth(samples: list[Sample]) -> float:
    """MiB by which the last quarter's middle lies above that of the second quarter."""
    quarter = len(samples) // 4
    if quarter < 3:
        return 0.0
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    return statistics.median(one.held.rss for one in late) - statistics.median(one.held.rss for one in early)


def soak(seconds: float, seed: float) -> list[str]:
    """Run one storm; print what was held; return what went wrong."""
    with tempfile.TemporaryDirectory(prefix="shunt-soak-") as folder:
        house = House(Path(folder))
        house.stage.open()
        try:
            house.configure()
            house.log_in()
            house.start()
            house.settle()
            print(f"seed {seed:g}; at rest {house.base}", flush=True)
            storm = Storm(house, Random(seed))  # noqa: S311 - a storm, not a secret
            trio.run(storm.blow, seconds)
            house.stage.bystander.look()
            house.clear()
            faults = house.check()
            if not faults:
                print(storm.sample())
        finally:
            status = house.stop() if house.process is not None else 0
            house.stage.close()
    for what, times in sorted(storm.done.items()):
        print(f"{times:7}  {what}")
    print(
        f"memory: {slope(storm.samples):+.1f} MiB an hour; {growth(storm.samples):+.1f} MiB from early to late"
    )
    if seconds >= SERIOUS and growth(storm.samples) > GROWTH:
        faults.append(f"memory grew by {growth(storm.samples):.1f} MiB")
    if status:
        faults.append(f"SIGTERM ended the process with status {status}")
    return faults
