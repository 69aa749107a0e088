"""Proxy routes: what the gateway is told of a request."""

from __future__ import annotations

import gzip

import pytest
import trio

from shunt.errors import BodyTooLarge, InvalidRequest
from shunt.inference.inbound import Operation, Outline
from shunt.server.errors import TurnedAway
from shunt.server.inference import LARGE, outline_of
from shunt.server.routes import CHAT, MESSAGES, RESPONSES
from shunt.wire.headers import Headers, worded
from tests.fakes.gateway import MESSAGE, STREAMED, T0, house

ANTHROPIC: Headers = ((b"anthropic-version", b"2023-06-01"),)


@pytest.mark.parametrize(
    ("method", "target", "protocol", "operation", "path"),
    [
        (b"POST", b"/v1/messages?beta=true", MESSAGES, Operation.GENERATE, "/v1/messages"),
        (b"POST", b"/messages?beta=true", MESSAGES, Operation.GENERATE, "/v1/messages"),
        (
            b"POST",
            b"/v1/messages/count_tokens",
            MESSAGES,
            Operation.COUNT_TOKENS,
            "/v1/messages/count_tokens",
        ),
        (b"POST", b"/chat/completions", CHAT, Operation.GENERATE, "/v1/chat/completions"),
        (b"POST", b"/v1/responses", RESPONSES, Operation.GENERATE, "/v1/responses"),
        (b"POST", b"/responses/compact", RESPONSES, Operation.COMPACT, "/v1/responses/compact"),
        (b"GET", b"/v1/messages/batches?limit=5", MESSAGES, Operation.BATCHES, "/v1/messages/batches"),
        (b"DELETE", b"/v1/messages/batches/b%20x", MESSAGES, Operation.BATCHES, "/v1/messages/batches/b%20x"),
        (b"GET", b"/api/web/domain_info?domain=x", MESSAGES, Operation.PASS, "/api/web/domain_info"),
    ],
)
async def test_a_request_reaches_the_gateway_as_it_came(
    method: bytes, target: bytes, protocol: str, operation: Operation, path: str
) -> None:
    """Protocol and operation by the route; method, path, query, headers and body byte for byte."""
    body = MESSAGE if method == b"POST" else b""
    headers = ((b"X-Api-Key", b"sk-test-1"), (b"x-Dup", b"1"), (b"X-DUP", b"2"))
    async with house() as served:
        answer = await served.ask(method, target, headers, body)
        asked = served.gateway.asked[0]
        sent = served.request(method, target, headers, body)
    assert answer.status == 200
    assert (asked.protocol, asked.operation, asked.method, asked.path) == (
        protocol,
        operation,
        method.decode(),
        path,
    )
    assert asked.query == target.partition(b"?")[2]
    assert asked.body == body
    assert b"".join(name + b": " + value + b"\r\n" for name, value in asked.headers) in sent
    assert not any(name.lower() == b"remote-addr" for name, _ in asked.headers)
    assert asked.id.startswith("req_")
    assert len(asked.id) == 28
    assert asked.id.encode() == answer.get(b"x-shunt-request-id")
    assert asked.arrived_at == T0
    assert asked.local


async def test_the_facts_of_the_body_are_read() -> None:
    """Model, streaming and conversation; bodies that are no requests to a model are not looked into."""
    async with house() as served:
        await served.ask(b"POST", b"/v1/messages", (), STREAMED)
        await served.ask(b"POST", b"/v1/messages", ((b"x-session-id", b"s1"),), MESSAGE)
        await served.ask(b"POST", b"/v1/messages/batches", (), b"not json")
        streamed, session, batch = served.gateway.asked
    assert (streamed.outline.model, streamed.outline.stream) == ("claude-x", True)
    assert streamed.conversation
    assert session.conversation not in ("", streamed.conversation)
    assert (batch.outline, batch.body) == (Outline(), b"not json")


async def test_what_is_asked_of_a_batch_stays_with_it() -> None:
    """Its results and its end are asked of the account that made it; lists and new ones are asked of any."""
    async with house() as served:
        for method, path in (
            (b"GET", b"/msgbatch_1"),
            (b"GET", b"/msgbatch_1/results"),
            (b"POST", b"/msgbatch_1/cancel"),
            (b"GET", b"/msgbatch_2"),
            (b"GET", b""),
        ):
            await served.ask(method, b"/v1/messages/batches" + path, (), b"")
        one, results, end, other, listing = served.gateway.asked
    assert one.conversation == results.conversation == end.conversation
    assert len({one.conversation, other.conversation, listing.conversation, ""}) == 3
    assert [it.outline.chained for it in (one, results, end, other, listing)] == [True] * 4 + [False]


