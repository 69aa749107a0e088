"""Every way in which a vendor's answer can go wrong."""

from __future__ import annotations

import gzip
import json
import re
import socket
import zlib

import pytest
import trio
from attrs import evolve

from tests.fakes import anthropic
from tests.fakes.client import RawResponse, raw_client
from tests.fakes.upstream import Answer, End, Forever, Framing, Pause, Raw, Request, Step, drip, raw
from tests.faults.house import CHAT, MESSAGES, PATHS, RESPONSES, House, ends_in_error
from tests.faults.stage import message

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
EVENTS = tuple(it for it in anthropic.stream("some", " words").steps if isinstance(it, bytes))
WHOLE = b"".join(EVENTS)
HALF = (*anthropic.opening_events(), *anthropic.text_events(["some", " words"])[:2])
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""With which an HTTP/2 connection begins."""
SSE = b"content-type: text/event-stream\r\n"


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer's head, as it is."""
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


NO_ANSWER: dict[str, Answer] = {
    # Nothing that could be passed on: an error of 502 or 504, after the other accounts were tried.
    "45-fin": raw(),
    "45-rst": raw(End.RST),
    "46-garbage": raw(bytes(300)),
    "46-status-99": raw(head(b"content-length: 0", status=b"99 Odd")),
    "46-status-999": raw(head(b"content-length: 0", status=b"999 Odd")),
    "46-http2": raw(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18)),
    "46-http09": raw(b"<html>hello</html>"),
    "47-long-headers": raw(head(b"x: " + b"a" * 200_000)),
    "47-two-lengths": raw(head(b"content-length: 3", b"content-length: 4") + b"abc"),
    "47-bare-cr": raw(head(b"x: a\rb", b"content-length: 0")),
    "48-endless-1xx": raw(Forever(b"HTTP/1.1 102 Processing\r\n\r\n", 0.01)),
    "49-101": raw(head(b"upgrade: websocket", b"connection: upgrade", status=b"101 Switching")),
    "50-silence": raw(End.NEVER),
    "51-silence-after-headers": raw(OK + SSE + b"\r\n", End.NEVER),
    "72-goaway": raw(SETTINGS + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(7) + b"\x0b"),
    "72-reset-stream": raw(
        SETTINGS + b"\x00\x00\x04\x03\x00\x00\x00\x00\x01" + bytes(3) + b"\x07", End.NEVER
    ),
    "58-html": Answer(200, ((b"content-type", b"text/html"),), (b"<html><b>x</b>",)),
    "58-empty": Answer(200, anthropic.JSON_HEADERS, ()),
    "58-204": Answer(204),
    "58-206": evolve(anthropic.plain("hi"), status=206),
    "64-301": Answer(301, ((b"location", b"http://127.0.0.1:1/x"),)),
    "64-307": Answer(307, ((b"location", b"http://127.0.0.1:1/x"),)),
    "64-308": Answer(308, ((b"location", b"https://evil.example/"),)),
}


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("case", list(NO_ANSWER))
async def test_no_answer_at_all(house: House, case: str, stream: bool) -> None:
    """An error that names what happened, in the caller's shape; the accounts are not blamed for good."""
    with house.playing(NO_ANSWER[case]) as mark:
        answer = await house.ask(mark=mark, stream=stream)
    told(answer, stream=stream)
    assert len(house.stage.arrived(mark)) <= 6


def told(answer: RawResponse, *, stream: bool, path: bytes = MESSAGES) -> None:
    """An error: as a status, or at the end of a stream that had to be begun before."""
    if stream and answer.status == 200:
        assert answer.complete
        assert ends_in_error(path, answer.body), answer.body[-400:]
    else:
        assert answer.status in (408, 502, 503, 504, 529), (answer.status, answer.body)


BROKEN: dict[str, tuple[Step, ...]] = {
    "51-silence": (*HALF, End.NEVER),
    "52-fin-between": (*HALF, End.CUT),
    "52-fin-mid": (*HALF, Raw(b"ff\r\nevent: content_block_del"), End.CUT),
    "52-rst": (*HALF, End.RST),
    "52-bad-chunk": (*HALF, Raw(b"ZZ\r\nabc"), Pause(1)),
    "53-no-end": HALF,
    "60-endless-line": (*HALF, b"data: " + b"x" * 70 * MIB),
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.decode().rpartition("/")[2])
@pytest.mark.parametrize("case", list(BROKEN))
async def test_a_stream_that_breaks_says_so(house: House, case: str, path: bytes) -> None:
    """Whatever came before is there, then the error event of the client's protocol, and no faked end."""
    if case == "60-endless-line" and path != MESSAGES:
        pytest.skip("one of 70 MiB is enough")
    with house.playing(anthropic.events_answer(BROKEN[case])) as mark:
        answer = await house.ask(path, mark, stream=True)
    assert answer.status == 200
    assert answer.complete
    assert b"some" in answer.body
    assert ends_in_error(path, answer.body), answer.body[-500:]
    assert len(house.stage.arrived(mark)) == 1


