"""Fields that say what something is, or whose, filled with what is no word: nobody may stumble over them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import pytest

from shunt.errors import InvalidRequest, UpstreamUnexpected
from shunt.models.rules import rules_for
from shunt.protocols import codec_named, protocol_named
from shunt.protocols.codec import Target
from shunt.wire import json

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
SPOKEN: Final = (MESSAGES, CHAT, RESPONSES)
ODD: Final[tuple[Any, ...]] = (None, 7, [], {}, [None], [{}], {"type": []}, True, "", "new to us")
WORDS: Final = frozenset(
    [
        "type",
        "role",
        "name",
        "id",
        "call_id",
        "item_id",
        "tool_use_id",
        "tool_call_id",
        "effort",
        "mode",
        "finish_reason",
        "stop_reason",
        "reason",
        "status",
        "index",
        "output_index",
        "service_tier",
        "code",
        "content",
        "tool_choice",
        "media_type",
        "stop",
        "phase",
        "detail",
        "url",
        "input",
        "include",
        "param",
        "message",
        "error",
        "object",
        "model",
        "verbosity",
        "ttl",
        "namespace",
        "summary",
    ]
)
TARGETS: Final = (
    (MESSAGES, "claude-sonnet-4-5", "anthropic"),
    (CHAT, "gpt-5.1", "openai"),
    (CHAT, "llama3", "compatible"),
    (RESPONSES, "gpt-5.1", "openai"),
    (RESPONSES, "gpt-5.1-codex", "codex"),
)
PIXEL: Final = "iVBORw0KGgo="
REQUESTS: Final[dict[str, list[dict[str, Any]]]] = {
    MESSAGES: [
        {
            "model": "m",
            "max_tokens": 9,
            "service_tier": "auto",
            "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "5m"}}],
            "tools": [
                {"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
                {"type": "web_search_20250305", "name": "web_search"},
            ],
            "tool_choice": {"type": "tool", "name": "f"},
            "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
                        },
                        {"type": "document", "source": {"type": "text", "data": "x"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "t", "signature": "s"},
                        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
                        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
                        {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t1",
                            "content": [{"type": "text", "text": "x"}],
                        }
                    ],
                },
            ],
        }
    ],
    CHAT: [
        {
            "model": "m",
            "service_tier": "auto",
            "stop": ["x"],
            "verbosity": "low",
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
                {
                    "type": "custom",
                    "custom": {"name": "c", "format": {"type": "grammar", "grammar": {"syntax": "lark"}}},
                },
            ],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "name": "me", "content": [{"type": "text", "text": "hi"}]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image_url",
                            "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"},
                        }
                    ],
                },
                {
                    "role": "assistant",
                    "content": [{"type": "thinking", "thinking": "t", "signature": "s"}],
                    "reasoning_details": [{"type": "reasoning.text", "text": "t", "id": "r", "index": 0}],
                    "tool_calls": [
                        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                        {"id": "t2", "type": "custom", "custom": {"name": "c", "input": "x"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "t1", "content": [{"type": "text", "text": "x"}]},
                {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
                {"role": "function", "name": "f", "content": "x"},
            ],
        },
        {
            "model": "m",
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
            "input": [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"},
                {"type": "function_call", "id": "i", "call_id": "t1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "t1", "output": "x"},
            ],
        },
    ],
    RESPONSES: [
        {
            "model": "m",
            "service_tier": "auto",
            "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "high", "summary": "auto", "mode": "x"},
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object"}},
                {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "lark"}},
                {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
                {"type": "web_search"},
                {"type": "local_shell"},
            ],
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}],
            },
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
                {"type": "message", "role": "developer", "content": "d", "phase": "x"},
                {
                    "type": "message",
                    "role": "user",
                    "content": [
                        {
                            "type": "input_image",
                            "image_url": f"data:image/png;base64,{PIXEL}",
                            "detail": "low",
                        }
                    ],
                },
                {
                    "type": "reasoning",
                    "id": "r",
                    "summary": [{"type": "summary_text", "text": "t"}],
                    "encrypted_content": "x",
                },
                {
                    "type": "web_search_call",
                    "id": "w",
                    "status": "completed",
                    "action": {"type": "search", "query": "q"},
                },
                {
                    "type": "function_call",
                    "id": "i",
                    "call_id": "t1",
                    "name": "g",
                    "namespace": "n",
                    "arguments": "{}",
                },
                {
                    "type": "function_call_output",
                    "call_id": "t1",
                    "output": [{"type": "input_text", "text": "x"}],
                },
                {"type": "custom_tool_call", "id": "j", "call_id": "t2", "name": "c", "input": "x"},
                {"type": "custom_tool_call_output", "call_id": "t2", "output": "x"},
                {
                    "type": "local_shell_call",
                    "id": "k",
                    "call_id": "t3",
                    "status": "completed",
                    "action": {"type": "exec", "command": ["ls"]},
                },
                {"type": "local_shell_call_output", "id": "k", "call_id": "t3", "output": "x"},
                {"type": "mcp_call", "id": "p", "name": "x", "server_label": "l", "arguments": "{}"},
            ],
        }
    ],
}
USE: Final = {"prompt_tokens": 1, "completion_tokens": 1}
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    MESSAGES: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {
                "type": "text",
                "text": "x",
                "citations": [{"type": "char_location", "cited_text": "c", "url": "u"}],
            },
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s1",
                "content": [{"type": "web_search_result", "url": "u"}],
            },
            {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "standard"},
    },
    CHAT: {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "service_tier": "default",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant",
                    "content": "x",
                    "reasoning_details": [{"type": "reasoning.text", "text": "t", "id": "r", "index": 0}],
                    "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}],
                    "tool_calls": [
                        {
                            "id": "t1",
                            "index": 0,
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                        }
                    ],
                },
            }
        ],
        "usage": USE,
    },
    RESPONSES: {
        "id": "resp_1",
        "object": "response",
        "model": "m",
        "status": "incomplete",
        "incomplete_details": {"reason": "content_filter"},
        "service_tier": "default",
        "output": [
            {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "t"}]},
            {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search"}},
            {
                "type": "message",
                "id": "m1",
                "role": "assistant",
                "content": [
                    {
                        "type": "output_text",
                        "text": "x",
                        "annotations": [{"type": "url_citation", "url": "u"}],
                    },
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {"type": "function_call", "id": "i", "call_id": "t1", "name": "f", "arguments": "{}"},
        ],
    },
}
STREAMS: Final[dict[str, list[dict[str, Any]]]] = {
    MESSAGES: [
        {"type": "message_start", "message": ANSWERS[MESSAGES] | {"content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "citations_delta", "citation": {"url": "u"}},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_delta", "index": 5, "delta": {"type": "thinking_delta", "thinking": "x"}},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "t1", "name": "f"},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": "{}"},
        },
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    CHAT: [
        {"id": "c1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": one}]}
        for one in (
            {"role": "assistant", "content": "x"},
            {"reasoning_details": [{"type": "reasoning.text", "text": "t", "id": "r", "index": 0}]},
            {"tool_calls": [{"index": 0, "id": "t1", "function": {"name": "f", "arguments": "{}"}}]},
        )
    ]
    + [{"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}],
    RESPONSES: [
        {"type": "response.created", "response": ANSWERS[RESPONSES] | {"output": []}},
        *(
            {"type": f"response.output_item.{step}", "output_index": n, "item": item}
            for n, item in enumerate(ANSWERS[RESPONSES]["output"])
            for step in ("added", "done")
        ),
        {
            "type": "response.output_text.annotation.added",
            "output_index": 2,
            "item_id": "m1",
            "annotation": {"type": "x"},
        },
        {"type": "response.incomplete", "response": ANSWERS[RESPONSES]},
    ],
}
FAILURES: Final = (
    {"type": "error", "error": {"type": "overloaded_error", "message": "m", "code": "c", "param": "p"}},
    {"type": "error", "code": "server_error", "message": "m", "param": "p"},
    {"type": "response.failed", "response": {"status": "failed", "error": {"code": "c", "message": "m"}}},
)


def odd(document: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The document once for each of its words and each odd value in its place, with that place's name."""
    found = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in found:
        here = f"{place}.{key}"
        if key in WORDS:
            for other in ODD:
                yield f"{here}={other}", _with(document, key, other)
        if isinstance(value, (dict, list)):
            for name, inner in odd(value, here):
                yield name, _with(document, key, inner)


