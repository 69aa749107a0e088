"""The least that a relay on Trio can do: for each packet one step of the scheduler, one recv, one send. For comparison.

`_bench_sockets.py PORT UPSTREAM_PORT`. It knows nothing of HTTP: what comes on one side goes out on the other.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import trio

SIZE = 65536


async def pass_on(source: trio.SocketStream, sink: trio.SocketStream, both: trio.CancelScope) -> None:
    """Carry one direction until it ends; then the other ends as well."""
    # The raw sockets: Trio's own recv tries before it waits, which is a call more.
    taking, giving = source.socket._sock, sink.socket._sock  # type: ignore[attr-defined]  # noqa: SLF001
    with suppress(OSError):
        while True:
            await trio.lowlevel.wait_readable(taking)
            data = taking.recv(SIZE)
            if not data:
                break
            sent = giving.send(data)
            if sent < len(data):  # the other side does not keep up
                await sink.send_all(data[sent:])
    both.cancel()


async def main(port: int, upstream: int) -> None:
    """Serve until killed."""

    async def serve(client: trio.SocketStream) -> None:
        vendor = await trio.open_tcp_stream("127.0.0.1", upstream)
        async with vendor, trio.open_nursery() as nursery:
            nursery.start_soon(pass_on, client, vendor, nursery.cancel_scope)
            nursery.start_soon(pass_on, vendor, client, nursery.cancel_scope)

    await trio.serve_tcp(serve, port, host="127.0.0.1", backlog=4096)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), int(sys.argv[2]))