async def test_a_body_that_ends_with_the_connection(house: House) -> None:
    """HTTP/1.0 manners: a whole stream is whole, half a one is told."""
    whole = Answer(200, anthropic.STREAM_HEADERS, EVENTS, Framing.CLOSE)
    half = evolve(whole, steps=HALF)
    with house.playing(whole) as mark:
        assert (await house.ask(mark=mark, stream=True)).body == WHOLE
    with house.playing(half) as mark:
        assert ends_in_error(MESSAGES, (await house.ask(mark=mark, stream=True)).body)


@pytest.mark.parametrize("length", [b"10", b"100000"])
async def test_wrong_lengths(house: House, length: bytes) -> None:
    """Too short cuts the document, too long leaves it unfinished: neither is passed on as an answer."""
    document = json.dumps(anthropic.document("hello")).encode()
    answer = raw(head(b"content-type: application/json", b"content-length: " + length) + document)
    with house.playing(answer) as mark:
        got = await house.ask(mark=mark)
    if length == b"10":  # ten bytes of JSON are what the vendor said
        assert got.status in (200, 502)
        assert got.body == document[:10] or got.status == 502
    else:
        assert got.status == 502


FIRST = {
    "56-overloaded": anthropic.error_event_first(),
    "56-api-error": anthropic.error_event_first("api_error", "Internal"),
}


@pytest.mark.parametrize("case", list(FIRST))
async def test_an_error_as_the_first_event_moves_on(house: House, case: str) -> None:
    """Nothing has been passed on yet, so another account answers."""
    seen: list[str] = []

    def once(request: Request) -> Answer:
        seen.append(request.key)
        return FIRST[case] if len(seen) == 1 else anthropic.stream("hi")

    with house.playing(once) as mark:
        answer = await house.ask(mark=mark, stream=True)
    assert answer.status == 200
    assert b"message_stop" in answer.body
    assert b"overloaded" not in answer.body
    assert len(seen) >= 2


async def test_an_error_in_the_middle_passes_verbatim(house: House) -> None:
    """The vendor's own words; nothing is tried again."""
    error = anthropic.event("error", error={"type": "overloaded_error", "message": "Overloaded just now"})
    with house.playing(anthropic.events_answer([*HALF, error])) as mark:
        answer = await house.ask(mark=mark, stream=True)
    assert answer.body == b"".join(HALF) + error
    assert len(house.stage.arrived(mark)) == 1


@pytest.mark.parametrize(
    ("case", "answer", "stream"),
    [
        ("58-json-for-stream", anthropic.plain("hi"), True),
        ("58-stream-for-json", anthropic.stream("hi"), False),
    ],
)
async def test_the_other_kind_of_answer(house: House, case: str, answer: Answer, stream: bool) -> None:
    """A whole answer where a stream was asked for, or the reverse, is retold."""
    with house.playing(answer) as mark:
        got = await house.ask(mark=mark, stream=stream)
    assert got.status == 200
    assert (b"message_stop" in got.body) == stream
    assert b"hi" in got.body


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.quick), 2, 3, 7, 64])
async def test_any_cut_gives_the_same_bytes(house: House, size: int) -> None:
    """Split at every byte: the client gets exactly what the vendor sent."""
    with house.playing(anthropic.events_answer(drip(WHOLE, size))) as mark:
        assert (await house.ask(mark=mark, stream=True)).body == WHOLE


