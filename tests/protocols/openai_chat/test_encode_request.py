"""Requests in Chat's words, for OpenAI and for servers like it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Role, Seal, SealForm, Text, Thinking, ToolCall, ToolResult
from shunt.inference.request import (
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.protocols.codec import Encoded, Target
from shunt.protocols.openai_chat.decode_request import decode_request
from shunt.protocols.openai_chat.encode_request import encode_request
from tests.inference.grammar import parts
from tests.protocols.openai_chat.targets import OPENAI, SERVER, assert_accepted, target

MESSAGES, CHAT, RESPONSES = "anthropic-messages", "openai-chat", "openai-responses"
HI = (Message(Role.USER, (Text("hi"),)),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
F = Tool("f", schema=SCHEMA)
LONG = "toolu_" + "k" * 90


def encoded(to: Target = OPENAI, protocol: str = MESSAGES, **fields: Any) -> Encoded:
    messages = fields.pop("messages", HI)
    return encode_request(GenerateRequest("asked", protocol=protocol, messages=messages, **fields), to)


def sent(to: Target = OPENAI, protocol: str = MESSAGES, **fields: Any) -> dict[str, Any]:
    return encoded(to, protocol, **fields).document


def test_least() -> None:
    """Nothing is sent that nobody said."""
    assert sent() == {"model": "gpt-5.1", "messages": [{"role": "user", "content": "hi"}]}


def test_stream() -> None:
    """Streams always bring their usage."""
    assert sent(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream" not in sent()


@pytest.mark.parametrize(
    ("to", "cap", "fields"),
    [
        (OPENAI, 777, {"max_completion_tokens": 777}),
        (target("gpt-4o", "openai"), 777, {"max_completion_tokens": 777}),
        (target("gpt-4o", "openai"), 128_000, {"max_completion_tokens": 16_384}),
        (SERVER, 777, {"max_tokens": 777}),
        (SERVER, 128_000, {"max_tokens": 128_000}),
        (target("o3-mini"), 777, {"max_completion_tokens": 777}),
        (SERVER, 0, {"max_tokens": 1}),
    ],
)
def test_cap(to: Target, cap: int, fields: dict[str, int]) -> None:
    """One cap, under the name the server knows, never 0 and never more than the model can write."""
    document = sent(to, max_output=cap)
    assert {key: document[key] for key in document if key.endswith("_tokens")} == fields


def test_sampling() -> None:
    """Temperature goes to models that take it; of others it is reported, unless it is the default."""
    assert sent(SERVER, temperature=0.5, top_p=0.9).items() >= {"temperature": 0.5, "top_p": 0.9}.items()
    got = encoded(OPENAI, temperature=0.5, top_p=1)
    assert not got.document.keys() & {"temperature", "top_p"}
    assert got.dropped == ("temperature",)


def test_top_k() -> None:
    """`top_k` is for servers whose client knows them."""
    assert encoded(SERVER, top_k=5).dropped == ("top_k",)
    assert sent(SERVER, CHAT, top_k=5)["top_k"] == 5


def test_stops() -> None:
    """Four stop sequences; it is told when some are left out."""
    got = encoded(SERVER, stop=("a", "", "b", "c", "d", "e"))
    assert got.document["stop"] == ["a", "b", "c", "d"]
    assert got.dropped == ("stop",)
    assert encoded(SERVER, stop=("a",)).dropped == ()
    refused = encoded(OPENAI, CHAT, stop=("a",))
    assert "stop" not in refused.document
    assert refused.dropped == ("stop",)


@pytest.mark.parametrize(
    ("model", "reasoning", "effort"),
    [
        ("gpt-5.1", Reasoning(Effort.HIGH), "high"),
        ("gpt-5.1", Reasoning(Effort.MAX), "high"),
        ("gpt-5.1", Reasoning(Effort.NONE), "none"),
        ("gpt-5-mini", Reasoning(Effort.NONE), "minimal"),
        ("gpt-5.1", Reasoning(budget=8192), "medium"),
        ("gpt-5.1", Reasoning(adaptive=True), None),
        ("gpt-5.1", Reasoning(), None),
        ("claude-sonnet-4-5", Reasoning(Effort.XHIGH), "high"),
        ("claude-sonnet-4-5", Reasoning(Effort.NONE), None),
        ("llama3", Reasoning(Effort.NONE), "none"),
    ],
)
def test_effort(model: str, reasoning: Reasoning, effort: str | None) -> None:
    """The step of the model that comes closest; nothing where nothing was said."""
    assert sent(target(model), reasoning=reasoning).get("reasoning_effort") == effort


def test_effort_without_steps() -> None:
    """A model that does not reason is not asked to, and the client is told."""
    got = encoded(target("gpt-4o"), reasoning=Reasoning(Effort.HIGH))
    assert "reasoning_effort" not in got.document
    assert got.dropped == ("reasoning",)


@pytest.mark.parametrize(
    ("model", "tools", "effort", "sends", "dropped"),
    [
        ("gpt-5.4", (F,), Effort.HIGH, "none", ("reasoning",)),
        ("gpt-5.4", (F,), None, "none", ()),
        ("gpt-5.4", (), Effort.HIGH, "high", ()),
        ("gpt-5.2", (F,), Effort.HIGH, "high", ()),
        ("gpt-6.1-sol", (F,), Effort.HIGH, None, ("reasoning",)),
    ],
)
def test_tools_exclude_effort(
    model: str, tools: Any, effort: Effort | None, sends: str | None, dropped: tuple[str, ...]
) -> None:
    """From GPT-5.4 on tools on Chat need the effort `none`."""
    got = encoded(target(model, "openai"), tools=tools, reasoning=Reasoning(effort))
    assert got.document.get("reasoning_effort") == sends
    assert got.dropped == dropped


def test_format() -> None:
    """A schema is nested under a name, strict where it can be held to."""
    form = OutputFormat(FormatKind.JSON_SCHEMA, SCHEMA)
    assert sent(format=form)["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": False},
    }
    closed = OutputFormat(
        FormatKind.JSON_SCHEMA, {**SCHEMA, "additionalProperties": False}, "n", description="d"
    )
    inner = sent(format=closed)["response_format"]["json_schema"]
    assert (inner["name"], inner["strict"], inner["description"]) == ("n", True, "d")
    assert sent(format=OutputFormat(FormatKind.JSON_OBJECT))["response_format"] == {"type": "json_object"}


def test_verbosity() -> None:
    """Verbosity goes to models that have it; of others the unusual ones are reported."""
    assert sent(verbosity="low")["verbosity"] == "low"
    assert encoded(SERVER, RESPONSES, verbosity="low").dropped == ("verbosity",)
    assert encoded(SERVER, RESPONSES, verbosity="medium").dropped == ()


def test_identity() -> None:
    """OpenAI learns who asks, by a digest where the id was for another vendor; other servers do not."""
    got = sent(user="user-1", cache_key="session")
    assert got["safety_identifier"] != "user-1"
    assert len(got["safety_identifier"]) == 64
    assert got["prompt_cache_key"] == "session"
    assert sent(OPENAI, RESPONSES, user="user-1")["safety_identifier"] == "user-1"
    assert not sent(SERVER, user="user-1", cache_key="s").keys() & {
        "safety_identifier",
        "user",
        "prompt_cache_key",
    }
    assert sent(SERVER, RESPONSES, cache_key="s")["prompt_cache_key"] == "s"
    assert sent(SERVER, CHAT, user="user-1")["user"] == "user-1"
    assert len(sent(cache_key="s" * 100)["prompt_cache_key"]) == 64


@pytest.mark.parametrize(
    ("protocol", "tier", "told"),
    [
        (MESSAGES, "fast", "priority"),
        (MESSAGES, "standard_only", "default"),
        (MESSAGES, "auto", None),
        (RESPONSES, "flex", "flex"),
        (RESPONSES, "ultrafast", None),
        (CHAT, "auto", "auto"),
    ],
)
def test_tier(protocol: str, tier: str, told: str | None) -> None:
    """Tiers are told in OpenAI's words, and to OpenAI only."""
    assert sent(OPENAI, protocol, tier=tier).get("service_tier") == told
    if protocol != CHAT:
        assert "service_tier" not in sent(SERVER, protocol, tier=tier)


