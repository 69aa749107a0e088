"""The whole front side at a real socket: hostile input, many clients, and what must come out unchanged."""

from __future__ import annotations

import gc
import random
import re
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import pytest
import trio
from quart_trio.asgi import TrioASGIHTTPConnection

from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.server.app import carried, create_app, quart_app, request_ids
from shunt.server.relayed import HttpConnection
from shunt.server.routes import ANSWERED, MESSAGES, ROUTES
from tests.fakes.client import RawClient
from tests.fakes.gateway import MESSAGE, STREAMED, House, Setting, echo, house, streaming
from tests.fakes.http1 import PeerLeft

# ── what is built upon ────────────────────────────────────────────────────────────────────────────


def test_the_library_versions_are_those_the_repairs_were_made_for() -> None:
    """A new Quart is looked at before it is trusted: read app.py and relayed.py, then raise these."""
    assert (version("quart")[:4], version("quart-trio")[:4]) in (("0.22", "0.12"), ("0.23", "0.13"))
    assert "_send_response" in dir(TrioASGIHTTPConnection)
    assert HttpConnection._send_response is not TrioASGIHTTPConnection._send_response


def test_quart_does_nothing_of_its_own_accord() -> None:
    """No limit of its own that would cut a stream or a body (P4), no files, no answers to OPTIONS."""
    app = quart_app(Setting().parts())
    config = app.config
    assert config["RESPONSE_TIMEOUT"] is config["BODY_TIMEOUT"] is config["MAX_CONTENT_LENGTH"] is None
    assert (app.has_static_folder, app.template_folder) == (False, None)
    assert not any("OPTIONS" in (rule.methods or ()) for rule in app.url_map.iter_rules())


async def test_quart_has_no_nursery_to_start_watchers_in() -> None:
    """Its tasks would end each other and leave the server answering (P9); so there is none."""
    setting = Setting()
    async with house(setting=setting) as served:
        assert (await served.ask(b"GET", b"/health")).status == 200
    assert not hasattr(quart_app(setting.parts()), "nursery")


def test_every_route_has_its_handler() -> None:
    """The table and Quart know the same paths and methods, but for those that never get to Quart."""
    rules = {rule.rule: rule.methods or set() for rule in quart_app(Setting().parts()).url_map.iter_rules()}
    for route in ROUTES:
        if route.endpoint == ANSWERED:
            assert route.rule not in rules
        else:
            assert set(route.methods) <= rules[route.rule]
    assert callable(create_app(Setting().parts()))


def test_only_what_a_provider_s_list_names_is_passed_through() -> None:
    """Everything else an account could reach stays closed to callers."""
    assert carried("GET", "/api/web/domain_info") == (MESSAGES,)
    assert MESSAGES in carried("POST", "/v1/messages")
    for method, path in (
        ("GET", "/api/oauth/profile"),
        ("POST", "/api/web/domain_info"),
        ("POST", "/v1/organizations"),
    ):
        assert carried(method, path) == ()


def test_request_ids_are_ours_and_unlike_each_other() -> None:
    """`req_` and 24 hexadecimal digits, however many are asked for."""
    ids = list(islice(request_ids(), 1_000))
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"req_[0-9a-f]{24}", each) for each in ids)


# ── hostile input ─────────────────────────────────────────────────────────────────────────────────

SEED = random.Random(7)
WS = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: bKdPyn3u98cTfZJSh4TNeQ==\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"


