"""A scripted vendor on a real loopback socket.

    async with scripted_upstream([plain("hi"), Answer(framing=Framing.RAW, steps=(End.RST,))]) as up:
        ...                      # talk to up.url
        assert up.requests[0].key == "sk-test-1"

Every request is recorded as it came; every answer is played as written, byte for byte. A script is
either answers in order (one request too many fails the test at the end) or a function
`(request, n) -> Answer`. `by_key` and `by_path` compose scripts.

Clocks: works on the real clock and on trio's MockClock. Beware of an autojump threshold of 0 with
real sockets: bytes that are on their way in the kernel do not keep the clock from jumping. Use
`MockClock(autojump_threshold=0.05)` (see `tests/fakes/clocks.py`) and numeric addresses: a name
look-up runs in a thread, and threads are not waited for either.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from http import HTTPStatus
from typing import Any

import trio
from attrs import define, field, frozen

from tests.fakes.http1 import Head, Headers, Inbox, NotHttp, PeerLeft, parse_length, reset


class Framing(Enum):
    """How the end of a body is told."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    """Each bytes step is one chunk."""
    CLOSE = "close"
    """The body ends with the connection."""
    RAW = "raw"
    """No head is written and nothing is framed: the steps are all there is. Closed afterwards."""


@frozen
class Pause:
    """Wait, on trio's clock."""

    seconds: float


@frozen
class Gate:
    """Wait until the test sets the event."""

    event: trio.Event


@frozen
class Raw:
    """Bytes outside of the framing: a bad chunk size, an answer nobody asked for."""

    data: bytes


@frozen
class Forever:
    """The same bytes, unframed, again and again until the peer leaves."""

    data: bytes
    every: float = 0.01
    """Seconds between two of them. On a jumping clock each costs a jump: choose seconds there."""


class End(Enum):
    """Steps after which nothing follows."""

    RST = "reset the connection"
    CUT = "close the connection here, in good order (FIN)"
    NEVER = "stay silent until the peer leaves"


Step = bytes | Pause | Gate | Raw | Forever | End


@frozen
class Answer:
    """One answer. Framing headers are added unless `headers` already holds them (wrong ones, say)."""

    status: int = 200
    headers: Headers = ()
    steps: tuple[Step, ...] = ()
    framing: Framing = Framing.LENGTH
    close: bool = False
    """Close the connection after the answer without announcing it."""
    reason: bytes | None = None

    def head(self) -> bytes:
        """Status line and headers as they go on the wire."""
        if self.framing is Framing.RAW:
            return b""
        reason = self.reason
        if reason is None:
            known = self.status in HTTPStatus._value2member_map_
            reason = HTTPStatus(self.status).phrase.encode() if known else b"Unknown"
        lines = [b"HTTP/1.1 %d %s" % (self.status, reason)]
        lines += [name + b": " + value for name, value in (*self.headers, *self._framing_headers())]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _framing_headers(self) -> Headers:
        named = {name.lower() for name, _ in self.headers}
        if (
            self.framing is Framing.LENGTH
            and b"content-length" not in named
            and self.status not in (204, 304)
        ):
            length = sum(len(step) for step in self.steps if isinstance(step, bytes))
            return ((b"content-length", b"%d" % length),)
        if self.framing is Framing.CHUNKED and b"transfer-encoding" not in named:
            return ((b"transfer-encoding", b"chunked"),)
        if self.framing is Framing.CLOSE and b"connection" not in named:
            return ((b"connection", b"close"),)
        return ()


