"""Load for measurements: raw connections that send one request after another and look at what comes.

The client does as little as possible, so that what is measured is the proxy, and says how busy it was itself. An answer
that is not complete counts as a failure, and a measurement with failures is none.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

ENDS = (
    b"event: message_stop",
    b"data: [DONE]",
    b'"stop_reason":',
    b'"finish_reason": "stop"',
    b'"finish_reason":"stop"',
)
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
CLOSES = re.compile(rb"(?i)\r\nconnection: *close")
TAIL = 2048
"""Bytes of an answer's end that are kept, to see whether it ended as it should."""


@dataclass
class Result:
    """What a load came to."""

    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    """Share of one core that the load itself took. Near 1, it measures itself."""
    first_bytes: list[float] = field(default_factory=list)
    """Milliseconds until the first byte of each answer's body."""
    problem: str = ""
    """What came in place of the first answer that failed."""

    def note(self, answer: Answer) -> None:
        """Count an answer."""
        if answer.good:
            self.done += 1
        else:
            self.fail((answer.head + b"\n" + answer.tail)[:600].decode(errors="replace"))

    def fail(self, problem: str) -> None:
        """Count a failure."""
        self.failed += 1
        self.problem = self.problem or problem


def history(turns: int) -> Iterator[dict[str, Any]]:
    """What an agent's conversation grows by with each tool it uses: 5 kB a turn."""
    for number in range(turns):
        name = f"toolu_{number:024d}"
        use = {"type": "tool_use", "id": name, "name": "Read", "input": {"file_path": f"/src/{number}.py"}}
        yield {"role": "assistant", "content": [{"type": "text", "text": "I look at the next one."}, use]}
        read = "def f(x):\n    return {\"a\": x, 'b': [1, 2, 3]}\n" * 100
        yield {"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": read}]}


@dataclass(frozen=True)
class Target:
    """Where requests go."""

    port: int
    path: str = "/v1/messages"
    key: str = "sk-bench-not-a-key"

    def request(self, model: str, *, stream: bool, conversation: str = "", turns: int = 0) -> bytes:
        """One request, of a conversation of that name if there is one, after so many turns with a tool."""
        body = {
            "model": model,
            "max_tokens": 64,
            "messages": [{"role": "user", "content": "say something"}, *history(turns)],
            "stream": stream,
        }
        data = json.dumps(body).encode()
        told = f"x-conversation-id: {conversation}\r\n" if conversation else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self.key}\r\nanthropic-version: 2023-06-01\r\n{told}"
            f"accept: */*\r\nuser-agent: bench\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


class Answer:
    """One answer, fed with what the socket gives. It looks at no more than it must."""

    def __init__(self) -> None:
        self.head, self.tail = b"", b""
        self.headed = self.whole = False
        self.left: int | None = None
        """Bytes of the body that are still to come; None if it is chunked."""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        if not self.headed:
            self.head, end, data = (self.head + data).partition(b"\r\n\r\n")
            if not end:
                return
            self.headed = True
            length = LENGTH.search(self.head)
            self.left = int(length[1]) if length else None
        self.tail = (self.tail + data)[-TAIL:]
        if self.left is None:
            self.whole = self.tail.endswith(b"\r\n0\r\n\r\n")
        else:
            self.left -= len(data)
            self.whole = self.left <= 0

    @property
    def good(self) -> bool:
        """Whether it is a success that came to its proper end."""
        return self.whole and b" 200" in self.head[:14] and any(end in self.tail for end in ENDS)

    @property
    def last(self) -> bool:
        """Whether nothing more may be sent on this connection."""
        return CLOSES.search(self.head) is not None


class Wire(asyncio.Protocol):
    """One connection, on which one request is asked at a time."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.first = 0.0
        """When the first byte of the body came; 0 before."""
        self.waiter: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way out."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on to the answer; end the wait when it is whole."""
        self.answer.feed(data)
        if not self.first and self.answer.tail:
            self.first = time.perf_counter()
        if self.answer.whole and self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait without an answer."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_exception(ConnectionError(f"closed in the middle of an answer: {exc}"))

    @property
    def over(self) -> bool:
        """Whether no further request can be sent."""
        return self.answer.last or self.transport.is_closing()

    async def ask(self, request: bytes) -> float:
        """Send a request and wait until its answer is whole; milliseconds until its body began."""
        self.answer, self.first = Answer(), 0.0
        self.waiter = asyncio.get_running_loop().create_future()
        begun = time.perf_counter()
        if self.transport.is_closing():
            raise ConnectionError("closed between two requests")
        self.transport.write(request)
        await self.waiter
        return (self.first - begun) * 1000


