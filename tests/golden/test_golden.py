"""Golden cases: what a vendor says or a client asks, and what has to come of it in every other protocol.

Each file of tests/golden/<protocol>/ holds one case, named for what it shows: `promise` in words, the input in
that protocol's own (`stream`, `answer` or `request`), and what is expected of each target. Expectations are
written by hand from the protocols' rules. They name what matters: an object must hold the fields named, a list
must be as long and hold its elements in order. `"$any"` stands for any value, `"$absent"` for a field that must
not be there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from shunt.errors import InvalidRequest
from shunt.inference.collect import collect
from shunt.inference.envelope import stamped, stamped_answer
from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.names import MESSAGES_LONGEST, fitted
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer
from shunt.models.rules import rules_for
from shunt.protocols import codec_named, protocol_named
from shunt.protocols.codec import StreamDecoder, Target
from shunt.wire import json, sse
from tests.protocols.anthropic_messages.client import Client as MessagesClient
from tests.protocols.openai_chat.sdk import SDK as ChatSDK  # noqa: N811 - one of three
from tests.protocols.openai_responses import client as responses

FOLDER: Final = Path(__file__).parent
ANY, ABSENT = "$any", "$absent"
MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
TARGETS: Final = {
    MESSAGES: {"vendor": "anthropic", "model": "claude-sonnet-4-5"},
    CHAT: {"vendor": "compatible", "model": "llama3"},
    RESPONSES: {"vendor": "openai", "model": "gpt-5.1"},
}
ASK: Final[dict[str, dict[str, Any]]] = {
    MESSAGES: {"model": "asked", "max_tokens": 99, "messages": [{"role": "user", "content": "hi"}]},
    CHAT: {
        "model": "asked",
        "messages": [{"role": "user", "content": "hi"}],
        "stream_options": {"include_usage": True},
    },
    RESPONSES: {"model": "asked", "input": "hi"},
}
CASES: Final = sorted(FOLDER.glob("*/*.json"))


def loaded(path: Path) -> dict[str, Any]:
    case = json.value(path.read_bytes())
    assert isinstance(case, dict), f"{path.name} is not JSON"
    assert case["promise"].endswith(".")
    return case


def named(case: Path) -> str:
    return f"{case.parent.name}/{case.stem}"


def differences(expected: Any, found: Any, place: str = "") -> list[str]:
    """Where what was found is not what was expected, in words."""
    if expected == ANY:
        return [] if found is not None else [f"{place}: nothing"]
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{place}: {found!r} instead of an object"]
        wrong = [f"{place}.{key}: there" for key in expected if expected[key] == ABSENT and key in found]
        for key, value in expected.items():
            if value != ABSENT:
                wrong += differences(value, found.get(key), f"{place}.{key}")
        return wrong
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return [f"{place}: {found!r} instead of {len(expected)} elements"]
        pairs = enumerate(zip(expected, found, strict=True))
        return [line for n, (one, other) in pairs for line in differences(one, other, f"{place}[{n}]")]
    return [] if expected == found else [f"{place}: {found!r} instead of {expected!r}"]


# ── answers ───────────────────────────────────────────────────────────────────────────────────────


def asked(case: dict[str, Any], protocol: str) -> GenerateRequest:
    """The client's request that the answer is for."""
    return codec_named(protocol).decode_request(ASK[protocol] | case.get("ask", {}).get(protocol, {}))


def named_for_the_vendor(case: dict[str, Any], protocol: str) -> dict[str, Any]:
    """The case with the name that the vendor was given for the client's tool, where it is about that."""
    if "fitted" not in case:
        return case
    request = fitted(asked(case, protocol), MESSAGES_LONGEST)
    name = next(tool.name for tool in request.tools if isinstance(tool, Tool))
    assert name != case["fitted"]
    written = json.encode(case).replace(b'"$fitted"', json.encode(name))
    changed = json.value(written)
    assert isinstance(changed, dict)
    return changed


