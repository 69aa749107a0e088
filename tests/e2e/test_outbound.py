"""What an account adds on the way out: headers of its own, and a proxy that is spoken to through TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import trio

from tests.e2e.program import key_account, program
from tests.fakes import anthropic
from tests.fakes.certificates import AUTHORITY, server_tls
from tests.fakes.upstream import scripted_upstream


async def forward(stream: trio.abc.Stream, heads: list[bytes]) -> None:
    """Pass one connection on to where its first request names."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive_some(4096)
    heads.append(head)
    target = head.split(b" ")[1]
    parts = urlsplit(target.decode())
    assert parts.hostname is not None
    assert parts.port is not None
    async with (
        await trio.open_tcp_stream(parts.hostname, parts.port) as vendor,
        trio.open_nursery() as nursery,
    ):
        await vendor.send_all(head.replace(target, parts.path.encode(), 1))
        nursery.start_soon(carry, stream, vendor)
        await carry(vendor, stream)
        nursery.cancel_scope.cancel()


async def carry(source: trio.abc.ReceiveStream, sink: trio.abc.SendStream) -> None:
    try:
        while data := await source.receive_some(4096):
            await sink.send_all(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return


@asynccontextmanager
async def secure_proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    """An https proxy: its address, and the heads it has seen."""
    heads: list[bytes] = []
    (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = plain.socket.getsockname()[1]
    listener = trio.SSLListener(plain, server_tls("good"), https_compatible=True)

    async def handle(stream: trio.abc.Stream) -> None:
        await forward(stream, heads)

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, handle, [listener])
        yield f"https://127.0.0.1:{port}", heads
        nursery.cancel_scope.cancel()


async def test_headers_and_a_proxy_of_an_account(tmp_path: Path) -> None:
    """Both go with every call of this account, and the other one has neither."""
    async with (
        scripted_upstream(lambda *_: anthropic.plain("hi")) as up,
        secure_proxy() as (address, heads),
        program(tmp_path, up.url) as shunt,
    ):
        shunt.extra = {"SSL_CERT_FILE": str(AUTHORITY)}
        shunt.configure(
            [key_account("team", headers={"x-team": "tools"}, proxy=address), key_account("plain")]
        )
        await shunt.start()
        for name in (b"team", b"plain"):
            answer = await shunt.message(headers=((b"x-shunt-account", name),))
            assert (answer.status, answer.get(b"x-shunt-account")) == (200, name)
        assert [request.get(b"x-team") for request in up.requests] == [b"tools", None]
        assert len(heads) == 1
