"""Requests for OpenAI and for the ChatGPT backend."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import (
    CacheMark,
    Message,
    Role,
    Seal,
    SealForm,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from shunt.inference.request import (
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    HostedTool,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_responses.decode_request import decode_request
from shunt.protocols.openai_responses.encode_request import encode_request
from tests.protocols.openai_responses.targets import target

HI = (Message(Role.USER, (Text("hi"),)),)
PLAIN = target("gpt-4o")
CODEX = target("gpt-5.1-codex", "codex")
ENCRYPTED = "reasoning.encrypted_content"


def asked(**changes: Any) -> GenerateRequest:
    facts: dict[str, Any] = {"model": "claude", "protocol": "anthropic-messages", "messages": HI}
    return GenerateRequest(**facts | changes)


def encode(to: Target | None = None, **changes: Any) -> Encoded:
    return encode_request(asked(**changes), to or target())


def write(to: Target | None = None, **changes: Any) -> dict[str, Any]:
    return encode(to, **changes).document


def test_the_least_request() -> None:
    """Nothing is stored, so reasoning has to come along."""
    assert write(stream=True, cache_key="conv-1") == {
        "prompt_cache_key": "conv-1",
        "model": "gpt-5.1",
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
        "include": [ENCRYPTED],
        "store": False,
        "stream": True,
    }


def test_models_that_do_not_reason_are_not_asked_to() -> None:
    """They would refuse."""
    found = write(PLAIN, reasoning=Reasoning(Effort.HIGH))
    assert "include" not in found
    assert "reasoning" not in found


def test_system_texts_are_instructions() -> None:
    """Joined; Claude Code's changing line would cost the cache."""
    billing = Text("x-anthropic-billing-header: cch=1;")
    assert write(instructions=(billing, Text("A"), Text("B")))["instructions"] == "A\n\nB"


def test_a_system_text_alone_is_the_input() -> None:
    """Something has to be."""
    found = write(messages=(), instructions=(Text("Say hi"),))
    assert "instructions" not in found
    assert found["input"] == [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Say hi"}]}
    ]


@pytest.mark.parametrize(("given", "sent"), [(0, 16), (5, 16), (777, 777), (None, None), (10**9, 16_384)])
def test_the_output_cap(given: int | None, sent: int | None) -> None:
    """Within what the vendor takes and the model has."""
    assert write(PLAIN, max_output=given).get("max_output_tokens") == sent


def test_sampling_where_the_model_has_it() -> None:
    """Elsewhere it is reported."""
    assert write(PLAIN, temperature=0.5, top_p=0.9)["temperature"] == 0.5
    found = encode(temperature=0.5, top_p=0.9, top_k=5, stop=("END",))
    assert not {"temperature", "top_p", "top_k", "stop"} & set(found.document)
    assert found.dropped == ("stop", "top_k", "temperature", "top_p")


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (Reasoning(), None),
        (Reasoning(adaptive=True), {"summary": "auto"}),
        (Reasoning(adaptive=True, display="omitted"), None),
        (Reasoning(Effort.HIGH), {"effort": "high", "summary": "auto"}),
        (Reasoning(Effort.HIGH, display="detailed"), {"effort": "high", "summary": "detailed"}),
        (Reasoning(budget=8192), {"effort": "medium", "summary": "auto"}),
        (Reasoning(Effort.MAX), {"effort": "high", "summary": "auto"}),
        (Reasoning(Effort.NONE), {"effort": "none"}),
    ],
)
def test_reasoning(said: Reasoning, sent: Any) -> None:
    """Only what was asked for: adaptive leaves the effort to the model, none says so."""
    assert write(reasoning=said).get("reasoning") == sent


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        (
            OutputFormat(FormatKind.JSON_SCHEMA, {"type": "object"}),
            {"type": "json_schema", "name": "answer", "schema": {"type": "object"}},
        ),
        (
            OutputFormat(FormatKind.JSON_SCHEMA, {"type": "object"}, "my out", strict=True, description="d"),
            {
                "type": "json_schema",
                "name": "my_out",
                "schema": {"type": "object"},
                "strict": True,
                "description": "d",
            },
        ),
        (OutputFormat(FormatKind.JSON_OBJECT), {"type": "json_object"}),
    ],
)
def test_the_shape_of_the_answer(said: OutputFormat, sent: Any) -> None:
    """Flat, and never without a name."""
    assert write(format=said)["text"] == {"format": sent}


