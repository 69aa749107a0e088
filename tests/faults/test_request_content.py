"""Requests whose content is odd: passed on untouched, or refused in the caller's words."""

from __future__ import annotations

import gzip
import json

import pytest
import trio

from tests.fakes.client import raw_client, request
from tests.fakes.http1 import Headers
from tests.faults.house import MESSAGES, PATHS, House
from tests.faults.stage import message

MIB = 1024 * 1024
DEEP = b"[" * 100_000 + b"]" * 100_000
JSON: Headers = ((b"content-type", b"application/json"),)

BODIES: dict[str, tuple[bytes, bool]] = {
    # name: body, whether it can be a request at all
    "19-empty": (b"", False),
    "19-words": (b"hello", False),
    "19-array": (b"[]", False),
    "19-null": (b"null", False),
    "19-number": (b"1", False),
    "19-open": (b'{"model": "m"', False),
    "19-trailing": (message("hi") + b"x", False),
    "19-nan": (message("hi")[:-1] + b', "temperature": NaN}', False),
    "19-duplicate": (message("hi")[:-1] + b', "max_tokens": 8}', True),
    "19-surrogate": (message("hi").replace(b'"hi"', b'"\\ud800"'), True),
    "19-bom": (b"\xef\xbb\xbf" + message("hi"), False),
    "19-utf16": (message("hi").decode().encode("utf-16"), False),
    "19-latin1": (message("hi").replace(b'"hi"', b'"\xe9"'), False),
    "19-nul": (message("hi\0"), True),
    "20-deep": (DEEP, False),
    "20-deep-inside": (message("hi")[:-1] + b', "x": ' + DEEP + b"}", False),
    "20-long-string": (message("x" * 2 * MIB), True),
    "20-huge-number": (message("hi")[:-1] + b', "x": 1e400, "y": ' + b"9" * 5000 + b"}", True),
    "20-many-digits": (
        message("hi")[:-1] + b', "x": [' + b",".join([b"1.234567890123456789e-300"] * 200_000) + b"]}",
        True,
    ),
    "20-many-parts": (message("hi")[:-1] + b', "x": [' + b",".join([b'{"a":1}'] * 2 * MIB) + b"]}", False),
    "20-count-beyond-measure": (message("hi")[:-1] + b', "max_tokens": 1' + b"0" * 400 + b"}", False),
    "20-many-messages": (
        json.dumps(
            {
                "model": "m",
                "max_tokens": 9,
                "input": "hi",
                "messages": [{"role": ("user", "assistant")[n % 2], "content": "hi"} for n in range(100_001)],
            }
        ).encode(),
        True,
    ),
    "24-no-model": (b'{"max_tokens":9,"messages":[{"role":"user","content":"hi"}],"input":"hi"}', True),
    "24-empty-model": (message("hi", model=""), True),
    "24-long-model": (message("hi", model="m" * 10_000), True),
    "24-endless-model": (message("hi", model="m" * 20 * MIB), False),
    "24-odd-model": (message("hi", model="a\n\x1b[31mred\x1b[0m\r\nX: y"), True),
    "24-model-of-numbers": (message("hi", model=5), True),
    "25-steering": (
        message(
            "hi", api_base="http://127.0.0.1:1/", base_url="http://127.0.0.1:1/", api_key="sk-test-other"
        ),
        True,
    ),
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.decode().rpartition("/")[2])
@pytest.mark.parametrize("case", list(BODIES))
async def test_odd_bodies(house: House, case: str, path: bytes) -> None:
    """Relayed, or refused with a 4xx in the caller's shape; never a 500, and the loop goes on meanwhile."""
    body, possible = BODIES[case]
    answer = await house.ask(path, body=body)
    assert answer.status < 500 or possible, answer.body[:500]
    assert answer.status not in (500, 502), answer.body[:500]
    assert case != "24-endless-model" or answer.status == 400
    if not possible and path == MESSAGES and answer.status == 200:
        # Nothing has to be understood where the vendor speaks the same protocol: it judges the body.
        assert house.stage.arrivals[-1].request.body == body


@pytest.mark.parametrize(
    "case", ["19-surrogate", "19-duplicate", "20-huge-number", "20-many-parts", "25-steering"]
)
async def test_the_same_protocol_passes_untouched(house: House, case: str) -> None:
    """What need not be read is not judged: the vendor gets the very bytes, and nobody else does."""
    body, _ = BODIES[case]
    assert (await house.ask(MESSAGES, body=body)).status == 200
    assert house.stage.arrivals[-1].request.body == body


async def test_large_bodies_pass_and_larger_ones_do_not(house: House) -> None:
    """20 MiB are relayed; 65 are refused before they are read, with a length and without."""
    assert (await house.ask(MESSAGES, body=message("x" * 20 * MIB))).status == 200
    arrived = len(house.stage.arrivals)
    async with raw_client(house.port) as client:
        await client.send(request(b"POST", MESSAGES, ((b"content-length", b"%d" % (65 * MIB)),)))
        assert (await client.response()).status == 413
    async with raw_client(house.port) as client:
        await client.send(request(b"POST", MESSAGES, ((b"transfer-encoding", b"chunked"),)))
        chunk = b"%x\r\n%s\r\n" % (MIB, b"x" * MIB)
        try:
            for _ in range(70):
                await client.send(chunk)
        except (OSError, trio.BrokenResourceError):
            pass
        assert (await client.response()).status == 413
    assert len(house.stage.arrivals) == arrived


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "br", "x-unknown"])
async def test_compressed_bodies(house: House, encoding: str) -> None:
    """Read only to look inside, and passed on as they are; what cannot be read is 415 or 400."""
    body = gzip.compress(message("hi")) if encoding == "gzip" else b"\x28\xb5\x2f\xfd rubbish"
    answer = await house.ask(MESSAGES, headers=((b"content-encoding", encoding.encode()),), body=body)
    if encoding == "gzip":
        assert answer.status == 200
        assert house.stage.arrivals[-1].request.body == body
    else:
        assert answer.status in (400, 415)