def get(path: bytes, *headers: bytes, after: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nhost: HOST\r\n" + b"".join(headers) + b"\r\n" + after


def post(*headers: bytes, after: bytes = b"", path: bytes = b"/v1/messages") -> bytes:
    return get(path, *headers, after=after).replace(b"GET", b"POST", 1)


HOSTILE = {
    "websocket and a byte": (get(b"/status", WS, after=b"x"), 200),
    "websocket and frames": (get(b"/status", WS, after=SEED.randbytes(300)), 200),
    "websocket with a length": (get(b"/status", WS, b"content-length: 5\r\n", after=b"hello"), 200),
    "websocket on responses": (get(b"/v1/responses", WS), 426),
    "websocket without a host": (b"GET / HTTP/1.1\r\n" + WS + b"\r\n", 400),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SEED.randbytes(200), 505),
    "h2c": (get(b"/status", b"connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: !!!!\r\n"), 200),
    "connect": (b"CONNECT victim.com:443 HTTP/1.1\r\nhost: victim.com\r\n\r\n", 405),
    "absolute form": (get(b"http://evil.example/status"), 400),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\nhost: HOST\r\n\r\n", 400),
    "no path": (get(b"?a=b"), 400),
    "no slash": (get(b"status"), 400),
    "absolute form, broken": (get(b"http://[::1/status"), 400),
    "escapes in the path": (get(b"/%ff%00"), 400),
    "broken brackets in host": (b"GET /status HTTP/1.1\r\nhost: [::1\r\n\r\n", 400),
    "no host": (b"GET /status HTTP/1.1\r\n\r\n", 400),
    "no host, 1.0": (b"GET /status HTTP/1.0\r\n\r\n", 400),
    "two hosts": (get(b"/status", b"host: b\r\n"), 400),
    "bytes in a header": (get(b"/status", b"x: \xff\xfe\r\n"), 400),
    "nul in a header": (get(b"/status", b"x: a\x00b\r\n"), 400),
    "length and chunks": (post(b"content-length: 3\r\n", CHUNKED, after=b"3\r\nabc\r\n0\r\n\r\n"), 400),
    "chunks twice": (post(CHUNKED, b"transfer-encoding: identity\r\n", after=b"0\r\n\r\n"), 501),
    "other coding": (post(b"transfer-encoding: xchunked\r\n", after=b"0\r\n\r\n"), 501),
    "two lengths": (post(b"content-length: 3\r\ncontent-length: 4\r\n", after=b"abcd"), 400),
    "plus length": (post(b"content-length: +3\r\n", after=b"abc"), 400),
    "huge length": (post(b"content-length: 99999999999999\r\n", after=b"abc"), 413),
    "longer length": (post(b"content-length: 99999999999999999999999\r\n", after=b"abc"), 400),
    "bad chunk": (post(CHUNKED, after=b"ZZ\r\nabc\r\n0\r\n\r\n"), 400),
    "chunk without an end": (post(CHUNKED, after=b"5\r\nAAAAAXX2\r\n45\r\n0\r\n\r\n"), 400),
    "huge chunk": (post(CHUNKED, after=b"fffffffffffffffffffff\r\nabc"), 400),
    "blank before the colon": (b"GET /status HTTP/1.1\r\nhost : x\r\n\r\n", 400),
    "folded": (get(b"/status", b"x: a\r\n b\r\n"), 400),
    "bare lf": (b"GET /status HTTP/1.1\nhost: a\n\n", 400),
    "70 kB header": (get(b"/status", b"x: " + b"a" * 70_000 + b"\r\n"), 431),
    "3000 headers": (get(b"/status", b"".join(b"x%d: 1\r\n" % n for n in range(3000))), 431),
    "1 MB of headers": (get(b"/status", b"x: a\r\n" * 150_000), 431),
    "long path": (get(b"/" + b"a" * 9000), 414),
    "http 0.9": (b"GET /\r\n\r\n", 400),
    "http 9.9": (b"GET /status HTTP/9.9\r\nhost: HOST\r\n\r\n", 505),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SEED.randbytes(500), 400),
    "noise": (b"\x00" + SEED.randbytes(4000), 400),
    "expectation": (post(b"expect: foo\r\ncontent-length: 3\r\n", after=b"abc"), 417),
    "odd method": (b"\xc3\xa9 /status HTTP/1.1\r\nhost: HOST\r\n\r\n", 400),
    "body on get": (get(b"/status", b"content-length: 5\r\n", after=b"hello"), 200),
    "odd cookie": (get(b"/status", b"cookie: =; =; ;;;\r\n"), 200),
    "odd authorization": (get(b"/status", b"authorization: Basic !!!\r\n"), 200),
    "odd content type": (post(b"content-type: multipart/form-data; boundary=\r\ncontent-length: 3\r\n", after=b"abc"), 400),
    "forwarded": (get(b"/status", b"x-forwarded-for: 127.0.0.1\r\nremote-addr: 10.0.0.1\r\n"), 200),
    "climbing": (get(b"/v1/../status"), 400),
    "foreign origin": (get(b"/status", b"origin: null\r\n"), 403),
    "foreign host": (b"GET /status HTTP/1.1\r\nhost: evil.example\r\n\r\n", 421),
    "twenty at once": (get(b"/health") * 20, 200),
    "body too short, then another": (post(b"content-length: 5\r\n", after=b"abc" + get(b"/status")), 400),
}  # fmt: skip