def test_verbosity_where_the_model_has_it() -> None:
    """Beside the format."""
    assert write(verbosity="low")["text"] == {"verbosity": "low"}
    assert encode(PLAIN, verbosity="low").dropped == ("verbosity",)


@pytest.mark.parametrize(
    ("tier", "sent"),
    [("", None), ("standard", "default"), ("fast", "priority"), ("flex", "flex"), ("odd", None)],
)
def test_the_tier(tier: str, sent: str | None) -> None:
    """In the vendor's words; what it has no word for is left to it."""
    assert write(tier=tier).get("service_tier") == sent


def test_who_asks() -> None:
    """Another vendor's client is named by a digest; keys are cut to their length alike every time."""
    found = write(user="user@example.test", cache_key="conv-1")
    assert found["safety_identifier"] != "user@example.test"
    assert len(found["safety_identifier"]) == 32
    assert found["prompt_cache_key"] == "conv-1"
    assert write(protocol="openai-chat", user="u-1", metadata={"a": "b"})["safety_identifier"] == "u-1"
    assert "metadata" not in write(metadata={"a": "b"})
    long = write(cache_key="k" * 65)["prompt_cache_key"]
    assert long == write(cache_key="k" * 65)["prompt_cache_key"]
    assert len(long) <= 64


# ── The conversation ──────────────────────────────────────────────────────────────────────────────


def test_the_conversation_is_repaired() -> None:
    """Long ids alike, orphans as text, calls without result with one that says so."""
    long = "toolu_" + "k" * 90
    found = write(
        messages=(
            Message(Role.ASSISTANT, (ToolCall(long, "f"), ToolCall("b", "f"))),
            Message(Role.USER, (ToolResult("orphan", (Text("lost"),)), ToolResult(long, (Text("done"),)))),
        )
    )["input"]
    kinds = [item["type"] for item in found]
    assert kinds == [
        "function_call",
        "function_call",
        "function_call_output",
        "function_call_output",
        "message",
    ]
    assert found[0]["call_id"] == found[2]["call_id"]
    assert len(found[0]["call_id"]) <= 64
    assert "lost" in str(found[4])


@pytest.mark.parametrize(
    ("seal", "kept"),
    [
        (Seal("openai", SealForm.ENCRYPTED, "gAAAA"), True),
        (Seal("openai", SealForm.ENCRYPTED, "gAAAA", "acc-1"), True),
        (Seal("openai", SealForm.ENCRYPTED, "gAAAA", "acc-2"), False),
        (Seal("anthropic", SealForm.SIGNATURE, "EqQB"), False),
        (None, False),
    ],
)
def test_only_its_own_reasoning_goes_back(seal: Seal | None, kept: bool) -> None:
    """The turn itself stays."""
    turn = Message(Role.ASSISTANT, (Thinking("hm", seal), Text("a")))
    kinds = [item["type"] for item in write(messages=(*HI, turn, *HI))["input"]]
    assert ("reasoning" in kinds) is kept
    assert kinds.count("message") == 3


def test_custom_tools_where_the_model_has_them() -> None:
    """Elsewhere they are functions with one string."""
    request: dict[str, Any] = {"tools": (Tool("patch", custom=True),), "protocol": "openai-responses"}
    assert write(**request)["tools"][0]["type"] == "custom"
    old = write(PLAIN, **request)["tools"][0]
    assert (old["type"], list(old["parameters"]["properties"])) == ("function", ["input"])


def test_tools_and_parallel_calls() -> None:
    """Names that the vendor takes; what the client said about parallel calls."""
    found = write(
        tools=(Tool("fs.read/file"),),
        tool_choice=ToolChoice(ChoiceMode.NAMED, "fs.read/file"),
        parallel_tools=False,
    )
    assert found["tool_choice"]["name"] == found["tools"][0]["name"] != "fs.read/file"
    assert found["parallel_tool_calls"] is False


def test_a_demand_without_a_tool_is_refused() -> None:
    """No answer could meet it."""
    code = HostedTool("code_execution", "code_execution_20250825")
    with pytest.raises(InvalidRequest, match="demanded"):
        write(tools=(code,), tool_choice=ToolChoice(ChoiceMode.REQUIRED))
    assert "tool_choice" not in write(tools=(code,), tool_choice=ToolChoice())


