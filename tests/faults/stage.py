"""The other side of every fault: a vendor that plays what each request asks for, and a stream that goes on.

Runs in a thread with a Trio of its own, for as long as the tests do. A request names its play by a
mark in its body (or path); one without a mark is answered as a decent vendor would.
"""

from __future__ import annotations

import ctypes
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any, Final, cast

import trio
from attrs import define, field

from tests.fakes import anthropic, openai_chat, openai_responses
from tests.fakes.client import raw_client, request
from tests.fakes.http1 import NotHttp, PeerLeft
from tests.fakes.upstream import (
    Answer,
    Early,
    Framing,
    Pause,
    Request,
    ScriptedUpstream,
    Step,
    scripted_upstream,
)

MARK: Final = re.compile(rb"fault-[0-9a-f]{8}")
BYSTANDER: Final = "the-bystander"
BEAT: Final = 0.1
"""Seconds between two events of the bystander's stream."""
TOKENS: Final = "/v1/oauth/token"

Play = Callable[[Request], Answer]


@define(eq=False)
class Arrival:
    """A request that reached the vendor."""

    mark: str
    at: float
    """`time.monotonic`."""
    request: Request


def starved(pid: int) -> float:
    """Seconds that a process's main thread has waited for a processor so far; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


@define(eq=False)
class Excuse:
    """How long those who look were kept from looking, and shunt from running, by a machine that is busy.

    What happens to both at once counts twice: rather a short silence overlooked than one of the machine's told.
    """

    pid: int = 0
    """shunt's."""
    _late: float = 0.0
    """Seconds in all by which ticks came late here."""
    _due: float = inf

    async def tick(self) -> None:
        """Look at the clock for ever."""
        while True:
            self._due = time.monotonic() + BEAT
            await trio.sleep(BEAT)
            self._late += max(0.0, time.monotonic() - self._due)

    def seconds(self) -> float:
        """All of it so far."""
        return self._late + max(0.0, time.monotonic() - self._due) + (starved(self.pid) if self.pid else 0.0)


@define(eq=False)
class Bystander:
    """A stream that has nothing to do with any fault."""

    widest: float = 0.0
    """The longest silence since somebody last asked that the machine does not excuse, in seconds."""
    events: int = 0
    faults: list[str] = field(factory=list)
    excuse: Excuse = field(factory=Excuse)
    _last: float = 0.0
    _excused: float = 0.0

    def look(self) -> tuple[float, list[str]]:
        """The widest gap and the faults since the last look."""
        seen = max(self.widest, self._silence() if self._last else 0.0), list(self.faults)
        self.widest = 0.0
        self.faults.clear()
        return seen

    def _silence(self) -> float:
        return time.monotonic() - self._last - (self.excuse.seconds() - self._excused)

    def _heard(self) -> None:
        self._last, self._excused = time.monotonic(), self.excuse.seconds()

    async def watch(self, port: int) -> None:
        """Read the stream for ever; every number has to come once and in order."""
        body = json.dumps({**json.loads(message(BYSTANDER)), "stream": True}).encode()
        while True:
            self._heard()
            try:
                async with raw_client(port) as client:
                    await client.send(request(b"POST", b"/v1/messages", (), body))
                    stream = await client.begin()
                    expected = 0
                    rest = b""
                    while piece := await stream.piece():
                        self.widest = max(self.widest, self._silence())
                        self._heard()
                        *whole, rest = (rest + piece.data).split(b"\n\n")
                        for event in whole:
                            expected = self._check(event, expected)
            except (PeerLeft, OSError, trio.BrokenResourceError, NotHttp) as error:
                self.faults.append(f"the bystander's stream broke: {error!r}")
            else:
                self.faults.append("the bystander's stream ended")
            await trio.sleep(0.2)

    def _check(self, event: bytes, expected: int) -> int:
        found = re.search(rb'"text":"n(\d+)"', event)
        if b"event: error" in event:
            self.faults.append(f"the bystander was told of an error: {event[:300]!r}")
        if found is None:
            return expected
        if int(found[1]) != expected:
            self.faults.append(f"the bystander got event {int(found[1])} instead of {expected}")
        self.events += 1
        return int(found[1]) + 1


def numbered() -> Iterator[Step]:
    """An answer that counts and never ends."""
    yield from anthropic.opening_events()
    yield anthropic.event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    number = 0
    while True:
        yield anthropic.event(
            "content_block_delta", index=0, delta={"type": "text_delta", "text": f"n{number}"}
        )
        yield Pause(BEAT)
        number += 1


