"""The front door at a real socket: what it turns away, in whose words, and what it closes behind a call."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.config.clients import ClientConfig
from shunt.config.limits import LimitsConfig
from shunt.config.types import Config, ServerConfig
from shunt.errors import NoAccounts
from shunt.gateway.delivery import Delivery
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound
from shunt.server.app import create_app
from shunt.server.asgi import AT_HAND
from shunt.server.bounds import Bounds
from shunt.server.guard import own_names
from shunt.wire import json
from tests.fakes.client import RawResponse
from tests.fakes.gateway import MESSAGE, SSE, STREAMED, Chunks, Setting, answering, echo, house, streaming

MESSAGES, CHAT, RESPONSES = b"/v1/messages", b"/v1/chat/completions", b"/v1/responses"
SMALL = ServerConfig(max_body_mb=0.01)


def shape(answer: RawResponse) -> str:
    """Whose error it is."""
    document = json.value(answer.body)
    assert document["error"]["message"]
    assert answer.get(b"x-shunt-request-id")
    if document.get("type") == "error":
        return "messages"
    return "openai" if "param" in document["error"] else "control"


# ── what is turned away ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        (MESSAGES, "messages"),
        (b"/messages", "messages"),
        (b"/v1/messages/count_tokens", "messages"),
        (CHAT, "openai"),
        (b"/chat/completions", "openai"),
        (RESPONSES, "openai"),
        (b"/v1/nothing", "openai"),
        (b"/use", "control"),
        (b"/nothing", "control"),
    ],
)
async def test_every_refusal_is_in_the_caller_s_shape(path: bytes, whose: str) -> None:
    """Whichever check it fails, the caller reads an error of its own protocol with a request id."""
    foreign = (b"origin", b"https://evil.example")
    async with house(server=SMALL) as served:
        answers = [
            await served.ask(b"POST", path, ((b"host", b"evil.example"),), b"{}"),
            await served.ask(b"POST", path, (foreign,), b"{}"),
            await served.ask(b"PATCH", path),
        ]
        if not path.endswith(b"nothing"):
            answers.append(await served.ask(b"POST", path, (), b"x" * 100_000))
        assert [answer.status for answer in answers] in ([421, 403, 405, 413], [421, 403, 404])
        assert {shape(answer) for answer in answers} == {whose}
        assert not served.gateway.asked


@pytest.mark.parametrize(
    "target", [b"/v1/../use", b"//v1/messages", b"/v1%2fmessages", b"*", b"http://evil.example/", b"/%00"]
)
async def test_odd_targets_go_nowhere(target: bytes) -> None:
    """A 400, and nothing reaches the gateway or a control route."""
    async with house() as served:
        assert (await served.ask(b"POST", target, (), MESSAGE)).status == 400
        assert not served.gateway.asked


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        (b"GET", MESSAGES, 405, b"POST"),
        (b"OPTIONS", MESSAGES, 405, b"POST"),
        (b"POST", b"/status", 405, b"GET, HEAD"),
        (b"get", b"/status", 405, b"GET, HEAD, POST, PUT, DELETE"),
        (b"TRACE", b"/", 405, b"GET, HEAD, POST, PUT, DELETE"),
        (b"DELETE", b"/api/web/domain_info", 405, b"GET"),
        (b"HEAD", b"/status", 200, None),
    ],
)
async def test_a_method_that_is_not_taken_is_told_which_are(
    method: bytes, path: bytes, status: int, allow: bytes | None
) -> None:
    """405 with `Allow`, also for calls that a provider's allow-list names; HEAD goes with GET."""
    async with house() as served:
        answer = await served.ask(method, path)
        assert (answer.status, answer.get(b"allow")) == (status, allow)
        assert answer.get(b"access-control-allow-origin") is None