@define(eq=False)
class Request:
    """One request as it came in."""

    method: str
    target: bytes
    headers: Headers
    """Name and value pairs with their case and order."""
    arrived: float
    """Trio's clock when the head was complete."""
    connection: int
    """Ordinal of the connection it came on, from 0."""
    body: bytes = b""
    """Decoded from its framing, otherwise as it came; empty when it was answered early."""
    left_at: float | None = None
    """Trio's clock when the peer was seen to leave before the answer had ended."""
    left: trio.Event = field(factory=trio.Event)
    answered: trio.Event = field(factory=trio.Event)
    """The answer's last byte has been handed to the kernel."""

    def note_leaving(self) -> None:
        """The peer is gone, and the answer has not ended."""
        if self.left_at is None:
            self.left_at = trio.current_time()
            self.left.set()

    def get(self, name: bytes) -> bytes | None:
        """First value of the header `name` (lower case)."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def key(self) -> str:
        """The credential it carried: a bearer token or an API key; empty if none."""
        scheme, _, token = (self.get(b"authorization") or b"").partition(b" ")
        bearer = token if scheme.lower() == b"bearer" else b""
        return (bearer or self.get(b"x-api-key") or b"").decode("latin-1")

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition(b"?")[0].decode("latin-1")

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


Respond = Callable[[Request, int], Answer]
"""Takes a request and how many this script has answered before."""
Script = Respond | Iterable[Answer]
Early = Callable[[Request], Answer | None]
"""Looks at a head; an answer is played at once and the body stays unread."""


class ScriptEnded(Exception):
    """A request came after the last scripted answer."""


def respond(script: Script) -> Respond:
    """Turn either kind of script into a function that counts for itself."""
    if callable(script):
        return _counted(script)
    answers = iter(script)

    def next_answer(request: Request, n: int) -> Answer:
        answer = next(answers, None)
        if answer is None:
            msg = f"request {n + 1}, {request.method} {request.path}, has no answer in the script"
            raise ScriptEnded(msg)
        return answer

    return _counted(next_answer)


def _counted(script: Respond) -> Respond:
    seen = 0

    def count(request: Request, _: int) -> Answer:
        nonlocal seen
        seen += 1
        return script(request, seen - 1)

    return count


def by_key(table: Mapping[str, Script], otherwise: Script = ()) -> Respond:
    """Answer each credential from a script of its own."""
    scripts = {key: respond(script) for key, script in table.items()}
    rest = respond(otherwise)
    return lambda request, n: scripts.get(request.key, rest)(request, n)


def by_path(table: Mapping[str, Script], otherwise: Script = ()) -> Respond:
    """Answer each path (without query) from a script of its own."""
    scripts = {path: respond(script) for path, script in table.items()}
    rest = respond(otherwise)
    return lambda request, n: scripts.get(request.path, rest)(request, n)


@define(eq=False)
class ScriptedUpstream:
    """A running scripted vendor."""

    port: int
    secure: bool
    _respond: Respond
    _early: Early | None
    requests: list[Request] = field(factory=list)
    connections: int = 0
    """Connections accepted so far."""
    open_connections: int = 0
    surplus: list[ScriptEnded] = field(factory=list)
    """Requests that came after the script's end; they are answered with 500."""
    _news: trio.Event = field(factory=trio.Event)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, or https."""
        return f"http{'s' if self.secure else ''}://127.0.0.1:{self.port}"

    async def wait_for_requests(self, count: int) -> None:
        """Wait until that many have been recorded."""
        while len(self.requests) < count:
            await self._news.wait()

    async def wait_until_idle(self) -> None:
        """Wait until no connection is open."""
        while self.open_connections:
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until its end."""
        ordinal = self.connections
        self.connections += 1
        self.open_connections += 1
        inbox = Inbox(stream)
        try:
            while await self._exchange(inbox, ordinal):
                pass
        except (PeerLeft, NotHttp, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.open_connections -= 1
            self._tell()
            await trio.aclose_forcefully(stream)

    async def _exchange(self, inbox: Inbox, ordinal: int) -> bool:
        head = await inbox.head()
        request = Request(head.start[0].decode(), head.start[1], head.headers, trio.current_time(), ordinal)
        answer = self._early(request) if self._early else None
        unread = answer is not None
        if not unread:
            request.body = await _read_body(inbox, head)
        self.requests.append(request)
        self._tell()
        if answer is None:
            answer = self._answer(request)
        keep = await _play(answer, inbox, request, watch=not unread)
        return keep and not unread and (head.get(b"connection") or b"").lower() != b"close"

    def _answer(self, request: Request) -> Answer:
        try:
            return self._respond(request, len(self.requests) - 1)
        except ScriptEnded as error:
            self.surplus.append(error)
            return Answer(500, steps=(str(error).encode(),))


async def _read_body(inbox: Inbox, head: Head) -> bytes:
    if (head.get(b"transfer-encoding") or b"").lower() == b"chunked":
        chunks = []
        while chunk := await inbox.chunk():
            chunks.append(chunk)
        return b"".join(chunks)
    return await inbox.exactly(parse_length(head.get(b"content-length") or b"0"))


async def _play(answer: Answer, inbox: Inbox, request: Request, *, watch: bool) -> bool:
    """Write the answer; return whether the connection can carry another request."""
    keep = False

    async def write() -> None:
        nonlocal keep
        keep = await _write(answer, inbox.stream)
        request.answered.set()
        nursery.cancel_scope.cancel()

    async def look_out() -> None:
        try:
            while True:
                await inbox.fill()
        except trio.ClosedResourceError:
            pass  # our own reset
        except PeerLeft:
            request.note_leaving()
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        if watch:
            nursery.start_soon(look_out)
        try:
            await write()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            request.note_leaving()
            nursery.cancel_scope.cancel()
    return keep


async def _write(answer: Answer, stream: trio.abc.Stream) -> bool:
    if head := answer.head():
        await stream.send_all(head)
    for step in answer.steps:
        if step is End.CUT:
            return False
        if step is End.RST:
            reset(stream)
            return False
        if isinstance(step, bytes):
            chunked = answer.framing is Framing.CHUNKED and step
            await stream.send_all(b"%x\r\n%s\r\n" % (len(step), step) if chunked else step)
        elif isinstance(step, Raw):
            await stream.send_all(step.data)
        else:
            await _wait(step, stream)
    if answer.framing is Framing.CHUNKED:
        await stream.send_all(b"0\r\n\r\n")
    return not answer.close and answer.framing in (Framing.LENGTH, Framing.CHUNKED)


async def _wait(step: Pause | Gate | Forever | End, stream: trio.abc.Stream) -> None:
    match step:
        case Pause(seconds=seconds):
            await trio.sleep(seconds)
        case Gate(event=event):
            await event.wait()
        case Forever(data=data, every=every):
            while True:
                await stream.send_all(data)
                await trio.sleep(every)
        case _:
            await trio.sleep_forever()


@asynccontextmanager
async def scripted_upstream(
    script: Script,
    *,
    early: Early | None = None,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
) -> AsyncIterator[ScriptedUpstream]:
    """Run a scripted vendor for the time of the block.

    Fails at the end if more was asked than the script answers. Errors of the block come out as they
    are, not wrapped in a nursery's group.
    """
    listeners = await trio.open_tcp_listeners(port, host=host, backlog=4096)
    bound: int = listeners[0].socket.getsockname()[1]
    up = ScriptedUpstream(bound, tls is not None, respond(script), early)

    async def serve(stream: trio.SocketStream) -> None:
        if tls is None:
            await up.serve(stream)
        else:
            await up.serve(trio.SSLStream(stream, tls, server_side=True, https_compatible=True))

    failure = None
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, serve, listeners)
        try:
            yield up
        except Exception as error:  # noqa: BLE001 - raised below
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    assert not up.surplus, "; ".join(str(error) for error in up.surplus)


def drip(data: bytes, size: int = 1, every: float | None = None) -> tuple[Step, ...]:
    """Cut `data` into pieces that are written one by one, with a pause between them if asked for."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    if every is None:
        return tuple(pieces)
    return tuple(step for piece in pieces for step in (piece, Pause(every)))


def raw(*steps: Step) -> Answer:
    """Bytes that need not be HTTP at all, then the end of the connection."""
    return Answer(framing=Framing.RAW, steps=steps)


def closed_port() -> int:
    """Return a loopback port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