async def test_a_bomb_does_not_go_off(house: House) -> None:
    """A body that unpacks to a gigabyte is refused without being unpacked, and memory comes back."""
    before = (await trio.to_thread.run_sync(house.count)).rss
    bomb = gzip.compress(b" " * 512 * MIB, 1)
    answer = await house.ask(MESSAGES, headers=((b"content-encoding", b"gzip"),), body=bomb)
    assert answer.status == 413
    assert house.count().rss < before + 200


@pytest.mark.parametrize("kind", [None, b"text/plain", b"multipart/form-data; boundary=x", b"\xff"])
async def test_content_types(house: House, kind: bytes | None) -> None:
    """The proxy routes judge the body itself; the control routes take JSON only."""
    headers: Headers = () if kind is None else ((b"content-type", kind),)
    async with raw_client(house.port) as client:
        answer = await client.ask(b"POST", MESSAGES, headers, message("hi"))
        assert answer.status == (400 if kind == b"\xff" else 200)
    async with raw_client(house.port) as client:
        answer = await client.ask(b"POST", b"/use", headers, b'{"account": null}')
        assert answer.status == (400 if kind == b"\xff" else 415)


async def test_a_client_s_own_key_goes_nowhere(house: House) -> None:
    """Its key is replaced, never logged, and sent to nobody; odd keys are no trouble."""
    house.canaries["client"] = "sk-canary-client-0123456789abcdef"
    try:
        for name in (b"x-api-key", b"authorization", b"api-key", b"x-goog-api-key"):
            key = house.canaries["client"].encode()
            value = b"Bearer " + key if name == b"authorization" else key
            assert (await house.ask(headers=((name, value),))).status == 200
            assert key not in repr(house.stage.arrivals[-1].request.headers).encode()
        for odd in (b"x" * 30_000, b"\xff\xfe", b"Bearer", b"Bearer  ", b"Basic Og=="):
            assert (await house.ask(headers=((b"authorization", odd),))).status in (200, 400)
    finally:
        house.scan()
        del house.canaries["client"]


async def test_words_about_the_way_here_mean_nothing(house: House) -> None:
    """Forwarding headers neither open anything nor go on to the vendor."""
    said: Headers = (
        (b"x-forwarded-for", b"127.0.0.1"),
        (b"x-real-ip", b"127.0.0.1"),
        (b"forwarded", b"for=127.0.0.1"),
        (b"remote-addr", b"127.0.0.1"),
        (b"connection", b"authorization, x-api-key"),
        (b"via", b"1.1 x"),
    )
    assert (await house.ask(headers=said)).status == 200
    names = {name.lower() for name, _ in house.stage.arrivals[-1].request.headers}
    assert not names & {name for name, _ in said}
    assert b"x-api-key" in names or b"authorization" in names


PAGES: tuple[Headers, ...] = (
    ((b"origin", b"https://evil.example"),),
    ((b"origin", b"null"),),
    ((b"sec-fetch-site", b"cross-site"),),
    ((b"sec-fetch-site", b"same-site"), (b"sec-fetch-mode", b"no-cors")),
    ((b"origin", b"https://evil.example"), (b"content-type", b"text/plain")),
    ((b"origin", b"http://127.0.0.1:1"),),
    ((b"origin", b"http://127.0.0.1.evil.example"),),
)


@pytest.mark.parametrize("headers", PAGES, ids=range(len(PAGES)))
@pytest.mark.parametrize("target", [MESSAGES, b"/use", b"/health", b"/nothing"])
async def test_pages_of_other_sites_get_nothing(house: House, target: bytes, headers: Headers) -> None:
    """403 without any CORS header; nothing is sent to the vendor and nothing changes."""
    async with raw_client(house.port) as client:
        answer = await client.ask(b"POST", target, headers, message("hi"))
    assert answer.status == 403
    assert not [name for name, _ in answer.headers if name.lower().startswith(b"access-control")]
    assert not house.stage.arrivals


async def test_rebinding_gets_nothing(house: House) -> None:
    """A page that bound its own name to 127.0.0.1 is told that nobody here is called so."""
    for name in (b"evil.example", b"127.0.0.1.evil.example", b"localhost.", b"0.0.0.0", b"[::]"):
        async with raw_client(house.port) as client:
            headers = ((b"host", name + b":%d" % house.port), *JSON)
            assert (await client.ask(b"POST", MESSAGES, headers, message("hi"))).status in (400, 421)
    assert not house.stage.arrivals


async def test_parsing_does_not_hold_up_the_others(house: House) -> None:
    """While a 30 MiB body is looked into, `/health` goes on answering."""
    large = message("x " * 15 * MIB)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: house.ask(MESSAGES, body=large))
        for _ in range(20):
            async with raw_client(house.port) as client:
                assert (await client.ask(b"GET", b"/health")).status == 200
            await trio.sleep(0.02)
