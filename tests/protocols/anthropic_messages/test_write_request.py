"""Requests for a vendor, whole."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import (
    Citation,
    Foreign,
    Message,
    Part,
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
    OutputFormat,
    Reasoning,
    Tool,
    ToolChoice,
)
from shunt.models.rules import ModelRules
from shunt.protocols.anthropic_messages.read_request import read_request
from shunt.protocols.anthropic_messages.write_request import write_request
from shunt.protocols.codec import Encoded, Target

CACHED = {"cache_control": {"type": "ephemeral"}}
OLD = ModelRules(budget_thinking=True, temperature_and_top_p=False, root_unions=False, max_output=64_000)
NEW = ModelRules(
    efforts=("low", "high"),
    adaptive_thinking=True,
    sampling=False,
    prefill=False,
    system_in_place=True,
    max_output=128_000,
)


def target(rules: ModelRules = OLD, **fields: Any) -> Target:
    return evolve(Target("claude-up", rules, "anthropic", "anthropic", "acc"), **fields)


def said(role: Role, *parts: Part | str) -> Message:
    return Message(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def asking(*messages: Message, **fields: Any) -> GenerateRequest:
    return GenerateRequest("claude-x", messages=messages or (said(Role.USER, "hi"),), **fields)


def text(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **fields}


def turn(role: str, *blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def writing(request: GenerateRequest, rules: ModelRules = OLD) -> Encoded:
    return write_request(request, target(rules))


def test_a_plain_request() -> None:
    """Nothing is made up but the output limit and the cache breakpoint."""
    assert writing(asking()) == Encoded(
        {"model": "claude-up", "max_tokens": 64_000, "messages": [turn("user", text("hi", **CACHED))]}
    )


def test_a_whole_conversation() -> None:
    """Roles alternate, results come first, names and ids are legal, custom tools are functions."""
    request = asking(
        said(Role.ASSISTANT, "I am first"),
        said(Role.ASSISTANT, ToolCall("id:1", "fs.patch", "+a", custom=True)),
        said(Role.USER, "note"),
        said(Role.USER, ToolResult("id:1", (Text("ok"),))),
        said(Role.DEVELOPER, "later"),
        instructions=(Text("S1"), Text("S2")),
        tools=(Tool("fs.patch", custom=True),),
        tool_choice=ToolChoice(ChoiceMode.NAMED, "fs.patch", custom=True),
        stream=True,
        stop=("END", " "),
        user="user-1",
        max_output=100,
    )
    written = writing(request)
    call = written.document["messages"][1]["content"][1]["id"]
    name = written.document["tools"][0]["name"]
    assert written == Encoded(
        {
            "model": "claude-up",
            "max_tokens": 100,
            "system": [text("S1"), text("S2", **CACHED)],
            "messages": [
                turn("user", text("Begin.")),
                turn(
                    "assistant",
                    text("I am first"),
                    {"type": "tool_use", "id": call, "name": name, "input": {"input": "+a"}},
                ),
                turn(
                    "user",
                    {"type": "tool_result", "tool_use_id": call, "content": [text("ok")]},
                    text("note"),
                    text("<system-reminder>\nlater\n</system-reminder>", **CACHED),
                ),
            ],
            "tools": [
                {
                    "name": name,
                    "input_schema": {
                        "type": "object",
                        "properties": {
                            "input": {
                                "type": "string",
                                "description": "The tool's whole input, as plain text.",
                            }
                        },
                        "required": ["input"],
                        "additionalProperties": False,
                    },
                    **CACHED,
                }
            ],
            "tool_choice": {"type": "tool", "name": name},
            "stop_sequences": ["END"],
            "metadata": {"user_id": "user-1"},
            "stream": True,
        }
    )


def test_system_messages_stay_where_they_may() -> None:
    """Models that take system messages in the middle get them there."""
    written = writing(asking(said(Role.USER, "a"), said(Role.DEVELOPER, "b")), NEW)
    assert written.document["messages"] == [turn("user", text("a", **CACHED)), turn("system", text("b"))]


@pytest.mark.parametrize(
    ("rules", "reasoning", "last", "dropped"),
    [
        (OLD, Reasoning(), turn("assistant", text("Sure,")), ()),
        (OLD, Reasoning(Effort.LOW), turn("user", text("Continue.", **CACHED)), ("prefill",)),
        (NEW, Reasoning(), turn("user", text("Continue.", **CACHED)), ("prefill",)),
    ],
)
def test_a_prefill(rules: ModelRules, reasoning: Reasoning, last: Any, dropped: tuple[str, ...]) -> None:
    """It stays, without blanks at its end, where the model takes one, and that is never while it thinks."""
    written = writing(
        asking(said(Role.USER, "a"), said(Role.ASSISTANT, "Sure, \n"), reasoning=reasoning), rules
    )
    assert written.document["messages"][-1] == last
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("fields", "rules", "sent", "dropped"),
    [
        ({"temperature": 1.7}, OLD, {"temperature": 1}, ()),
        ({"temperature": 0}, OLD, {"temperature": 0}, ()),
        ({"temperature": 0.5, "top_p": 0.9}, OLD, {"temperature": 0.5}, ("top_p",)),
        ({"top_p": 0.9, "top_k": 5}, OLD, {"top_p": 0.9, "top_k": 5}, ()),
        ({"temperature": 0.5, "top_p": 0.9}, ModelRules(), {"temperature": 0.5, "top_p": 0.9}, ()),
        ({"temperature": 0.5, "top_k": 5}, NEW, {}, ("temperature", "top_k")),
        (
            {"temperature": 1, "top_p": 0.97, "reasoning": Reasoning(budget=1024)},
            OLD,
            {"top_p": 0.97, "thinking": {"type": "enabled", "budget_tokens": 1024}},
            (),
        ),
        (
            {"temperature": 0.2, "top_p": 0.5, "reasoning": Reasoning(budget=1024)},
            OLD,
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            ("temperature", "top_p"),
        ),
        (
            {"reasoning": Reasoning(Effort.MAX)},
            NEW,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
            (),
        ),
        ({"reasoning": Reasoning(Effort.MAX)}, ModelRules(), {}, ("reasoning",)),
        ({"verbosity": "low", "tier": "priority", "cache_key": "k"}, OLD, {}, ("verbosity",)),
        ({"user": "me@example.org"}, OLD, {}, ("user",)),
        ({"user": "+49 30 1234567"}, OLD, {}, ("user",)),
        ({"user": "session-0123456789"}, OLD, {"metadata": {"user_id": "session-0123456789"}}, ()),
        ({"native": {"seed": 1, "store": True}, "hints": frozenset({"store"})}, OLD, {}, ("seed",)),
        (
            {"format": OutputFormat(FormatKind.JSON_SCHEMA, {"type": "object"}, "n")},
            OLD,
            {
                "output_config": {
                    "format": {
                        "type": "json_schema",
                        "schema": {"type": "object", "additionalProperties": False},
                    }
                }
            },
            (),
        ),
    ],
)
def test_parameters(fields: dict[str, Any], rules: ModelRules, sent: dict[str, Any], dropped: Any) -> None:
    """What the model takes is sent, clamped to what it takes; what it does not is reported."""
    written = writing(asking(**fields), rules)
    plain = {"model", "max_tokens", "messages"}
    assert {name: value for name, value in written.document.items() if name not in plain} == sent
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("wanted", "rules", "protocol", "sent"),
    [
        (None, ModelRules(), "", 32_000),
        (None, OLD, "", 64_000),
        (100_000, OLD, "", 64_000),
        (100_000, ModelRules(), "", 100_000),
        (0, OLD, "openai-chat", 1),
        (0, OLD, "anthropic-messages", 0),
    ],
)
def test_the_output_limit(wanted: int | None, rules: ModelRules, protocol: str, sent: int) -> None:
    """There is always one; it fits the model, and 0 is passed on only for those who mean it."""
    assert writing(asking(max_output=wanted, protocol=protocol), rules).document["max_tokens"] == sent


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    """The vendor has no such mode; the report says that it is only a wish."""
    written = writing(asking(format=OutputFormat(FormatKind.JSON_OBJECT)))
    assert "single JSON object" in written.document["system"][0]["text"]
    assert written.dropped == ("format",)


def test_reasoning_goes_back_to_its_maker_only() -> None:
    """The vendor's own signed thinking is sent, everybody else's is not, and the turn stays."""
    own = Thinking("mine", Seal("anthropic", SealForm.SIGNATURE, "Esig"))
    others = (
        Thinking("plain"),
        Thinking("theirs", Seal("openai", SealForm.ENCRYPTED, "gAAAA")),
        Thinking("", Seal("", SealForm.REDACTED, "made up")),
    )
    messages = (said(Role.USER, "q"), said(Role.ASSISTANT, *others, own, "a"), said(Role.USER, "q2"))
    written = writing(asking(*messages))
    assert written.document["messages"][1] == turn(
        "assistant", {"type": "thinking", "thinking": "mine", "signature": "Esig"}, text("a")
    )
    elsewhere = write_request(asking(*messages), target(origin="api.example.org", vendor="compatible"))
    assert elsewhere.document["messages"][1] == turn("assistant", text("a"))


def test_history_without_tools_brings_their_names() -> None:
    """The vendor wants the tools of old calls described; the model may not use them."""
    written = writing(
        asking(
            said(Role.USER, "go"), said(Role.ASSISTANT, ToolCall("c", "f")), said(Role.USER, ToolResult("c"))
        )
    )
    assert [tool["name"] for tool in written.document["tools"]] == ["f"]
    assert written.document["tool_choice"] == {"type": "none"}


def test_the_billing_text_is_for_anthropic_only() -> None:
    """Other servers of this protocol get the system prompt without it."""
    request = asking(instructions=(Text("x-anthropic-billing-header: cch=1;"), Text("S")))
    assert len(writing(request).document["system"]) == 2
    elsewhere = write_request(request, target(vendor="compatible"))
    assert elsewhere.document["system"] == [text("S", **CACHED)]


def test_an_earlier_response_is_not_known() -> None:
    """A request that builds on a response kept elsewhere is refused in the words its client knows."""
    with pytest.raises(InvalidRequest) as caught:
        writing(asking(previous="resp_1"))
    assert caught.value.code == "previous_response_not_found"


def test_what_cannot_be_said_is_reported_once() -> None:
    """Other protocols' parts are told as text; citations, which only their maker can read, are not sent."""
    part = Foreign("openai-responses", "computer_call", {}, "[computer]")
    cited = Text("a", (Citation("https://e.org"),))
    written = writing(asking(said(Role.USER, part, part, cited)))
    assert written.document["messages"][0]["content"] == [
        text("[computer]"),
        text("[computer]"),
        text("a", **CACHED),
    ]
    assert written.dropped == ("computer_call",)


def test_its_own_requests_survive() -> None:
    """A request of this protocol means the same after the journey, down to fields nobody knows."""
    document = {
        "model": "claude-x",
        "max_tokens": 100,
        "system": [text("S", **CACHED)],
        "messages": [
            turn("user", text("hi")),
            turn("assistant", {"type": "tool_use", "id": "t1", "name": "f", "input": {"x": 1}}),
            turn("user", {"type": "tool_result", "tool_use_id": "t1", "content": [text("r")]}),
        ],
        "tools": [
            {"name": "f", "input_schema": {"type": "object", "properties": {}}, "input_examples": [{}]}
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "metadata": {"user_id": "u@e.org"},
        "stop_sequences": ["END"],
        "speed": "fast",
        "context_management": {"edits": []},
        "x_future": {"a": 1},
        "stream": True,
    }
    written = write_request(read_request(document), target(NEW, model="claude-x"))
    assert written == Encoded(document)