def _with(document: Any, key: Any, value: Any) -> Any:
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[key] = deepcopy(value)
    return copy


def targets() -> Iterator[tuple[str, Target]]:
    for protocol, model, vendor in TARGETS:
        yield protocol, Target(model, rules_for(model, vendor), vendor, vendor, "account")


def asked(protocol: str, document: dict[str, Any]) -> None:
    """All that is done with a client's request."""
    codec = codec_named(protocol)
    protocol_named(protocol).outline(json.encode(document))
    for spoken, target in targets():
        if spoken == protocol and codec.adapt_request is not None:
            codec.adapt_request(document, target)
        if spoken == protocol and codec.steered is not None:
            codec.steered(document, target, None, fast=True)
        codec_named(spoken).encode_request(codec.decode_request(document), target)
    for own in (codec.without_reasoning, codec.needed_headers):
        if own is not None:
            own(document)


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_request_is_understood_or_refused(protocol: str) -> None:
    """Whatever stands where a word is due, a request goes out or is refused."""
    refused = 0
    for request in REQUESTS[protocol]:
        asked(protocol, request)
        for place, document in odd(request):
            try:
                asked(protocol, document)
            except InvalidRequest:
                refused += 1
            except Exception as error:
                raise AssertionError(place) from error
    assert refused


