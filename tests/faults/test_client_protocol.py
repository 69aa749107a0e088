"""Clients that speak HTTP badly: refused with a fitting status or served rightly, and nobody else notices."""

from __future__ import annotations

import re
from typing import Any

import pytest
import trio

from tests.fakes.client import raw_client, request
from tests.faults.house import MESSAGES, House
from tests.faults.stage import counting, message

WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: bKdPyn3u98cTfZJSh4TNeQ==\r\n"
)
BODY = b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}'


def get(*lines: bytes, target: bytes = b"/v1/models", host: bytes | None = b"127.0.0.1") -> bytes:
    """A GET with odd lines in its head."""
    named = (b"Host: " + host,) if host is not None else ()
    return b"\r\n".join((b"GET " + target + b" HTTP/1.1", *named, *lines)) + b"\r\n\r\n"


def post(*lines: bytes, body: bytes = BODY, length: bytes | None = None) -> bytes:
    """A POST with odd lines in its head; no length unless one is given."""
    told = (b"Content-Length: " + length,) if length is not None else ()
    head = (b"POST /v1/messages HTTP/1.1", b"Host: 127.0.0.1", *lines, *told)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def statuses(answer: bytes) -> list[int]:
    """The status of every answer in what came."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


QUICK = {"1-websocket-trailing-byte", "2-h2c", "3-both-lengths", "7-other", "8-absolute", "10-many", "12-tls"}
CHUNKED = b"Transfer-Encoding: chunked"
CASES: dict[str, tuple[bytes, set[int]]] = {
    # name: what is sent, statuses of which the first answer has one (0: closed without an answer)
    "1-websocket": (get(WEBSOCKET.rstrip()), {200, 400, 404}),
    "1-websocket-responses": (get(WEBSOCKET.rstrip(), target=b"/v1/responses"), {400, 405, 426}),
    "1-websocket-trailing-byte": (get(WEBSOCKET.rstrip()) + b"x", {200, 400, 404}),
    "1-websocket-frames": (get(WEBSOCKET.rstrip()) + bytes(range(256)) * 9, {200, 400, 404}),
    "1-websocket-length": (get(WEBSOCKET.rstrip(), b"Content-Length: 3") + b"abc", {200, 400, 404}),
    "1-websocket-version": (get(WEBSOCKET.replace(b"13", b"99").rstrip()) + b"x", {200, 400, 404}),
    "2-h2c": (get(b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: !"), {200, 400}),
    "2-h2c-settings": (get(b"Upgrade: h2c", b"Connection: Upgrade", b"HTTP2-Settings: AAMAAABk"), {200, 400}),
    "2-h2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)), {400, 405, 505}),
    "3-both-lengths": (post(CHUNKED, length=b"3", body=b"3\r\nabc\r\n0\r\n\r\n"), {400}),
    "4-two-lengths": (post(b"Content-Length: 3", length=b"4", body=b"abcd"), {400}),
    "4-plus": (post(length=b"+3", body=b"abc"), {400}),
    "4-minus": (post(length=b"-3", body=b"abc"), {400}),
    "4-words": (post(length=b"abc", body=b"abc"), {400}),
    "4-huge": (post(length=b"9" * 23, body=b"abc"), {400, 413}),
    "4-huger": (post(length=b"9" * 4400, body=b"abc"), {400, 413}),
    "5-xchunked": (post(b"Transfer-Encoding: xchunked"), {400, 501}),
    "5-list": (post(b"Transfer-Encoding: gzip, chunked"), {400, 501}),
    "5-identity": (post(b"Transfer-Encoding: identity"), {400, 501}),
    "5-twice": (post(CHUNKED, CHUNKED), {400, 501}),
    "6-bad-size": (post(CHUNKED, body=b"ZZ\r\nabc\r\n0\r\n\r\n"), {400}),
    "6-oversize": (post(CHUNKED, body=b"f" * 21 + b"\r\nabc"), {400}),
    "6-wrong-end": (post(CHUNKED, body=b"3\r\nabcXY0\r\n\r\n"), {400}),
    "6-extension-lf": (post(CHUNKED, body=b"3;a\nb\r\nabc\r\n0\r\n\r\n"), {400}),
    "6-long-extension": (post(CHUNKED, body=b"3;" + b"a" * 200_000), {400, 431}),
    "7-no-host": (get(host=None), {400}),
    "7-two-hosts": (get(b"Host: 127.0.0.1"), {400}),
    "7-open-bracket": (get(host=b"[::1"), {400, 421}),
    "7-path-in-host": (get(host=b"127.0.0.1/b?c="), {400, 421}),
    "7-empty": (get(host=b""), {400, 421}),
    "7-long": (get(host=b"a" * 10_000), {400, 421}),
    "7-not-ascii": (get(host="höst".encode()), {400, 421}),
    "7-other": (get(host=b"evil.example"), {421}),
    "7-port": (get(host=b"127.0.0.1:1"), {421}),
    "7-zero": (get(host=b"0.0.0.0"), {421}),
    "8-absolute": (get(target=b"http://evil.example/v1/models"), {400}),
    "8-star": (b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {400, 405}),
    "8-connect": (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n", {400, 405, 421}),
    "8-trace": (b"TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", {400, 405}),
    "8-no-path": (get(target=b"?a=b"), {400}),
    "8-no-slash": (get(target=b"v1/models"), {400}),
    **{
        f"9-{n}": (get(target=target), {400, 404})
        for n, target in enumerate(
            (
                b"/v1/../status",
                b"//v1/models",
                b"/%2e%2e/status",
                b"/v1%2fmodels",
                b"/v1/models%00",
                b"/v1\\models",
                b"/status;x",
                b"/\xff\xfe",
                b"/v1/models/%2e%2e/%2e%2e/status",
            )
        )
    },
    "9-long": (get(target=b"/" + b"a" * 8200), {400, 404, 414}),
    "10-one-long": (get(b"X: " + b"a" * 70_000), {431}),
    "10-many": (get(*(b"X%d: 1" % n for n in range(3000))), {431}),
    "11-nul": (get(b"X: a\0b"), {400}),
    "11-bare-cr": (get(b"X: a\rb"), {400}),
    "11-folded": (get(b"X: a\r\n b"), {400}),
    "11-space-before-colon": (get(b"X : a"), {400}),
    "11-bare-lf": (get().replace(b"\r\n", b"\n"), {400}),
    "12-http09": (b"GET /\r\n\r\n", {400}),
    "12-http99": (get().replace(b"HTTP/1.1", b"HTTP/9.9"), {400, 505}),
    "12-tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), {400}),
    "12-noise": (bytes((n * 7919 + n // 3) % 256 for n in range(4096)), {0, 400, 414, 431}),
    "12-nothing": (b"", {0}),
    "12-empty-lines": (b"\r\n" * 50, {0, 400, 408}),
    "13-expect": (post(b"Expect: foo", length=b"72"), {417}),
    "16-http10": (get().replace(b"HTTP/1.1", b"HTTP/1.0"), {200}),
    "16-close": (get(b"Connection: close"), {200}),
    "16-too-large": (post(length=b"99999999"), {413}),
    "17-lower-case": (get().replace(b"GET", b"get"), {405}),
    "17-not-ascii": (get().replace(b"GET", "GÉT".encode()), {400, 405}),
    "17-put": (post(length=b"72").replace(b"POST", b"PUT"), {405}),
    "17-delete": (post(length=b"72").replace(b"POST", b"DELETE"), {405}),
    "17-head": (post(length=b"72").replace(b"POST", b"HEAD"), {405}),
    "29-split": (get(b"X-Shunt-Account: a%0d%0aX: b"), {200, 400, 404, 503}),
    "29-high-bytes": (get(b"X: \x80\xff"), {400}),
    "29-utf8": (get("X: häh".encode()), {400}),
}


def quick(case: str) -> Any:
    """A case, marked if it is one of those that always run."""
    marks = [pytest.mark.quick] if case in QUICK else []
    return pytest.param(case, marks=marks)


@pytest.mark.parametrize(
    "eof", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["open", "half-closed"]
)
@pytest.mark.parametrize("case", [quick(case) for case in CASES])
async def test_bad_requests_are_refused(house: House, case: str, eof: bool) -> None:
    """A status that fits, never 101 and never 500; nothing of it reaches the vendor."""
    data, allowed = CASES[case]
    answer = await house.raw(data, within=6, eof=eof)
    found = statuses(answer)
    if not eof:  # whoever closes its side counts as gone, and need not be answered
        assert (found or [0])[0] in allowed, answer[:400]
    assert not {101, 500} & set(found), answer[:400]
    if allowed.isdisjoint({200, 404}):
        assert not house.stage.arrivals


async def test_a_second_request_is_never_smuggled(house: House) -> None:
    """What follows an ambiguous or overlong body is no request: one refusal, then the end."""
    hidden = b"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for data in (
        post(CHUNKED, length=b"6", body=b"0\r\n\r\n" + hidden),
        post(CHUNKED, CHUNKED, body=b"0\r\n\r\n" + hidden),
        post(b"Content-Length: 0", length=b"72", body=BODY + hidden),
    ):
        answer = await house.raw(data)
        assert statuses(answer) in ([400], [501])
        assert b"connection: close" in answer.lower()


async def test_a_body_of_the_wrong_length_serves_nobody_else(house: House) -> None:
    """Too short: the slow end of it is awaited and refused. Too long: the rest is taken for what it is."""
    short = await house.raw(post(length=b"500"))
    assert statuses(short) == [408]
    long = await house.raw(post(length=b"%d" % (len(BODY) - 1)))
    assert statuses(long)[0] == 400
    assert not house.stage.arrivals


async def test_trailers_are_dropped(house: House) -> None:
    """A chunked body with trailers is served, and the trailers go nowhere."""
    chunk = b"%x\r\n%s\r\n0\r\nX-Trailer: a\r\n\r\n" % (len(BODY), BODY)
    answer = await house.raw(post(CHUNKED, b"Connection: close", body=chunk))
    assert statuses(answer) == [200]
    assert house.stage.arrivals[-1].request.get(b"x-trailer") is None


async def test_heads_in_slow_pieces_are_bounded(house: House) -> None:
    """A megabyte of headers that drips in is refused before it is held."""
    async with raw_client(house.port) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with trio.move_on_after(10):
            try:
                for _ in range(64):
                    await client.send(b"X: " + b"a" * 16_000 + b"\r\n")
                    await trio.sleep(0.005)
            except trio.BrokenResourceError:
                pass
        assert b" 431 " in bytes(await client.read_to_end())[:40]


async def test_a_client_that_waits_for_100_is_told_to_go_on(house: House) -> None:
    """And one that then stays silent is refused when its time is over."""
    async with raw_client(house.port) as client:
        await client.send(post(b"Expect: 100-continue", length=b"%d" % len(BODY), body=b""))
        await client.inbox.until(b"100 ")
        await client.inbox.until(b"\r\n\r\n")
        await client.send(BODY)
        assert (await client.response()).status == 200
    silent = await house.raw(post(b"Expect: 100-continue", length=b"9", body=b""), silent=5)
    assert statuses(silent.partition(b"\r\n\r\n")[2]) == [408]


async def test_pipelined_requests_are_answered_in_order(house: House) -> None:
    """Twenty at once on one connection."""
    answer = await house.raw(get(target=b"/health") * 19 + get(b"Connection: close"))
    assert statuses(answer) == [200] * 20


@pytest.mark.parametrize("how", ["fin", "rst", "half"])
async def test_leaving_is_seen_behind_pipelined_bytes(house: House, how: str) -> None:
    """However a client leaves a stream, and whatever it has sent ahead, the vendor's side ends at once."""
    with house.playing(lambda _: counting(2000)) as mark:
        async with raw_client(house.port) as client:
            body = message(f"x {mark}", stream=True)
            await client.send(request(b"POST", MESSAGES, (), body) + get(target=b"/status"))
            await client.begin()
            if how == "rst":
                client.reset()
            elif how == "half":
                await client.half_close()
            else:
                await client.leave()
            await house.left(mark)
