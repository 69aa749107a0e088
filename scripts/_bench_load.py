"""Load for measurements: raw connections that send one request after another and look at what comes.

The client does as little as possible, so that what is measured is the proxy. An answer that is not complete counts as a
failure, and a measurement with failures is none.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

ENDS = (
    b"event: message_stop",
    b"data: [DONE]",
    b'"stop_reason":',
    b'"finish_reason": "stop"',
    b'"finish_reason":"stop"',
)


@dataclass
class Result:
    """What a load came to."""

    done: int = 0
    failed: int = 0
    seconds: float = 0.0
    first_bytes: list[float] = field(default_factory=list)
    """Milliseconds until the first byte of each answer's body."""
    problem: str = ""
    """What came in place of the first answer that failed."""


@dataclass(frozen=True)
class Target:
    """Where requests go."""

    port: int
    path: str
    key: str = "sk-bench-not-a-key"

    def request(self, model: str, *, stream: bool, padding: int = 0) -> bytes:
        """One request. `padding` bytes stand in the message."""
        body = {
            "model": model,
            "max_tokens": 64,
            "messages": [{"role": "user", "content": "say something " + "x" * padding}],
        }
        if stream:
            body["stream"] = True
        data = json.dumps(body).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {self.key}\r\nanthropic-version: 2023-06-01\r\n"
            f"accept: */*\r\nuser-agent: bench\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


async def one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, result: Result
) -> None:
    """Send a request on an open connection and read the whole answer."""
    begun = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    length = lower.find(b"content-length:")
    if length >= 0:
        size = int(lower[length + 15 :].partition(b"\r\n")[0])
        body = await reader.readexactly(size)
        result.first_bytes.append((time.perf_counter() - begun) * 1000)
    else:
        pieces: list[bytes] = []
        while True:
            size = int((await reader.readline()).strip() or b"0", 16)
            if not pieces:
                result.first_bytes.append((time.perf_counter() - begun) * 1000)
            pieces.append(await reader.readexactly(size + 2))
            if not size:
                break
        body = b"".join(pieces)
    if b" 200" in head[:14] and any(end in body for end in ENDS):
        result.done += 1
    else:
        result.failed += 1
        result.problem = result.problem or (head + body)[:600].decode(errors="replace")


async def client(target: Target, request: bytes, count: int, result: Result, *, fresh: bool) -> None:
    """Send `count` requests, one after another; with `fresh`, each on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**22)
    try:
        for number in range(count):
            if fresh and number:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=2**22)
            await one(reader, writer, request, result)
    except (OSError, asyncio.IncompleteReadError) as error:
        result.failed += 1
        result.problem = result.problem or repr(error)
    finally:
        writer.close()


async def load(
    target: Target,
    model: str,
    *,
    stream: bool,
    clients: int,
    each: int,
    fresh: bool = False,
    padding: int = 0,
) -> Result:
    """Run `clients` at once, `each` requests apiece."""
    result = Result()
    request = target.request(model, stream=stream, padding=padding)
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(target, request, each, result, fresh=fresh))
    result.seconds = time.perf_counter() - begun
    return result


def share(numbers: list[float], part: float) -> float:
    """The number below which `part` of all lie; 0 of none."""
    ranked = sorted(numbers)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))] if ranked else 0.0