@pytest.mark.parametrize(
    ("protocol", "document", "param"),
    [
        (RESPONSES, {"model": "m", "input": [{"type": [None], "role": "user"}]}, "input[0].type"),
        (CHAT, {"model": "m", "input": [{"type": [None], "role": "user"}]}, "input[0].type"),
    ],
)
def test_what_is_no_type_is_named(protocol: str, document: dict[str, Any], param: str) -> None:
    """An item whose type is no string is refused by its place, for nobody can know what it is."""
    with pytest.raises(InvalidRequest) as refused:
        codec_named(protocol).decode_request(document)
    assert refused.value.param == param


def told(protocol: str, events: list[dict[str, Any]]) -> None:
    """All that is done with an upstream's stream."""
    codec, own = codec_named(protocol), protocol_named(protocol)
    decoder, tap = codec.stream_decoder(), own.stream_tap()
    encoders = [
        codec_named(one).stream_encoder(codec_named(one).decode_request(REQUESTS[one][0]), "req_1")
        for one in SPOKEN
    ]
    gathering = codec.gathering() if codec.gathering is not None else None
    for each in events:
        data, kind = json.encode(each), each.get("type")
        name = kind if isinstance(kind, str) else ""
        tap.feed(b"event: %s\ndata: %s\n\n" % (name.encode(), data))
        if gathering is not None:
            gathering.feed(name, data)
        for event in decoder.feed(name, data):
            for encoder in encoders:
                encoder.feed(event)
    for event in decoder.close():
        for encoder in encoders:
            encoder.feed(event)


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_stream_is_read_whatever_it_holds(protocol: str) -> None:
    """No odd value of an upstream stops the reading, of its errors neither."""
    told(protocol, STREAMS[protocol])
    for place, events in odd([*STREAMS[protocol]]):
        try:
            told(protocol, events)
        except Exception as error:
            raise AssertionError(place) from error
    for failure in FAILURES:
        for place, events in odd([failure]):
            try:
                told(protocol, events)
                protocol_named(protocol).decode_error(500, (), json.encode(events[0]))
            except Exception as error:
                raise AssertionError(place) from error


@pytest.mark.parametrize("protocol", SPOKEN)
def test_an_answer_is_read_or_called_none(protocol: str) -> None:
    """A plain answer with odd values is told on, or it is the upstream's failure."""
    for place, document in odd(ANSWERS[protocol]):
        try:
            answer = codec_named(protocol).decode_answer(document)
            for one in SPOKEN:
                request = codec_named(one).decode_request(REQUESTS[one][0])
                codec_named(one).encode_answer(answer, request, "req_1")
        except UpstreamUnexpected:
            continue
        except Exception as error:
            raise AssertionError(place) from error
