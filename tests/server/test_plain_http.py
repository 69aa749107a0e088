"""A connection's requests, one after the other, without a socket: what is begun when, and what is said by itself."""

from __future__ import annotations

from typing import Any, cast

import pytest
from attrs import define, field
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.worker_context import WorkerContext

from shunt.server.asgi import AsgiCall
from shunt.server.bounds import Bounds
from shunt.server.plain_http import PlainHttp, Service
from shunt.server.remarks import Remarks
from shunt.server.tally import Refusal, Tally

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
START: Any = {"type": "http.response.start", "status": 200, "headers": ((b"content-length", b"2"),)}
ALL: Any = {"type": "http.response.body", "body": b"ok", "more_body": False}


@define(eq=False)
class Talk:
    """A protocol whose calls are kept instead of run, and everything that it said."""

    said: bytearray = field(factory=bytearray)
    events: list[Event] = field(factory=list)
    begun: list[tuple[AsgiCall, dict[str, Any]]] = field(factory=list)
    tally: Tally = field(factory=Tally)
    http: PlainHttp = field(init=False)

    def __attrs_post_init__(self) -> None:
        service = Service(
            cast("Any", None), Config(), WorkerContext(None), {}, Bounds(), Remarks(), self.tally
        )
        client = ("127.0.0.1", 1)
        self.http = PlainHttp(service, cast("Any", self), client, client, self.send, self.write)

    def spawn(self, call: Any) -> None:
        """Keep a call that is begun: `run` of an AsgiCall, with the application and the scope."""
        self.begun.append((call.func.__self__, call.args[1]))

    async def send(self, event: Event) -> None:
        """Take what the protocol wants done."""
        if isinstance(event, RawData):
            self.said += event.data
        else:
            self.events.append(event)

    async def write(self, data: bytes) -> None:
        """Take bytes of an answer."""
        self.said += data

    async def hear(self, data: bytes) -> None:
        """Bytes of the client."""
        await self.http.handle(RawData(data))
        if (call := self.http.begun()) is not None:
            self.spawn(call)

    async def answer(self) -> None:
        """Answer the newest call."""
        for message in (START, ALL):
            await self.begun[-1][0].send(message)

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [scope["path"] for _, scope in self.begun]


@pytest.mark.parametrize(
    "pieces", [[POST + b"hello"], [POST, b"he", b"llo"], [CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"]]
)
async def test_a_call_gets_its_body_however_it_comes(pieces: list[bytes]) -> None:
    """Begun once, with all of it; and that is told."""
    talk = Talk()
    for piece in pieces:
        await talk.hear(piece)
    ((call, _),) = talk.begun
    assert await call.receive() == {"type": "http.request", "body": b"hello", "more_body": False}
    assert talk.http.request_complete
    assert [type(event) for event in talk.events] == [Updated]


@pytest.mark.parametrize("first", [GET, CHUNKED + b"0\r\n\r\n"], ids=["usual", "unusual"])
async def test_what_is_sent_ahead_waits_for_the_end_of_the_answer(first: bytes) -> None:
    """Counted until then, begun after it, in order."""
    talk = Talk()
    await talk.hear(first + POST + b"hello" + GET)
    assert len(talk.begun) == 1
    assert talk.http.ahead == len(POST + b"hello" + GET)
    await talk.answer()
    assert talk.paths[1:] == ["/b"]
    assert talk.http.ahead == len(GET)
    await talk.answer()
    assert talk.paths[1:] == ["/b", "/a"]
    await talk.answer()
    assert talk.http.ahead == 0
    assert bytes(talk.said).count(b"\r\n\r\nok") == 3
    assert talk.events[-1] == Updated(idle=True)


async def test_half_a_request_sent_ahead_begins_when_the_rest_comes() -> None:
    """The end of the answer before it begins nothing."""
    talk = Talk()
    await talk.hear(GET + POST[:9])
    await talk.answer()
    assert (talk.paths, talk.http.ahead) == (["/a"], 9)
    await talk.hear(POST[9:])
    assert talk.paths == ["/a", "/b"]


async def test_nonsense_sent_ahead_is_refused_after_the_answer() -> None:
    """The answer that was running is whole; then comes the refusal, and the end."""
    talk = Talk()
    await talk.hear(GET + b"nonsense\r\n\r\n")
    assert talk.said == b""
    await talk.answer()
    first, _, second = bytes(talk.said).partition(b"ok")
    assert first.startswith(b"HTTP/1.1 200")
    assert second.startswith(b"HTTP/1.1 400")
    assert talk.events[-1] == Closed()
    assert talk.tally.counts[Refusal.HEAD.value] == 1


async def test_a_client_that_waits_for_leave_to_send_is_told() -> None:
    """`Expect: 100-continue` is answered before the body comes."""
    talk = Talk()
    await talk.hear(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
    assert talk.said.startswith(b"HTTP/1.1 100 ")
    await talk.hear(b"hello")
    await talk.answer()
    assert talk.paths == ["/b"]
    assert talk.events[-1] == Updated(idle=True)