def test_native() -> None:
    """What only another protocol has is reported unless it is a hint; what Chat has, Chat gets."""
    got = encoded(
        SERVER, MESSAGES, native={"x_new": 1, "cache_control": {}}, hints=frozenset({"cache_control"})
    )
    assert got.dropped == ("x_new",)
    assert not got.document.keys() & {"x_new", "cache_control"}
    kept = sent(SERVER, CHAT, native={"seed": 5}, store=False, metadata={"a": "b"})
    assert (kept["seed"], kept["store"], kept["metadata"]) == (5, False, {"a": "b"})


def test_previous() -> None:
    """A conversation that another server keeps cannot be continued here."""
    with pytest.raises(InvalidRequest) as caught:
        sent(previous="resp_1")
    assert caught.value.code == "previous_response_not_found"


def test_names_and_ids() -> None:
    """Names and ids are cut the same way wherever they stand."""
    name = "mcp__a_rather_long_server_name__" + "do_something_useful_with_the_repository_" + "alpha"
    document = sent(
        SERVER,
        tools=(Tool(name + "_one"), Tool(name + "_two"), Tool("fs.read/file")),
        tool_choice=ToolChoice(ChoiceMode.NAMED, name + "_two"),
        messages=(
            *HI,
            Message(
                Role.ASSISTANT, (ToolCall(LONG + "1", name + "_one"), ToolCall(LONG + "2", "fs.read/file"))
            ),
            Message(Role.USER, (ToolResult(LONG + "1", (Text("a"),)), ToolResult(LONG + "2", (Text("b"),)))),
        ),
    )
    assert_accepted(document)
    names = [tool["function"]["name"] for tool in document["tools"]]
    calls = document["messages"][1]["tool_calls"]
    assert [call["function"]["name"] for call in calls] == [names[0], names[2]]
    assert [m["tool_call_id"] for m in document["messages"][2:]] == [call["id"] for call in calls]
    assert document["tool_choice"]["function"]["name"] == names[1]