def raw_events(case: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [
        ("", event.encode()) if isinstance(event, str) else (event.get("type", ""), json.encode(event))
        for event in case["stream"]
    ]


def told(case: dict[str, Any], source: str, target: str) -> bytes:
    """The client's stream for the vendor's."""
    decoder: StreamDecoder = codec_named(source).stream_decoder()
    encoder = codec_named(target).stream_encoder(asked(case, target), "req_1")
    events = [event for name, data in raw_events(case) for event in decoder.feed(name, data)]
    events += decoder.close()
    return b"".join(encoder.feed(stamped(event, "vendor", "acc")) for event in events)


def understood(raw: bytes, target: str) -> dict[str, Any]:
    """What the protocol's strict reader makes of a stream, and its official helper, which must not fail."""
    if target == MESSAGES:
        client = MessagesClient().read(raw)
        if client.error is not None:
            return {"error": client.error}
        assert client.stopped
        return {
            "content": client.blocks,
            **client.delta,
            "usage": client.usage,
            "model": client.message["model"],
        }
    if target == RESPONSES:
        responses.helper(raw)
        return responses.read(raw).response
    chunks = [json.value(e.data) for e in sse.Decoder().feed(raw) if e.data not in (None, b"[DONE]")]
    if "error" in chunks[-1]:
        assert b"[DONE]" not in raw
        assert not any(choice["finish_reason"] for chunk in chunks[:-1] for choice in chunk["choices"])
        return {"error": chunks[-1]["error"]}
    assert raw.endswith(b"data: [DONE]\n\n")
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    final = ChatSDK().final(raw).to_dict()
    choice = final["choices"][0]
    usage = next((chunk["usage"] for chunk in chunks if not chunk["choices"]), None)
    # The chunk with the role has empty content, which adds up to no words.
    message = choice["message"] | {"content": choice["message"]["content"] or None}
    return {"message": message, "finish_reason": choice["finish_reason"], "usage": usage}


STREAMS: Final = [
    pytest.param(path, target, id=f"{named(path)} → {target}")
    for path in CASES
    if "stream" in (case := loaded(path))
    for target in case["expect"]
]


@pytest.mark.parametrize(("path", "target"), STREAMS)
def test_a_vendors_stream_in_every_clients_words(path: Path, target: str) -> None:
    """Its own promise is in the file; the reader of the target's grammar and the official helper accept all."""
    case = named_for_the_vendor(loaded(path), target)
    found = understood(told(case, path.parent.name, target), target)
    assert not differences(case["expect"][target], found), case["promise"]


@pytest.mark.parametrize(("path", "target"), STREAMS)
def test_a_vendors_stream_for_a_client_that_asked_for_a_plain_answer(path: Path, target: str) -> None:
    """Gathered and told in one piece, it has to meet the same expectation (or `plain`, where they differ)."""
    case = named_for_the_vendor(loaded(path), target)
    decoder: StreamDecoder = codec_named(path.parent.name).stream_decoder()
    events = [event for name, data in raw_events(case) for event in decoder.feed(name, data)]
    gathered = collect([stamped(event, "vendor", "acc") for event in (*events, *decoder.close())])
    expected = case.get("plain", {}).get(target) or case["expect"][target]
    if isinstance(gathered, Failure):
        told_as = json.value(protocol_named(target).encode_error(gathered).body)
        assert not differences(expected["error"], told_as["error"]), case["promise"]
        return
    assert not differences(expected, plainly(gathered, case, target)), case["promise"]


def plainly(answer: Answer, case: dict[str, Any], target: str) -> dict[str, Any]:
    """A whole answer as a client gets it, in the shape of the expectations."""
    document = codec_named(target).encode_answer(answer, asked(case, target), "req_1").document
    if target != CHAT:
        return document
    choice = document["choices"][0]
    return {
        "message": choice["message"],
        "finish_reason": choice["finish_reason"],
        "usage": document["usage"],
    }


@pytest.mark.parametrize("path", [path for path in CASES if "stream" in loaded(path)], ids=named)
def test_the_cut_of_the_bytes_changes_nothing(path: Path) -> None:
    """Whole, byte by byte or in pieces of any size, a vendor's stream gives the same events."""
    raw = b"".join(sse.encode(name, data) for name, data in raw_events(loaded(path)))

    def events(size: int) -> list[Event]:
        cut, decoder = sse.Decoder(), codec_named(path.parent.name).stream_decoder()
        found: list[Event] = []
        for at in range(0, len(raw), size):
            for each in cut.feed(raw[at : at + size]):
                found += decoder.feed(each.name, each.data or b"")
        return [*found, *decoder.close()]

    whole = events(len(raw))
    assert all(events(size) == whole for size in (1, 2, 7, 64, 1000))


PLAIN: Final = [
    pytest.param(path, target, id=f"{named(path)} → {target}")
    for path in CASES
    if "answer" in (case := loaded(path))
    for target in case["expect"]
]


@pytest.mark.parametrize(("path", "target"), PLAIN)
def test_a_vendors_whole_answer_in_every_clients_words(path: Path, target: str) -> None:
    """The same for answers that come in one piece."""
    case = loaded(path)
    answer = codec_named(path.parent.name).decode_answer(case["answer"])
    found = plainly(stamped_answer(answer, "vendor", "acc"), case, target)
    assert not differences(case["expect"][target], found), case["promise"]


# ── requests ──────────────────────────────────────────────────────────────────────────────────────


def target_of(case: dict[str, Any], protocol: str) -> Target:
    facts = TARGETS[protocol] | case.get("targets", {}).get(protocol, {})
    vendor, model = facts["vendor"], facts["model"]
    return Target(model, rules_for(model, vendor), vendor, facts.get("origin", vendor), "acc")


REQUESTS: Final = [
    pytest.param(path, target, id=f"{named(path)} → {target}")
    for path in CASES
    if "request" in (case := loaded(path))
    for target in case["expect"]
]


@pytest.mark.parametrize(("path", "target"), REQUESTS)
def test_a_clients_request_in_every_vendors_words(path: Path, target: str) -> None:
    """What is asked for, what is reported as left out, or why it is refused."""
    case = loaded(path)
    expected = case["expect"][target]
    codec = codec_named(path.parent.name)
    if "refused" in expected:
        with pytest.raises(InvalidRequest) as refused:
            codec_named(target).encode_request(codec.decode_request(case["request"]), target_of(case, target))
        assert expected["refused"] in str(refused.value), case["promise"]
        assert expected.get("code", "") == refused.value.code
        return
    encoded = codec_named(target).encode_request(
        codec.decode_request(case["request"]), target_of(case, target)
    )
    assert not differences(expected["body"], encoded.document), case["promise"]
    if "dropped" in expected:
        assert list(encoded.dropped) == expected["dropped"], case["promise"]


def test_every_protocol_has_cases_of_every_kind() -> None:
    """The folder is found, and no file is left unread."""
    assert {path.parent.name for path in CASES} == {MESSAGES, CHAT, RESPONSES}
    assert len(STREAMS) + len(PLAIN) + len(REQUESTS) > 200
    assert all({"stream", "answer", "request"} & loaded(path).keys() for path in CASES)