ODD_STREAMS = {
    "59-crlf": WHOLE.replace(b"\n", b"\r\n"),
    "59-cr": WHOLE.replace(b"\n", b"\r"),
    "59-bom": b"\xef\xbb\xbf" + WHOLE,
    "59-comments": b": hello\n\n" + WHOLE.replace(b"event: ping", b": x\nretry: 5\nid: 7\nevent: ping"),
    "59-no-last-line": WHOLE.removesuffix(b"\n"),
    "61-unknown-event": b'event: future\ndata: {"type":"future","x":[1]}\n\n' + WHOLE,
    "61-invalid-utf8": WHOLE.replace(b"some", b"s\xff\xfee"),
    "61-invalid-json": WHOLE.replace(b'"some"', b'"some'),
    "61-started-twice": EVENTS[0] + WHOLE,
    "61-odd-index": WHOLE.replace(b'"index":0', b'"index":7'),
    "60-many": WHOLE.replace(EVENTS[1], EVENTS[1] * 20_000),
}


@pytest.mark.parametrize("case", list(ODD_STREAMS))
async def test_odd_streams_pass_untouched(house: House, case: str) -> None:
    """Where client and vendor speak one protocol, nothing is judged and no byte is changed."""
    data = ODD_STREAMS[case]
    with house.playing(anthropic.events_answer([data])) as mark:
        assert (await house.ask(mark=mark, stream=True)).body == data


@pytest.mark.parametrize("path", [CHAT, RESPONSES], ids=["completions", "responses"])
@pytest.mark.parametrize("case", list(ODD_STREAMS))
async def test_odd_streams_are_retold_or_refused(house: House, case: str, path: bytes) -> None:
    """Retold with what is unknown left out, or ended with an error; never a traceback or a hang."""
    with house.playing(anthropic.events_answer([ODD_STREAMS[case]])) as mark:
        answer = await house.ask(path, mark, stream=True)
    assert answer.complete
    done = b"[DONE]" in answer.body or b"response.completed" in answer.body
    assert done or answer.status >= 500 or ends_in_error(path, answer.body), answer.body[-400:]


@pytest.mark.parametrize("more", [(End.NEVER,), (Forever(b"7\r\n: more\n\r\n", 0.05),)], ids=["open", "more"])
async def test_what_follows_the_end_is_cut_off(house: House, more: tuple[Step, ...]) -> None:
    """After its last event a stream ends here, whatever the vendor still does."""
    with house.playing(anthropic.events_answer([WHOLE, *more])) as mark, trio.fail_after(30):
        answer = await house.ask(mark=mark, stream=True)
        await house.left(mark)
    assert answer.complete
    assert answer.body.startswith(WHOLE)


@pytest.mark.parametrize("case", ["good", "bad", "bomb"])
async def test_compressed_answers(house: House, case: str) -> None:
    """Compressed though plain was asked for: passed on with its header or refused, never inflated whole."""
    document = json.dumps(anthropic.document("hello")).encode()
    data = {
        "good": gzip.compress(document),
        "bad": b"\x1f\x8b" + bytes(200),
        "bomb": gzip.compress(bytes(256 * MIB), 1),
    }[case]
    before = house.count().rss
    headers = (*anthropic.JSON_HEADERS, (b"content-encoding", b"gzip"))
    with house.playing(Answer(200, headers, (data,))) as mark:
        answer = await house.ask(mark=mark)
    assert answer.status in (200, 502)
    if case == "good":
        assert answer.status == 200
        assert answer.get(b"content-encoding") == b"gzip"
        assert zlib.decompress(answer.body, 31) == document
    assert house.count().rss < before + 60


async def test_a_vendor_s_other_headers_stay_behind(house: House) -> None:
    """Cookies, CORS, realms, Alt-Svc and the like are words for another site."""
    odd = (
        (b"set-cookie", b"a=b"),
        (b"access-control-allow-origin", b"*"),
        (b"alt-svc", b'h3=":443"'),
        (b"strict-transport-security", b"max-age=1"),
        (b"clear-site-data", b"*"),
        (b"refresh", b"0; url=http://127.0.0.1:1/"),
        (b"location", b"http://127.0.0.1:1/"),
        (b"www-authenticate", b'Bearer realm="http://127.0.0.1:1/token"'),
        (b"server", b"vendor"),
    )
    with house.playing(anthropic.plain("hi", headers=odd)) as mark:
        answer = await house.ask(mark=mark)
    assert answer.status == 200
    left = {name.lower() for name, _ in answer.headers} & {name for name, _ in odd}
    assert left <= {b"www-authenticate"}
    assert answer.get(b"x-content-type-options") == b"nosniff"