@pytest.mark.parametrize(
    ("path", "upgrade", "status"),
    [
        (RESPONSES, b"websocket", 426),
        (b"/responses", b"websocket", 426),
        (MESSAGES, b"websocket", 405),
        (b"/status", b"websocket", 200),
        (b"/status", b"h2c", 200),
        (b"/nothing", b"websocket", 404),
    ],
)
async def test_upgrades_are_refused_where_codex_asks_and_ignored_elsewhere(
    path: bytes, upgrade: bytes, status: int
) -> None:
    """Codex falls back to HTTP at once at a 426; to everybody else an upgrade is a wish."""
    wish = ((b"connection", b"Upgrade"), (b"upgrade", upgrade))
    async with house() as served:
        answer = await served.ask(b"GET", path, wish)
        assert answer.status == status
        if status == 426:
            assert answer.get(b"upgrade") == b"HTTP/1.1"


@pytest.mark.parametrize("value", ["caf\u00e9".encode(), b"\xff\xfe", b"a\x01b", b"\x7f"])
async def test_header_values_beyond_ascii_are_refused(value: bytes) -> None:
    """They would be read differently by different programs on the way; the header is named."""
    async with house() as served:
        answer = await served.ask(b"POST", MESSAGES, ((b"X-Odd", value),), MESSAGE)
        assert answer.status == 400
        assert b"X-Odd" in answer.body
        assert not served.gateway.asked


async def test_the_host_may_be_any_of_our_names() -> None:
    """Loopback names, configured names, and the bind host if it is a name."""
    server = ServerConfig(host="box.lan", allowed_hosts=("shunt.example.com",))
    assert own_names(server) == {"box.lan", "shunt.example.com"}
    assert own_names(ServerConfig(host="0.0.0.0")) == frozenset()
    assert own_names(ServerConfig(host="::")) == own_names(ServerConfig()) == frozenset()
    async with house(server=ServerConfig(allowed_hosts=("shunt.example.com",))) as served:
        for host, status in (
            (b"localhost:%d" % served.server.port, 200),
            (b"shunt.example.com", 401),
            (b"x.example", 421),
        ):
            assert (await served.ask(b"POST", MESSAGES, ((b"host", host),), MESSAGE)).status == status


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────

CLIENT = ClientConfig("laptop", sha256(b"laptop-key-5678").hexdigest(), ("work",))


async def test_the_key_is_asked_for_before_anything_else_is_done() -> None:
    """No body is read, no route is looked up, and the gateway learns who called."""
    async with house(config=Config(server=SMALL, clients=(CLIENT,))) as served:
        for path in (MESSAGES, CHAT, b"/v1/nothing"):
            answer = await served.ask(b"POST", path, (), b"x" * 100_000)
            assert (answer.status, answer.get(b"connection")) == (401, b"close")
        assert (await served.ask(b"POST", MESSAGES, ((b"x-api-key", b"wrong"),), MESSAGE)).status == 401
        assert not served.gateway.asked
        key = ((b"authorization", b"Bearer laptop-key-5678"),)
        assert (await served.ask(b"POST", MESSAGES, key, MESSAGE)).status == 200
        assert (served.gateway.asked[0].client, served.gateway.asked[0].pools) == (
            "laptop",
            frozenset({"work"}),
        )
        assert (await served.ask(b"GET", b"/health")).status == 200


async def test_a_tunnel_s_callers_are_not_local() -> None:
    """Without a key they get nothing, whatever address they seem to have."""
    forwarded = ((b"x-forwarded-for", b"203.0.113.9"),)
    async with house() as served:
        assert (await served.ask(b"GET", b"/status", forwarded)).status == 401
        assert (await served.ask(b"POST", MESSAGES, forwarded, MESSAGE)).status == 401
        assert (await served.ask(b"GET", b"/status", ((b"x-forwarded-for", b"127.0.0.1"),))).status == 200


# ── bodies ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [MESSAGES, CHAT, RESPONSES])
async def test_a_body_too_large_is_refused_before_it_is_read(path: bytes) -> None:
    """With a length and in chunks; the client can read the answer although it is still sending."""
    size = 3_000_000
    chunked = ((b"transfer-encoding", b"chunked"), (b"content-type", b"application/json"))
    async with house(server=SMALL) as served:
        for headers, body in (((), b"x" * size), (chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"x" * size))):
            async with served.client() as client:
                await client.send(served.request(b"POST", path, headers, body))
                answer = await client.response()
                assert (answer.status, answer.get(b"connection")) == (413, b"close")
                with trio.fail_after(3):
                    assert await client.read_to_end() == b""
        assert not served.gateway.asked