def test_searches_tell_their_sources() -> None:
    """When asked to; the ChatGPT backend is not asked what it may refuse."""
    search = (HostedTool("web_search", "web_search_20250305"),)
    assert write(tools=search)["include"] == [ENCRYPTED, "web_search_call.action.sources"]
    assert write(CODEX, tools=search)["include"] == [ENCRYPTED]


def test_what_the_client_alone_understands_is_reported() -> None:
    """Unless it is a mere hint."""
    found = encode(native={"x_brand_new": 1, "speed": "fast"}, hints=frozenset({"speed"}))
    assert found.dropped == ("x_brand_new",)
    assert "x_brand_new" not in found.document


# ── The ChatGPT backend ───────────────────────────────────────────────────────────────────────────


def test_the_backend_gets_only_what_it_takes() -> None:
    """Always a stream, with instructions, nothing stored."""
    found = encode(
        CODEX, max_output=99, user="u", temperature=0.5, metadata={"a": "b"}, tier="flex", stream=False
    )
    assert set(found.document) == {
        "model",
        "instructions",
        "input",
        "include",
        "prompt_cache_key",
        "store",
        "stream",
    }
    assert (found.document["stream"], found.document["instructions"]) == (True, "")
    assert found.dropped == ("temperature",)


def test_a_conversation_keeps_its_cache_at_the_backend() -> None:
    """By the client's key, else by how it began."""
    assert write(CODEX, cache_key="conv-1")["prompt_cache_key"] == "conv-1"
    first = write(CODEX)["prompt_cache_key"]
    later = write(CODEX, messages=(*HI, Message(Role.ASSISTANT, (Text("yes"),)), *HI))["prompt_cache_key"]
    other = write(CODEX, messages=(Message(Role.USER, (Text("bye"),)),))["prompt_cache_key"]
    assert first == later != other


def test_what_is_marked_to_be_cached_begins_the_key() -> None:
    """Another marked prefix is another cache; unmarked texts and attribution lines change nothing."""
    marked = (Text("x-anthropic-billing-header: cc=1;"), Text("Be kind.", cache=CacheMark()), Text("Noon."))
    key = write(CODEX, instructions=marked)["prompt_cache_key"]
    noise = (Text("x-anthropic-billing-header: cc=2;"), marked[1], Text("One o'clock."))
    assert write(CODEX, instructions=noise)["prompt_cache_key"] == key
    other = (Text("Be brief.", cache=CacheMark()),)
    assert write(CODEX, instructions=other)["prompt_cache_key"] != key
    assert write(CODEX)["prompt_cache_key"] != key


# ── Its own words ─────────────────────────────────────────────────────────────────────────────────


def test_a_request_of_this_protocol_survives() -> None:
    """Decoded and encoded again it says the same, but for ids and what is stored."""
    document = {
        "model": "gpt-5.1",
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "encrypted_content": "gAAAA",
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "ok", "annotations": []}],
                "phase": "commentary",
            },
            {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "***"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "done"},
        ],
        "tools": [
            {"type": "custom", "name": "patch", "format": {"type": "text"}},
            {
                "type": "namespace",
                "name": "fs",
                "description": "files",
                "tools": [
                    {
                        "type": "function",
                        "name": "read",
                        "parameters": {"type": "object", "properties": {}},
                        "strict": True,
                    }
                ],
            },
            {"type": "web_search", "filters": {"allowed_domains": ["e.example"]}},
        ],
        "tool_choice": "auto",
        "reasoning": {"effort": "high"},
        "include": [ENCRYPTED, "web_search_call.action.sources"],
        "max_tool_calls": 3,
        "store": False,
        "stream": True,
    }
    assert encode_request(decode_request(document), target()) == Encoded(document)


def test_another_account_does_not_get_the_reasoning() -> None:
    """The rest is the same."""
    seal = Seal("openai", SealForm.ENCRYPTED, "gAAAA", "acc-2")
    request = asked(messages=(*HI, Message(Role.ASSISTANT, (Thinking("hm", seal), Text("a")))))
    without = encode_request(request, target()).document
    owner = encode_request(request, evolve(target(), account="acc-2")).document
    assert [item for item in owner["input"] if item["type"] != "reasoning"] == without["input"]