def test_custom_tools() -> None:
    """Custom tools stay what they are at OpenAI, and are functions with one string elsewhere."""
    ask: dict[str, Any] = {
        "tools": (Tool("p", custom=True),),
        "messages": (*HI, Message(Role.ASSISTANT, (ToolCall("c", "p", "*** Begin", custom=True),))),
    }
    own, other = sent(OPENAI, RESPONSES, **ask), sent(SERVER, RESPONSES, **ask)
    assert own["tools"][0]["type"] == "custom"
    assert own["messages"][1]["tool_calls"][0]["custom"]["input"] == "*** Begin"
    assert list(other["tools"][0]["function"]["parameters"]["properties"]) == ["input"]
    assert json.loads(other["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {
        "input": "*** Begin"
    }


def test_own_reasoning() -> None:
    """Reasoning returns to the server that made it, on any of its accounts; no seal goes to a stranger."""
    own = Thinking(
        "hm", Seal("api.example.org", SealForm.PLAIN, '{"field":"reasoning_content"}', "another account")
    )
    foreign = Thinking("pondering", Seal("anthropic", SealForm.SIGNATURE, "EqQB"))
    messages = (*HI, Message(Role.ASSISTANT, (own, foreign, Text("a"))), *HI)
    assert sent(SERVER, messages=messages)["messages"][1] == {
        "role": "assistant",
        "content": "a",
        "reasoning_content": "hm",
    }
    assert sent(OPENAI, messages=messages)["messages"][1] == {"role": "assistant", "content": "a"}


@pytest.mark.parametrize(
    ("protocol", "to", "thinking", "told"),
    [
        (RESPONSES, SERVER, Thinking("hm"), True),
        (CHAT, SERVER, Thinking("hm"), True),
        (RESPONSES, SERVER, Thinking("hm", summary=True), False),
        (RESPONSES, OPENAI, Thinking("hm"), False),
        (MESSAGES, SERVER, Thinking("hm"), False),
    ],
)
def test_plain_reasoning(protocol: str, to: Target, thinking: Thinking, told: bool) -> None:
    """Reasoning that a client holds in full goes to servers that may want it back; summaries do not."""
    messages = (*HI, Message(Role.ASSISTANT, (thinking, Text("a"))), *HI)
    assert ("reasoning_content" in sent(to, protocol, messages=messages)["messages"][1]) is told


def test_model_and_order() -> None:
    """The target's model is named, and the system comes first."""
    document = sent(SERVER, instructions=(Text("S"),))
    assert document["model"] == "llama3"
    assert [m["role"] for m in document["messages"]] == ["system", "user"]


CONVERSATIONS = st.lists(
    st.builds(
        Message,
        st.sampled_from(Role),
        st.lists(
            st.one_of(
                parts(broken=True),
                st.builds(
                    ToolResult,
                    st.sampled_from(["call", "call_0", "gone"]),
                    st.just((Text("r"),)),
                    st.booleans(),
                ),
            ),
            max_size=3,
        ).map(tuple),
    ),
    max_size=5,
).map(tuple)


@given(
    CONVERSATIONS,
    st.sampled_from([OPENAI, SERVER, target("gpt-4o", "openai")]),
    st.sampled_from([MESSAGES, CHAT]),
)
@settings(max_examples=80)
def test_any_conversation(messages: tuple[Message, ...], to: Target, protocol: str) -> None:
    """Whatever a conversation holds, the server finds it in order."""
    tools = (Tool("read"), Tool("apply_patch", custom=True))
    assert_accepted(sent(to, protocol, messages=messages, tools=tools))


ROUND = {
    "model": "gpt-5.1",
    "messages": [
        {"role": "developer", "content": "S"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "name": "ann",
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "r"},
        {"role": "assistant", "content": "done"},
        {"role": "system", "content": "LATE"},
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "https://example.org/a", "detail": "low"}}
            ],
        },
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": False,
    "max_completion_tokens": 99,
    "reasoning_effort": "low",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
    },
    "verbosity": "low",
    "safety_identifier": "u",
    "prompt_cache_key": "k",
    "service_tier": "flex",
    "stream": True,
    "stream_options": {"include_usage": True},
    "store": False,
    "metadata": {"a": "b"},
    "seed": 5,
    "x_future": {"y": 1},
}


def test_chat_to_chat() -> None:
    """A Chat request that has to be read and written again stays what it was."""
    got = encode_request(decode_request(ROUND), OPENAI)
    assert got.document == ROUND
    assert got.dropped == ()


def test_original_untouched() -> None:
    """Writing a request changes nothing of it: another account may need it again."""
    request = decode_request(ROUND)
    before = evolve(request)
    encode_request(request, SERVER)
    assert request == before
    assert decode_request(ROUND) == request