async def test_a_refusal_goes_on_receiving_until_it_is_sent() -> None:
    """A client may read its answer only after all of its body was taken from it."""
    door = create_app(Setting().parts())
    taken, sent = [0], [0]
    enough = trio.Event()

    async def receive() -> Any:
        taken[0] += 1
        if taken[0] == 20:
            enough.set()
        await trio.lowlevel.checkpoint()
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(event: Any) -> None:
        sent[0] += 1
        await enough.wait()

    scope: Any = {
        "type": "http",
        "method": "POST",
        "raw_path": b"/v1/messages",
        "query_string": b"",
        "headers": [(b"host", b"evil.example"), (b"content-length", b"1000")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "extensions": {AT_HAND: lambda: None},
    }
    with trio.fail_after(1):
        await door(scope, receive, send)
    assert sent[0] == 2


async def test_control_routes_take_only_small_bodies() -> None:
    """Nobody has 64 MiB to say to them."""
    async with house() as served:
        assert (await served.ask(b"POST", b"/use", (), b'{"account":"%s"}' % (b"x" * 70_000))).status == 413


async def test_a_slow_body_gets_a_408(clock: MockClock) -> None:
    """In the caller's shape; no account was touched."""
    async with house() as served, served.client() as client:
        await client.send(served.request(b"POST", MESSAGES, ((b"content-length", b"1000"),)) + b"{")
        answer = await client.response()
        assert (answer.status, shape(answer)) == (408, "messages")
        assert not served.gateway.asked


async def test_large_bodies_have_one_memory_in_common() -> None:
    """What finds no room is told to come again, and finds it when the others have ended."""
    proceed = trio.Event()

    async def slow(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        await proceed.wait()
        return await echo(inbound, lifetime)

    megabyte = MESSAGE[:-1] + b',"x":"%s"}' % (b"x" * 1_000_000)
    async with house(slow, ServerConfig(max_body_mb=256)) as served:
        statuses: list[int] = []

        async def one() -> None:
            statuses.append((await served.ask(b"POST", MESSAGES, (), megabyte)).status)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(one)
            await until(lambda: len(served.gateway.asked) == 3)
            large = ((b"content-length", b"%d" % (200 * 2**20)),)
            async with served.client() as first, served.client() as second, served.client() as third:
                for client in (first, second):
                    await client.send(served.request(b"POST", MESSAGES, large))
                await trio.sleep(0.05)
                await third.send(served.request(b"POST", MESSAGES, large))
                answer = await third.response()
                assert (answer.status, answer.get(b"retry-after")) == (503, b"5")
            proceed.set()
        assert statuses == [200] * 3


async def until(what: Callable[[], bool]) -> None:
    """Wait for something that raises no event."""
    with trio.fail_after(5):
        while not what():  # noqa: ASYNC110 - as said
            await trio.sleep(0.01)


# ── failures and endings ──────────────────────────────────────────────────────────────────────────


async def test_an_error_of_ours_is_an_answer_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """500 in the caller's shape, naming the request; the details are for the log alone."""

    async with house(answering(ValueError("something secret"))) as served:
        answer = await served.ask(b"POST", MESSAGES, (), MESSAGE)
        assert (answer.status, shape(answer)) == (500, "messages")
        assert b"secret" not in answer.body
        request_id = (answer.get(b"x-shunt-request-id") or b"").decode()
        assert request_id in answer.body.decode()
        assert request_id in caplog.text
        assert "something secret" in caplog.text
        assert (await served.ask(b"GET", b"/health")).status == 200


async def test_a_task_of_a_request_that_fails_ends_that_request_only() -> None:
    """Its nursery is its own (P9): a 500, and everything else goes on."""

    async def crash() -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("in the background")

    async def failing(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        lifetime.nursery.start_soon(crash)
        await trio.sleep_forever()
        raise AssertionError

    async with house(failing) as served:
        assert (await served.ask(b"POST", MESSAGES, (), MESSAGE)).status == 500
        assert (await served.ask(b"GET", b"/health")).status == 200


async def test_an_error_that_is_foreseen_keeps_its_words() -> None:
    """Also when it comes out of a handler."""

    async with house(answering(NoAccounts("no account is configured"))) as served:
        answer = await served.ask(b"POST", CHAT, (), MESSAGE)
        assert (answer.status, shape(answer)) == (503, "openai")
        assert b"no account is configured" in answer.body


class Opened:
    """Something opened for a request, and a body that may never be begun."""

    def __init__(self) -> None:
        self.closed = trio.Event()
        self.ended = trio.Event()
        self.opened = trio.Event()
        self.before_first = trio.Event()

    async def close(self) -> None:
        await trio.lowlevel.checkpoint()
        self.closed.set()

    async def pump(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            assert not self.closed.is_set()  # nothing is closed under a running task
            self.ended.set()

    async def answer(self, inbound: Inbound, lifetime: Lifetime) -> Delivery:
        lifetime.defer(self.close)
        lifetime.nursery.start_soon(self.pump)
        self.opened.set()
        if inbound.outline.stream:
            return Delivery(200, SSE, Chunks(iter([b"data: 1\n\n", trio.Event()])))
        await trio.sleep_forever()
        raise AssertionError


@pytest.mark.parametrize("body", [MESSAGE, STREAMED])
async def test_what_a_request_opened_is_closed_when_its_client_leaves(body: bytes) -> None:
    """Within a second (P5): before the answer as in the middle of it, tasks first, then closers."""
    opened = Opened()
    async with house(opened.answer) as served:
        async with served.client() as client:
            await client.send(served.request(b"POST", MESSAGES, (), body))
            await opened.opened.wait()
            if body is STREAMED:
                await (await client.begin()).piece()
        with trio.fail_after(1):
            await opened.ended.wait()
            await opened.closed.wait()


async def test_a_body_that_was_never_begun_leaks_nothing() -> None:
    """The client left between the answer and its first byte: closers run all the same (P5)."""
    opened = Opened()
    left = trio.Event()

    async def answer(inbound: Inbound, lifetime: Lifetime) -> Delivery:
        delivery = await opened.answer(inbound, lifetime)
        with trio.CancelScope(shield=True):  # the cancellation meets the first await after this
            await left.wait()
        return delivery

    async with house(answer) as served:
        async with served.client() as client:
            await client.send(served.request(b"POST", MESSAGES, (), STREAMED))
            await opened.opened.wait()
        await trio.sleep(0.05)
        left.set()
        with trio.fail_after(1):
            await opened.closed.wait()


# ── the end of the server ─────────────────────────────────────────────────────────────────────────

BRIEF = evolve(Bounds(), drain=5.0, cut=3.0)
PING = b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize(
    ("path", "event"), [(MESSAGES, b"event: error\n"), (CHAT, b'"error"'), (RESPONSES, b"response.failed")]
)
async def test_a_stream_that_is_cut_at_shutdown_says_so(clock: MockClock, path: bytes, event: bytes) -> None:
    """After the time to drain it ends with its protocol's error event, properly framed."""
    async with house(streaming(PING, 1.0, over=False), bounds=BRIEF) as served, served.client() as client:
        await client.send(served.request(b"POST", path, (), STREAMED))
        stream = await client.begin()
        await stream.piece()
        served.server.shutdown.set()
        answer = await stream.rest()
        assert answer.complete
        assert event in answer.body
        assert b"shutting down" in answer.body
        await served.server.ended.wait()


async def test_a_request_without_an_answer_is_told_so_at_shutdown(clock: MockClock) -> None:
    """503 in its shape, when its time is over."""
    opened = Opened()
    async with house(opened.answer, bounds=BRIEF) as served, served.client() as client:
        await client.send(served.request(b"POST", MESSAGES, (), MESSAGE))
        await opened.opened.wait()
        served.server.shutdown.set()
        answer = await client.response()
        assert (answer.status, shape(answer), answer.get(b"connection")) == (503, "messages", b"close")
        assert opened.closed.is_set()
        await served.server.ended.wait()


async def test_a_new_request_during_shutdown_is_refused(clock: MockClock) -> None:
    """On a connection that was in the middle of its head; the answer ends the connection."""
    async with house(bounds=BRIEF) as served, served.client() as client:
        raw = served.request(b"POST", MESSAGES, (), MESSAGE)
        await client.send(raw[:20])
        await trio.sleep(0.1)
        served.server.shutdown.set()
        await trio.sleep(0.1)
        await client.send(raw[20:])
        answer = await client.response()
        assert (answer.status, answer.get(b"connection")) == (503, b"close")
        assert not served.gateway.asked
        await served.server.ended.wait()


# ── keys that are taken back, and shares ──────────────────────────────────────────────────────────

LAPTOP = (b"x-api-key", b"laptop-key-5678")
DESK = (b"x-api-key", b"desk-key-5678901")
KEYED = Config(
    clients=(
        ClientConfig("laptop", sha256(LAPTOP[1]).hexdigest()),
        ClientConfig("desk", sha256(DESK[1]).hexdigest()),
    )
)


@pytest.mark.parametrize(
    ("path", "event"), [(MESSAGES, b"event: error\n"), (CHAT, b'"error"'), (RESPONSES, b"response.failed")]
)
async def test_a_withdrawn_key_ends_its_own_streams(path: bytes, event: bytes) -> None:
    """At once, with the protocol's error event; the streams of other keys go on."""
    async with (
        house(streaming(PING, 0.02, over=False), config=KEYED) as served,
        served.client() as gone,
        served.client() as staying,
    ):
        await gone.send(served.request(b"POST", path, (LAPTOP,), STREAMED))
        await staying.send(served.request(b"POST", path, (DESK,), STREAMED))
        stream, other = await gone.begin(), await staying.begin()
        await stream.piece()
        served.setting.access.configure(evolve(KEYED, clients=KEYED.clients[1:]))
        with trio.fail_after(5):
            answer = await stream.rest()
            assert await other.piece()
            assert await other.piece()
        assert answer.complete
        assert event in answer.body
        assert b"withdrawn" in answer.body
        assert served.setting.tally.counts == {"withdrawn": 1}


async def test_one_client_may_be_held_to_a_number_of_requests() -> None:
    """The next one is told so with a 429; another client is served, and so is the first one later."""
    config = evolve(KEYED, limits=LimitsConfig(requests_per_client=1))
    opened = Opened()
    async with house(opened.answer, config=config) as served:
        async with served.client() as client:
            await client.send(served.request(b"POST", MESSAGES, (LAPTOP,), STREAMED))
            await opened.opened.wait()
            served.gateway.answer = echo
            refused = await served.ask(b"POST", MESSAGES, (LAPTOP,), MESSAGE)
            assert (refused.status, refused.get(b"retry-after"), shape(refused)) == (429, b"5", "messages")
            assert (await served.ask(b"POST", MESSAGES, (DESK,), MESSAGE)).status == 200
        await opened.closed.wait()
        assert (await served.ask(b"POST", MESSAGES, (LAPTOP,), MESSAGE)).status == 200
        assert served.setting.tally.counts == {"requests_per_client": 1}


async def test_a_request_that_never_ends_is_ended(clock: MockClock) -> None:
    """After the hours of the configuration, with the protocol's error event."""
    config = Config(limits=LimitsConfig(request_hours=0.01))
    async with house(streaming(PING, 5.0, over=False), config=config) as served, served.client() as client:
        await client.send(served.request(b"POST", MESSAGES, (), STREAMED))
        answer = await client.response()
        assert answer.complete
        assert b"event: error" in answer.body
        assert b"request_hours" in answer.body
        assert served.setting.tally.counts == {"request_time": 1}


async def test_what_is_refused_is_counted() -> None:
    """Each kind under its name, as /status shows it."""
    async with house(server=SMALL) as served:
        await served.ask(b"POST", MESSAGES, ((b"host", b"evil.example"),), b"{}")
        await served.ask(b"POST", MESSAGES, ((b"origin", b"https://evil.example"),), b"{}")
        await served.ask(b"POST", b"//x", (), b"{}")
        await served.ask(b"POST", MESSAGES, (), b"x" * 100_000)
        status = json.value((await served.ask(b"GET", b"/status")).body)
        assert status["refusals"] == {"body_size": 1, "host": 1, "origin": 1, "target": 1}