@pytest.mark.parametrize("status", [400, 404, 413, 422])
async def test_the_client_s_own_mistakes_pass_verbatim(house: House, status: int) -> None:
    """The vendor's words, at once, and no other account is tried."""
    with house.playing(anthropic.refusal(status, "invalid_request_error", "no such field")) as mark:
        answer = await house.ask(mark=mark)
    assert answer.status == status
    assert b"no such field" in answer.body
    assert len(house.stage.arrived(mark)) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_an_account_that_is_refused_is_left(house: House, status: int) -> None:
    """Another account answers; if all are refused, the vendor's words come through."""
    turn: list[str] = []

    def once(request: Request) -> Answer:
        turn.append(request.key)
        refused = anthropic.unauthorized() if status == 401 else anthropic.forbidden()
        return refused if len(turn) == 1 else anthropic.plain("hi")

    with house.playing(once) as mark:
        assert (await house.ask(mark=mark)).status == 200
    assert len(set(turn)) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 529])
async def test_a_vendor_s_failures_move_on(house: House, status: int) -> None:
    """Before the first byte another try is made; if all fail, the last error is told."""
    failing = anthropic.overloaded() if status == 529 else anthropic.server_error(status)
    turn: list[str] = []

    def once(request: Request) -> Answer:
        turn.append(request.key)
        return failing if len(turn) == 1 else anthropic.plain("hi")

    with house.playing(once) as mark:
        assert (await house.ask(mark=mark)).status == 200
    with house.playing(failing) as mark:
        answer = await house.ask(mark=mark)
    assert answer.status >= 500
    assert len(house.stage.arrived(mark)) <= 9


@pytest.mark.parametrize("case", ["large", "endless", "slow"])
async def test_error_bodies_are_read_within_bounds(house: House, case: str) -> None:
    """A hundred megabytes, or for ever, or a byte a second: the caller has its error soon."""
    steps: dict[str, tuple[Step, ...]] = {
        "large": (b"x" * 100 * MIB,),
        "endless": (Forever(b"x" * 1000, 0.001),),
        "slow": (Forever(b"x", 0.5),),
    }
    framing = Framing.LENGTH if case == "large" else Framing.CLOSE
    with (
        house.playing(Answer(400, anthropic.JSON_HEADERS, steps[case], framing)) as mark,
        trio.fail_after(40),
    ):
        answer = await house.ask(mark=mark)
    assert answer.status == 400
    assert len(answer.body) < 70_000


async def test_a_connection_that_died_while_idle_is_replaced(house: House) -> None:
    """Closed by the vendor after an answer, unannounced: the next request does not notice."""
    with house.playing(evolve(anthropic.plain("hi"), close=True)) as mark:
        for _ in range(10):
            assert (await house.ask(mark=mark)).status == 200
            house.first_bytes.clear()


async def test_an_early_answer_reaches_the_client(house: House) -> None:
    """A vendor that refuses before it has read the body is heard."""
    refusal = anthropic.refusal(413, "request_too_large", "too large for us")
    house.stage.early["/v1/messages"] = evolve(refusal, close=True)
    try:
        answer = await house.ask(body=message("x" * 8 * MIB))
    finally:
        house.stage.early.clear()
    assert answer.status == 413
    assert b"too large for us" in answer.body


async def test_a_vendor_that_stops_reading_is_given_up(house: House) -> None:
    """A large body that it takes nothing more of ends as an error, and its memory is free again."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        house.stage.early["/v1/messages"] = Answer(framing=Framing.RAW, steps=(End.NEVER,))
        try:
            answer = await house.ask(body=message("x" * 30 * MIB), within=60)
        finally:
            house.stage.early.clear()
    assert answer.status in (502, 504)


@pytest.mark.parametrize("tokens", [10**400, 10**19, 2**63, 1e308, -5, "7", [], None], ids=repr)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_nonsense_about_usage_costs_no_answer(house: House, tokens: object, stream: bool) -> None:
    """The answer passes as it came, and what adds up usage goes on telling it."""
    told = json.dumps(tokens).encode()
    whole = anthropic.stream("hi") if stream else anthropic.plain("hi")
    steps = [
        re.sub(rb'("(?:in|out)put_tokens": ?)\d+', rb"\g<1>" + told, step)
        if isinstance(step, bytes)
        else step
        for step in whole.steps
    ]
    with house.playing(evolve(whole, steps=tuple(steps))) as mark:
        answer = await house.ask(MESSAGES, mark, stream=stream)
    assert answer.status == 200
    assert told in answer.body
    for path in (b"/metrics", b"/history?by=day", b"/status"):
        async with raw_client(house.port) as client:
            assert (await client.ask(b"GET", path)).status == 200
