"""A cheap scripted vendor for measurements: `_bench_vendor.py` prints its port and answers until it is killed.

It speaks just enough HTTP/1.1 for proxies, on asyncio, with answers made in advance. What it is asked for stands in the
model's name, which every protocol and every proxy carries:

    bench-plain                 a plain answer
    bench-burst-200             a stream of 200 text events, written as fast as the proxy takes them
    bench-paced-50-100          100 text events, one packet each, 50 a second
    bench-idle-60               a stream that begins, stays silent for 60 seconds and ends

Messages and Chat Completions, told apart by the path.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

WORDS = "a dozen letters "
PLAN = re.compile(rb"bench-(plain|burst|paced|idle)(?:-(\d+))?(?:-(\d+))?")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
LAST = b"0\r\n\r\n"


def event(kind: str, **fields: Any) -> bytes:
    """One event of a Messages stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def chunk(**fields: Any) -> bytes:
    """One chunk of a Chat stream."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench-plain"}
    return f"data: {json.dumps({**base, **fields})}\n\n".encode()


USAGE = {"input_tokens": 10, "output_tokens": 1}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "bench-plain",
    "stop_sequence": None,
}
MESSAGES = (
    event("message_start", message={**MESSAGE, "content": [], "stop_reason": None, "usage": USAGE})
    + event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": WORDS}),
    event("content_block_stop", index=0)
    + event(
        "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9}
    )
    + event("message_stop"),
)
CHAT = (
    chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]),
    chunk(choices=[{"index": 0, "delta": {"content": WORDS}, "finish_reason": None}]),
    chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]) + b"data: [DONE]\n\n",
)
PLAIN = {
    "messages": json.dumps(
        {**MESSAGE, "content": [{"type": "text", "text": WORDS}], "stop_reason": "end_turn", "usage": USAGE}
    ).encode(),
    "chat": json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "bench-plain",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": WORDS}, "finish_reason": "stop"}
            ],
            "usage": {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11},
        }
    ).encode(),
}


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Connection(asyncio.Protocol):
    """One connection of a proxy."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.data += data
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return
        found = re.search(rb"(?i)content-length: *(\d+)", self.data[:end])
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self.data) < whole:
            return
        request = bytes(self.data[:whole])
        del self.data[:whole]
        kind = "messages" if b"/messages" in request[:200] else "chat"
        plan = PLAN.search(request)
        if plan is None or plan[1] == b"plain":
            body = PLAIN[kind]
            self.transport.write(
                HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(body) + body
            )
            return
        first, second = (int(plan[place] or 0) for place in (2, 3))
        self.stream(plan[1].decode(), first, second, MESSAGES if kind == "messages" else CHAT)

    def stream(self, way: str, first: int, second: int, pieces: tuple[bytes, bytes, bytes]) -> None:
        """Write a stream in the way that is wanted."""
        begin, middle, end = (framed(piece) for piece in pieces)
        write = self.transport.write
        write(HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n" + begin)
        loop = asyncio.get_running_loop()
        if way == "burst":
            for _ in range(first):
                write(middle)
            write(end + LAST)
        elif way == "idle":
            self.timer = loop.call_later(first, write, end + LAST)
        else:
            start = loop.time()

            def tick(number: int) -> None:
                write(middle)
                if number < second:
                    self.timer = loop.call_at(start + (number + 1) / first, tick, number + 1)
                else:
                    write(end + LAST)

            # One timer an event, without a task: ten thousand events a second must not keep the vendor busy.
            self.timer = loop.call_at(start + 1 / first, tick, 1)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Stop writing."""
        if self.timer is not None:
            self.timer.cancel()


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