@pytest.mark.parametrize("leaving", ["fin", "rst", "half"])
async def test_no_input_ends_the_process_or_another_s_stream(leaving: str) -> None:
    """Every kind of malformed request gets its status; a stream beside them all sees no gap (P1)."""
    async with house(ticking) as served, served.client() as other:
        await other.send(served.request(b"POST", b"/v1/messages", (), STREAMED))
        stream = await other.begin()
        for name, (raw, status) in HOSTILE.items():
            async with served.client() as client:
                await client.send(raw.replace(b"HOST", served.host))
                with trio.fail_after(2):
                    answer = await client.response(raw[:4].rstrip())
                assert answer.status == status, name
                await leave(client, leaving)
            with trio.fail_after(1):
                assert await stream.piece() is not None, name
        assert (await served.ask(b"GET", b"/health")).status == 200


async def leave(client: RawClient, how: str) -> None:
    if how == "rst":
        client.reset()
    elif how == "half":
        await client.half_close()
    else:
        await client.leave()


async def ticking(inbound: Inbound, lifetime: Lifetime) -> Delivery:
    """A stream that goes on for ever; the body back where none is asked for."""
    answer = streaming(b"data: tick\n\n", 0.005, over=False) if inbound.outline.stream else echo
    return await answer(inbound, lifetime)


async def test_a_request_behind_a_short_body_is_not_smuggled_in() -> None:
    """Bytes that belong to a body are a body, whatever they look like."""
    async with house() as served, served.client() as client:
        inner = get(b"/v1/models").replace(b"HOST", served.host)
        raw = post(b"content-length: %d\r\n" % (len(inner) + 5), after=inner).replace(b"HOST", served.host)
        await client.send(raw + b"xxxxx" + get(b"/health").replace(b"HOST", served.host))
        answers = [await client.response(), await client.response()]
        assert [answer.status for answer in answers] == [400, 200]
        assert not served.gateway.asked


async def test_a_client_that_waits_for_continue_gets_it() -> None:
    """`Expect: 100-continue` is answered, and the body then read as any other."""
    async with house() as served, served.client() as client:
        headers = ((b"expect", b"100-continue"), (b"content-length", b"%d" % len(MESSAGE)))
        await client.send(served.request(b"POST", b"/v1/messages", headers))
        await trio.sleep(0.02)
        await client.send(MESSAGE)
        answer = await client.response()
        assert (answer.interim, answer.status, answer.body) == ((100,), 200, MESSAGE)


# ── many clients at once ──────────────────────────────────────────────────────────────────────────


async def test_nothing_is_left_of_any_client() -> None:
    """After 400 sessions that end in every way, tasks and file descriptors are those of the start."""
    gc.collect()
    async with house(ticking) as served:
        tasks, files = living(), open_files()
        async with trio.open_nursery() as nursery:
            for seed in range(20):
                nursery.start_soon(misbehave, served, random.Random(seed))
        with trio.fail_after(5):
            while (living(), open_files()) != (tasks, files):  # noqa: ASYNC110 - nothing tells
                await trio.sleep(0.02)
        assert (await served.ask(b"GET", b"/health")).status == 200


DESCRIPTORS = Path("/proc/self/fd")


def living() -> int:
    return trio.lowlevel.current_statistics().tasks_living


def open_files() -> int:
    return len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.is_dir() else 0


async def misbehave(served: House, chance: random.Random) -> None:
    """Twenty sessions of one client."""
    for _ in range(20):
        body = chance.choice([MESSAGE, STREAMED])
        raw = served.request(b"POST", b"/v1/messages", (), body)
        async with served.client() as client:
            try:
                await client.send(raw[: chance.choice([10, len(raw) - 5, len(raw), len(raw)])])
                if chance.random() < 0.3:
                    await client.send(served.request(b"GET", b"/status"))
                if chance.random() < 0.5:
                    with trio.move_on_after(0.02):
                        await (await client.begin()).piece()
                await leave(client, chance.choice(["fin", "rst", "half", "fin"]))
            except (PeerLeft, trio.BrokenResourceError, trio.ClosedResourceError):
                pass