def counting(events: int) -> Answer:
    """A stream of that many events that does not end properly. To be played once."""
    steps = cast("tuple[Step, ...]", islice(numbered(), 2 * events))
    return Answer(200, anthropic.STREAM_HEADERS, steps, Framing.CHUNKED)


def enter(namespace: str) -> None:
    """Move this thread into a network namespace; what it listens on is reached only through its links."""
    with Path(f"/run/netns/{namespace}").open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")


def message(text: str, **more: Any) -> bytes:
    """A request that all three protocols understand."""
    words = {"model": "claude-sonnet-5-5", "max_tokens": 64, "input": text, **more}
    return json.dumps({**words, "messages": [{"role": "user", "content": text}]}).encode()


def decent(request: Request) -> Answer:
    """What a vendor that is well answers."""
    streams = b'"stream":true' in request.body.replace(b" ", b"")
    if request.path == TOKENS:
        return anthropic.json_answer({"error": "not_now"}, 503)
    if request.path.endswith("/chat/completions"):
        return openai_chat.stream("hi") if streams else openai_chat.plain("hi")
    if request.path.endswith("/responses"):
        item = openai_responses.message_item("hi")
        return openai_responses.stream(item) if streams else openai_responses.plain(item)
    if request.path.endswith("/models"):
        return anthropic.models()
    return anthropic.stream("hi") if streams else anthropic.plain("hi")


@define(eq=False)
class Stage:
    """The vendor's side, and the bystander."""

    plays: dict[str, Play] = field(factory=dict)
    early: dict[str, Answer] = field(factory=dict)
    """By path: answers that are given before the body is read."""
    otherwise: Play = decent
    """What is played for requests without a mark."""
    tokens: Play | None = None
    """The token endpoint."""
    host: str = "127.0.0.1"
    namespace: str = ""
    """Name of the network namespace it lives in; empty for that of the tests."""
    arrivals: list[Arrival] = field(factory=list)
    bystander: Bystander = field(factory=Bystander)
    port: int = 0
    _up: ScriptedUpstream | None = None
    _token: trio.lowlevel.TrioToken | None = None
    _ready: threading.Event = field(factory=threading.Event)
    _cancel: trio.CancelScope = field(factory=trio.CancelScope)
    _nursery: trio.Nursery | None = None
    _thread: threading.Thread | None = None
    _watching: trio.CancelScope = field(factory=trio.CancelScope)

    def open(self) -> None:
        """Start the thread; returns when the vendor listens."""
        self._thread = threading.Thread(target=trio.run, args=(self._run,), daemon=True)
        self._thread.start()
        assert self._ready.wait(30)

    def close(self) -> None:
        """End the thread."""
        self.call(self._cancel.cancel)
        if self._thread is not None:
            self._thread.join(30)

    def call(self, function: Callable[[], object]) -> None:
        """Run something in the vendor's Trio, soon."""
        assert self._token is not None
        self._token.run_sync_soon(function)

    def attend(self, port: int, pid: int) -> None:
        """Let the bystander begin at a shunt."""
        nursery = self._nursery
        assert nursery is not None
        self.bystander.excuse.pid = pid
        self.call(lambda: nursery.start_soon(self._attend, port))

    async def _attend(self, port: int) -> None:
        with self._watching:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.bystander.excuse.tick)
                await self.bystander.watch(port)

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://{self.host}:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections of shunt to it."""
        return self._up.open_connections if self._up else 0

    def arrived(self, mark: str) -> list[Arrival]:
        """Requests with this mark so far."""
        return [each for each in self.arrivals if each.mark == mark]

    async def _run(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        if self.namespace:
            enter(self.namespace)
        with self._cancel:
            async with (
                scripted_upstream(self._answer, early=self._early, host=self.host) as up,
                trio.open_nursery() as nursery,
            ):
                self._up, self.port, self._nursery = up, up.port, nursery
                self._ready.set()
                await trio.sleep_forever()

    @property
    def _early(self) -> Early:
        return lambda request: self.early.get(request.path)

    def _answer(self, request: Request, _: int) -> Answer:
        if request.path == TOKENS and self.tokens is not None:
            return self.tokens(request)
        if BYSTANDER.encode() in request.body:
            steps = cast("tuple[Step, ...]", numbered())
            return Answer(200, anthropic.STREAM_HEADERS, steps, Framing.CHUNKED)
        found = MARK.search(request.body) or MARK.search(request.target)
        mark = found[0].decode() if found else ""
        self.arrivals.append(Arrival(mark, time.monotonic(), request))
        if self._up is not None:
            del self._up.requests[:-50]  # an evening of tests is long
        return self.plays.get(mark, self.otherwise)(request)
