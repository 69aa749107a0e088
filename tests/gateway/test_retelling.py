from __future__ import annotations

import gzip
import json
from collections.abc import Iterable

import pytest
import trio
from attrs import evolve

from shunt.accounts.account import Account
from shunt.gateway.retelling import LARGE, Retelling, Telling
from shunt.inference.events import Event
from shunt.inference.inbound import Inbound
from shunt.protocols import protocol_named
from shunt.upstream.client import Reply
from shunt.wire import sse
from tests.fakes import anthropic, openai_chat
from tests.fakes.upstream import Answer, End, Framing, Pause, drip
from tests.gateway.rooms import account
from tests.gateway.stages import message, stage


def chat(*, stream: bool) -> Inbound:
    """A Chat request for accounts that speak Messages."""
    body = json.dumps(
        {"model": "claude-sonnet-5-5", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
    ).encode()
    return evolve(
        message(stream=stream),
        protocol="openai-chat",
        path="/v1/chat/completions",
        body=body,
        outline=protocol_named("openai-chat").outline(body),
        headers=((b"content-type", b"application/json"), (b"user-agent", b"a-client/1"), (b"x-odd", b"1")),
    )


def chat_account(name: str, url: str) -> Account:
    """An account that speaks Chat."""
    return evolve(account(name, url), provider="openai-compatible")


def told(body: bytes) -> str:
    """The words of a Chat stream."""
    chunks = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


async def test_a_stream_comes_in_the_clients_words() -> None:
    """A Chat client of a Claude account gets chunks, an end and [DONE]; usage is recorded as ever."""
    async with stage([anthropic.stream("hel", "lo")], "a") as s:
        answered = await s.ask(chat(stream=True))
        assert told(answered.body) == "hello"
        assert answered.body.endswith(b"data: [DONE]\n\n")
        assert s.up.requests[0].path == "/v1/messages"
        assert (s.records[0].outcome, s.records[0].usage.output) == ("served", 5)
        assert (s.records[0].protocol_in, s.records[0].protocol_out) == ("openai-chat", "anthropic-messages")


async def test_a_plain_answer_comes_in_the_clients_words() -> None:
    """The same without a stream."""
    async with stage([anthropic.plain("hello")], "a") as s:
        answered = await s.ask(chat(stream=False))
        assert answered.json["choices"][0]["message"]["content"] == "hello"
        assert answered.json["object"] == "chat.completion"


async def test_foreign_headers_do_not_travel() -> None:
    """What belongs to the client's own protocol is not shown to another vendor."""
    async with stage([anthropic.plain("hello")], "a") as s:
        await s.ask(chat(stream=False))
        sent = s.up.requests[0]
        assert (sent.get(b"user-agent"), sent.get(b"x-odd")) == (b"a-client/1", None)
        assert sent.get(b"anthropic-version") is not None


@pytest.mark.parametrize("ending", [End.RST, End.CUT])
async def test_a_break_is_an_error_in_the_clients_words(ending: End) -> None:
    """A vendor's stream that breaks ends with the client's error, without [DONE]."""
    async with stage([anthropic.cut_stream("par", ending=ending)], "a") as s:
        answered = await s.ask(chat(stream=True))
        assert b'"error"' in answered.body
        assert b"[DONE]" not in answered.body
        assert s.records[0].outcome == "cut"


async def test_a_refusal_comes_in_the_clients_words() -> None:
    """A vendor's 400 keeps its text and takes the client's shape."""
    refusal = anthropic.refusal(400, "invalid_request_error", "max_tokens: too many")
    async with stage([refusal], "a") as s:
        answered = await s.ask(chat(stream=False))
        assert (answered.status, answered.json["error"]["message"]) == (400, "max_tokens: too many")
        assert "type" not in answered.json


async def test_any_cut_of_the_upstreams_bytes_tells_the_same() -> None:
    """One byte at a time or all at once: the client's answer does not depend on the network."""
    whole = b"".join(step for step in anthropic.stream("hé", "llo").steps if isinstance(step, bytes))
    dripped = Answer(200, ((b"content-type", b"text/event-stream"),), tuple(drip(whole)), Framing.CHUNKED)
    async with stage([anthropic.stream("hé", "llo"), dripped], "a") as s:
        first, second = await s.ask(chat(stream=True)), await s.ask(chat(stream=True))
        assert [told(first.body), told(second.body)] == ["héllo", "héllo"]


async def test_silence_in_the_middle_is_bridged() -> None:
    """While a vendor thinks, a translated stream shows its client that it lives."""
    events = [*anthropic.opening_events(), *anthropic.text_events(["hello"]), *anthropic.closing_events()]
    slow = anthropic.events_answer([*events[:3], Pause(0.5), *events[3:]])
    async with stage([slow], "a", every=0.1) as s:
        answered = await s.ask(chat(stream=True))
        assert answered.body.count(b": keep-alive") >= 2
        assert answered.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
async def test_the_other_form_of_the_same_protocol_is_made_good(stream: bool) -> None:
    """A vendor that streams where a whole answer was asked for, or the reverse, is understood."""
    wrong = anthropic.plain("hello") if stream else anthropic.stream("hello")
    async with stage([wrong], "a") as s:
        answered = await s.ask(message(stream=stream))
        assert answered.status == 200
        if stream:
            assert answered.body.startswith(b"event: message_start")
            assert b"event: message_stop" in answered.body
        else:
            assert answered.json["content"][0]["text"] == "hello"
        assert b"hello" in answered.body


async def test_a_client_that_leaves_a_translated_stream_ends_it() -> None:
    """The upstream is closed as soon as the client is gone."""
    endless = anthropic.events_answer(
        [*anthropic.opening_events(), *anthropic.text_events(["x"])[:2], End.NEVER]
    )
    async with stage([endless], "a") as s:
        with trio.move_on_after(0.5):
            await s.ask(chat(stream=True))
        await s.up.requests[0].left.wait()
        assert s.records[0].outcome == "client_gone"


async def test_an_answer_is_dated_though_its_vendor_does_not_say() -> None:
    """Messages answers carry no time; Chat and Responses clients want one."""
    async with stage([anthropic.stream("hello"), anthropic.plain("hello")], "a") as s:
        streaming, plain = chat(stream=True), chat(stream=False)
        answered = await s.ask(streaming)
        first = json.loads(answered.body.split(b"\n")[0][6:])
        assert first["created"] == int(streaming.arrived_at)
        assert (await s.ask(plain)).json["created"] == int(plain.arrived_at)


async def test_what_could_not_be_said_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """In a header where it is known in time, and in the request's log line in any case."""
    document = {
        "model": "claude-sonnet-5-5",
        "stream": False,
        "seed": 3,
        "messages": [{"role": "user", "content": "hi"}],
    }
    asked = evolve(chat(stream=False), body=json.dumps(document).encode())
    answer = anthropic.json_answer({**anthropic.document("hello"), "stop_reason": "from_the_future"})
    with caplog.at_level("INFO", logger="shunt.request"):
        async with stage([answer], "a") as s:
            answered = await s.ask(asked)
            assert answered.header(b"x-shunt-dropped") == "seed, stop_reason"
    (line,) = [record for record in caplog.records if record.message == "request"]
    assert getattr(line, "fields")["dropped"] == ["seed", "stop_reason"]  # noqa: B009 - put there by `extra`


@pytest.mark.parametrize("accounts", [("a",), ("a", "b")])
async def test_what_cannot_be_said_in_full_may_be_refused(accounts: tuple[str, ...]) -> None:
    """Where the owner wants it: the refusal names the field and asks nobody; an account that can say it is preferred."""

    def build(name: str, url: str) -> Account:
        return account(name, url) if name == "a" else chat_account(name, url)

    asked = chat(stream=False)
    body = json.dumps(json.loads(asked.body) | {"seed": 3}).encode()
    outline = protocol_named("openai-chat").outline(body)
    async with stage([openai_chat.plain("hello")], *accounts, build=build, strict=True) as s:
        answered = await s.ask(evolve(asked, body=body, outline=outline))
        if "b" in accounts:
            assert answered.json["choices"][0]["message"]["content"] == "hello"
            assert [request.path for request in s.up.requests] == ["/v1/chat/completions"]
        else:
            assert answered.status == 400
            assert "seed" in answered.json["error"]["message"]
            assert not s.up.requests
    async with stage([anthropic.plain("hello")], "a", strict=True) as s:
        assert (await s.ask(chat(stream=False))).status == 200  # nothing of it is left out


@pytest.mark.parametrize("stream", [False, True])
async def test_what_whoever_answers_could_not_do_is_reported_in_the_clients_words(
    monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """A local program that was asked in the words of the Messages API says what it has no switch for."""
    monkeypatch.setattr(
        Reply, "unsaid", ("stop_sequences", "service_tier", "tools.web_search", "stop_sequences")
    )
    answer = anthropic.stream("hello") if stream else anthropic.plain("hello")
    own = message(stream=stream)
    async with stage([answer, answer], "a") as s:
        for asked, stop in ((chat(stream=stream), "stop"), (own, "stop_sequences")):
            answered = await s.ask(asked)
            assert answered.header(b"x-shunt-dropped") == f"{stop}, service_tier, tools.web_search"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_came_compressed_unasked_is_understood(stream: bool) -> None:
    """It is read without its coding and told in the client's words, without it."""
    plain = anthropic.stream("hel", "lo") if stream else anthropic.plain("hello")
    raw = gzip.compress(b"".join(step for step in plain.steps if isinstance(step, bytes)))
    kind = b"text/event-stream" if stream else b"application/json"
    packed = Answer(
        200, ((b"content-type", kind), (b"content-encoding", b"gzip")), (raw[:20], raw[20:]), Framing.CHUNKED
    )
    async with stage([packed], "a") as s:
        answered = await s.ask(chat(stream=stream))
        assert answered.header(b"content-encoding") is None
        if stream:
            assert told(answered.body) == "hello"
            assert answered.body.endswith(b"data: [DONE]\n\n")
        else:
            assert answered.json["choices"][0]["message"]["content"] == "hello"


async def test_a_coding_that_nobody_here_reads_is_an_error() -> None:
    """Never bytes that the client cannot read."""
    packed = Answer(
        200,
        ((b"content-type", b"application/json"), (b"content-encoding", b"odd")),
        (b"\x00\x01",),
        Framing.CHUNKED,
    )
    async with stage([packed], "a") as s:
        answered = await s.ask(chat(stream=False))
        assert answered.status == 502
        assert "odd" in answered.json["error"]["message"]


async def test_others_go_on_around_a_huge_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it and writing it are steps of their own; and it comes whole."""
    ticks = 0
    steps: list[tuple[int, int]] = []
    read, write = Telling._of, Retelling._encoded

    def reading(self: Telling, raw: Iterable[sse.Event]) -> list[Event]:
        raw = list(raw)
        if any(len(each.raw) > LARGE for each in raw):
            steps.append((0, ticks))
        return read(self, raw)

    def writing(self: Retelling, events: Iterable[Event]) -> bytes:
        out = write(self, events)
        if len(out) > LARGE:
            steps.append((1, ticks))
        return out

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await trio.lowlevel.checkpoint()

    monkeypatch.setattr(Telling, "_of", reading)
    monkeypatch.setattr(Retelling, "_encoded", writing)
    words = "x" * (LARGE + 1000)
    async with stage([anthropic.stream(words)], "a") as s, trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        answered = await s.ask(chat(stream=True))
        nursery.cancel_scope.cancel()
    assert told(answered.body) == words
    (first, read_at), (second, written_at) = steps
    assert (first, second) == (0, 1)
    assert written_at > read_at