async def connected(target: Target) -> Wire:
    """A new connection."""
    return (await asyncio.get_running_loop().create_connection(Wire, "127.0.0.1", target.port))[1]


async def asked(target: Target, wire: Wire, request: bytes) -> tuple[Wire, float]:
    """Ask; where the server has ended the connection meanwhile, on a new one, as every client does.

    Servers end connections after some requests or seconds; one that broke in the middle of an answer is a failure.
    """
    try:
        if not wire.over:
            return wire, await wire.ask(request)
    except ConnectionError:
        if wire.answer.head:
            raise
    wire.transport.close()
    wire = await connected(target)
    return wire, await wire.ask(request)


class Timed:
    """Fills in how long a load took, and how busy it was itself."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.start()

    def start(self) -> None:
        """Begin, or begin anew when what went before does not count."""
        self.wall, self.own = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """Note what it came to."""
        self.result.seconds = time.perf_counter() - self.wall
        self.result.busy = (time.process_time() - self.own) / max(self.result.seconds, 1e-9)


async def load(target: Target, requests: Sequence[bytes], *, clients: int, each: int) -> Result:
    """Run `clients` at once, `each` requests apiece, as fast as they are answered."""
    result = Result()

    async def client(number: int) -> None:
        try:
            wire = await connected(target)
            for place in range(number * each, (number + 1) * each):
                wire, _ = await asked(target, wire, requests[place % len(requests)])
                result.note(wire.answer)
            wire.transport.close()
        except OSError as error:
            result.fail(repr(error))

    timed = Timed(result)
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    timed.stop()
    return result


async def staggered(
    target: Target,
    model: str,
    *,
    clients: int,
    each: int,
    period: float,
    ready: Callable[[], None],
    rest: float = 1.0,
) -> Result:
    """Streams as real clients have them: on warm connections, begun one after the other, never all at once.

    Every client keeps one connection that has served a plain request before, begins in its turn within `period` (what
    one stream lasts), and then sends one stream after another. So while any measured stream begins, all other clients
    are in the middle of one. The first stream of each is not counted. `ready` is called when the connections are warm.
    """
    result = Result()
    wires = [await connected(target) for _ in range(clients)]
    plain = target.request("bench-plain", stream=False)
    for wire in wires:
        await wire.ask(plain)
    await asyncio.sleep(rest)  # what those requests leave to be done is done
    ready()
    timed = Timed(result)
    request = target.request(model, stream=True)

    async def client(number: int, wire: Wire) -> None:
        await asyncio.sleep(period * number / clients)
        try:
            for turn in range(each + 1):
                wire, took = await asked(target, wire, request)
                result.note(wire.answer)
                if turn:
                    result.first_bytes.append(took)
        except OSError as error:
            result.fail(repr(error))
        wire.transport.close()

    async with asyncio.TaskGroup() as group:
        for number, wire in enumerate(wires):
            group.create_task(client(number, wire))
    timed.stop()
    return result


async def opened(
    target: Target,
    model: str,
    *,
    count: int,
    look: Callable[[], None],
    rest: float = 1.0,
    patience: float = 20.0,
) -> Result:
    """Open `count` streams that stay silent, `look` when all have begun, and leave them all.

    Some proxies have only so many requests under way at once; when no further stream has begun for `patience` seconds,
    none will.
    """
    result = Result()
    request = target.request(model, stream=True)
    timed = Timed(result)
    wires = [await connected(target) for _ in range(count)]
    tasks = [asyncio.ensure_future(wire.ask(request)) for wire in wires]
    begun, since = 0, time.perf_counter()
    # A stream that is over before all have begun is none of those wanted.
    while begun < count and not any(task.done() for task in tasks):
        await asyncio.sleep(0.05)
        before, begun = begun, sum(bool(wire.first) for wire in wires)
        if begun > before:
            since = time.perf_counter()
        elif time.perf_counter() - since > patience:
            break
    if begun == count and not any(task.done() for task in tasks):
        await asyncio.sleep(rest)
        look()
    for wire, task in zip(wires, tasks, strict=True):
        if wire.first and not task.done() and b" 200" in wire.answer.head[:14]:
            result.done += 1
        else:
            told = (wire.answer.head + wire.answer.tail)[:600].decode(errors="replace")
            result.fail(told or f"only {begun} of {count} streams began")
        task.cancel()
        wire.transport.abort()
    timed.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
    return result