@pytest.mark.parametrize(
    "path", [b"/v1/messages", b"/v1/chat/completions", b"/v1/responses", b"/messages/count_tokens"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[1,2]",
        b"null",
        b"3",
        b'"x"',
        MESSAGE[:-5],
        MESSAGE + b"x",
        b"\xff\xfe{\x00",
        b"[" * 100_000,
        b"{}",
    ],
)
async def test_what_is_not_a_request_goes_nowhere(path: bytes, body: bytes) -> None:
    """Malformed, cut, of another type, absurdly deep: a 400 in the caller's shape."""
    async with house() as served:
        answer = await served.ask(b"POST", path, ((b"content-length", b"%d" % len(body)),), body)
        assert answer.status == 400
        assert b'"message":' in answer.body
        assert not served.gateway.asked


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP"])
async def test_a_compressed_body_passes_as_it_is(encoding: bytes) -> None:
    """It is decoded only to look inside."""
    packed = gzip.compress(STREAMED)
    async with house() as served:
        await served.ask(b"POST", b"/v1/messages", ((b"content-encoding", encoding),), packed)
        asked = served.gateway.asked[0]
    assert asked.body == packed
    assert asked.outline.stream


def test_a_coding_that_cannot_be_read_is_refused() -> None:
    """With 415, for nobody could tell where the request belongs."""
    with pytest.raises(TurnedAway) as refused:
        outline_of(MESSAGES, b"abc", "br", 1000)
    assert refused.value.failure.http_status == 415


def test_a_bomb_is_not_unpacked() -> None:
    """A body counts as large as it unpacks to; what is not packed at all is the client's mistake."""
    with pytest.raises(BodyTooLarge):
        outline_of(MESSAGES, gzip.compress(b" " * 1_000_000 + MESSAGE), "gzip", 100_000)
    with pytest.raises(InvalidRequest):
        outline_of(MESSAGES, MESSAGE, "gzip", 100_000)


async def test_a_large_body_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody else's stream goes on while megabytes are parsed."""
    threads: list[object] = []
    run_sync = trio.to_thread.run_sync

    async def counted(read, **rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202
        threads.append(read)
        return await run_sync(read, **rest)

    monkeypatch.setattr("trio.to_thread.run_sync", counted)
    large = MESSAGE[:-1] + b',"x":"' + b"x" * LARGE + b'"}'
    async with house() as served:
        for body in (MESSAGE, large):
            assert (await served.ask(b"POST", b"/v1/messages", (), body)).body == body
    assert len(threads) == 1


@pytest.mark.parametrize(("text", "wait"), [(b"30s", 30.0), (b"0s", 0.0), (b"1h5m", 3900.0), (b"2", 2.0)])
async def test_a_caller_may_say_which_account_and_how_long(text: bytes, wait: float) -> None:
    """`x-shunt-account` and `x-shunt-wait` are read, whatever the case of their names."""
    async with house() as served:
        headers = ((b"X-Shunt-Account", b"main"), (b"X-SHUNT-WAIT", text))
        await served.ask(b"POST", b"/v1/messages", headers, MESSAGE)
        assert (served.gateway.asked[0].wanted_account, served.gateway.asked[0].wait) == ("main", wait)


async def test_an_account_of_any_name_can_be_asked_for() -> None:
    """As answers name it: percent-encoded where a header cannot hold it."""
    async with house() as served:
        await served.ask(b"POST", b"/v1/messages", ((b"x-shunt-account", worded("my acc ü")),), MESSAGE)
        assert served.gateway.asked[0].wanted_account == "my acc ü"


@pytest.mark.parametrize("text", [b"soon", b"", b"-3s", b"5 parsecs"])
async def test_a_wait_that_is_none_is_refused(text: bytes) -> None:
    """By name, instead of being guessed at."""
    async with house() as served:
        answer = await served.ask(b"POST", b"/v1/messages", ((b"x-shunt-wait", text),), MESSAGE)
        assert answer.status == 400
        assert b"x-shunt-wait" in answer.body


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/v1/models", ""),
        (b"/models", ""),
        (b"/v1/models/claude-x", "claude-x"),
        (b"/models/org/m%3Afree", "org/m:free"),
    ],
)
async def test_models_are_asked_for_by_name_or_all(target: bytes, name: str) -> None:
    """The caller's format is told by its headers."""
    async with house() as served:
        assert (await served.ask(b"GET", target)).status == 200
        assert (await served.ask(b"GET", target, ANTHROPIC)).status == 200
        assert served.gateway.named == [name, name]
        assert [asked.protocol for asked in served.gateway.asked] == [CHAT, MESSAGES]


async def test_two_of_the_same_request_are_two_requests() -> None:
    """A client that asks again while its first answer still runs disturbs nothing."""
    async with house() as served:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(served.ask, b"POST", b"/v1/messages", (), MESSAGE)
        first, second = served.gateway.asked
    assert first.id != second.id
    assert first.conversation == second.conversation
