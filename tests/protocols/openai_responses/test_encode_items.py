"""Messages as items of an upstream's input."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import (
    Carriage,
    Citation,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Message,
    Refusal,
    Role,
    Seal,
    SealForm,
    SearchHit,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.request import GenerateRequest
from shunt.protocols.openai_responses.encode_items import InputWriter

PICTURE = Image(Media(Carriage.URL, "https://e.example/a.png"))
SEALED = Thinking("hm", Seal("openai", SealForm.ENCRYPTED, "gAAAAABo"), summary=True)


def write(
    *messages: Message, protocol: str = "anthropic-messages", system: str = "developer", images: bool = True
) -> list[dict[str, Any]]:
    request = GenerateRequest("m", protocol, messages=messages)
    return InputWriter(request, system=system, images=images).items()


def user(*parts: Any) -> Message:
    return Message(Role.USER, parts)


def assistant(*parts: Any, phase: str = "") -> Message:
    return Message(Role.ASSISTANT, parts, phase)


def output(*parts: Any, **fields: Any) -> Any:
    """What is written for a result with these parts."""
    return write(user(ToolResult("c", parts, **fields)))[0]["output"]


def test_a_turn_keeps_its_order() -> None:
    """Reasoning, words, calls; the outputs directly after them; no ids."""
    items = write(
        user(Text("go")),
        assistant(SEALED, Text("ok"), ToolCall("c", "f", '{"x":1}')),
        user(Text("note"), ToolResult("c", (Text("done"),))),
    )
    assert items == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go"}]},
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAAAAABo",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "ok", "annotations": []}],
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"x":1}'},
        {"type": "function_call_output", "call_id": "c", "output": "done"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "note"}]},
    ]


def test_custom_calls_and_namespaces_keep_their_form() -> None:
    """This protocol has both."""
    items = write(
        assistant(ToolCall("c", "patch", "***", custom=True), ToolCall("d", "read", "{}", namespace="fs")),
        user(ToolResult("c", (Text("ok"),), custom=True), ToolResult("d")),
    )
    assert items == [
        {"type": "custom_tool_call", "call_id": "c", "name": "patch", "input": "***"},
        {"type": "function_call", "call_id": "d", "name": "read", "namespace": "fs", "arguments": "{}"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
        {"type": "function_call_output", "call_id": "d", "output": ""},
    ]


def test_phases_are_echoed() -> None:
    """On every message of theirs."""
    assert write(assistant(Text("a"), phase="commentary"))[0]["phase"] == "commentary"
    assert "phase" not in write(assistant(Text("a")))[0]


@pytest.mark.parametrize(("role", "name"), [(Role.SYSTEM, "developer"), (Role.DEVELOPER, "developer")])
def test_later_system_texts_stay_in_place(role: Role, name: str) -> None:
    """In the role that the target knows."""
    items = write(user(Text("a")), Message(role, (Text("LATE"),)), user(Text("b")))
    assert [item["role"] for item in items] == ["user", name, "user"]
    assert write(Message(role, (Text("LATE"),)), system="system")[0]["role"] == "system"


def test_an_assistants_words_of_every_kind() -> None:
    """Citations, refusals, and what the vendor's tools did elsewhere."""
    found = HostedResult("s", "web_search", (SearchHit("https://e.example", "E"),))
    (item,) = write(
        assistant(
            Text("a", (Citation("https://e.example", "E"),)),
            Refusal("no"),
            HostedCall("s", "web_search", '{"query":"q"}'),
            found,
            PICTURE,
        )
    )
    first, refusal, called, hits, image = item["content"]
    assert first["annotations"][0]["url"] == "https://e.example"
    assert refusal == {"type": "refusal", "refusal": "no"}
    assert '"q"' in called["text"]
    assert "https://e.example" in hits["text"]
    assert image["text"] == "[image]"


@pytest.mark.parametrize(
    "messages",
    [
        [assistant(SEALED), user(Text("stop"))],
        [assistant(SEALED)],
        [assistant(SEALED, SEALED), user(ToolResult("c"))],
    ],
)
def test_reasoning_that_led_to_nothing_is_left_out(messages: list[Message]) -> None:
    """The vendor demands what came of it."""
    assert not any(item["type"] == "reasoning" for item in write(*messages))


def test_reasoning_in_a_row_is_kept() -> None:
    """As long as something came of it."""
    kinds = [item["type"] for item in write(assistant(SEALED, SEALED, ToolCall("c", "f")))]
    assert kinds == ["reasoning", "reasoning", "function_call"]


@pytest.mark.parametrize(
    "thinking", [Thinking("hm"), Thinking("hm", Seal("openai", SealForm.SIGNATURE, "x"))]
)
def test_reasoning_without_the_vendors_own_proof_is_left_out(thinking: Thinking) -> None:
    """Nobody else can make one."""
    assert write(assistant(thinking, Text("a")))[0]["type"] == "message"


# ── Outputs ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ((), ""),
        ((Text("a"), Text("b")), "a\nb"),
        ((SearchResult("T", "s", (Text("x"),)),), "Search result: T\nSource: s\n\nx"),
        ((ToolReference("a"), ToolReference("b")), "Tools found: a, b"),
        ((Document(text="body", title="T"),), "Document: T\n\nbody"),
        (
            (Text("see"), PICTURE),
            [
                {"type": "input_text", "text": "see"},
                {"type": "input_image", "detail": "auto", "image_url": "https://e.example/a.png"},
            ],
        ),
        (
            (SearchResult("T", "s", (Text("x"),)), Document(Media(Carriage.URL, "https://e.example/a.pdf"))),
            [
                {"type": "input_text", "text": "Search result: T\nSource: s\n\nx"},
                {"type": "input_file", "file_url": "https://e.example/a.pdf"},
            ],
        ),
    ],
)
def test_outputs_are_text_where_text_will_do(parts: tuple[Any, ...], written: Any) -> None:
    """Else an array, with images and files in their places."""
    assert output(*parts) == written


def test_failed_calls_say_so() -> None:
    """There is no field for it."""
    assert output(Text("no such file"), is_error=True) == "Error: no such file"
    assert output(is_error=True) == "Error: The tool failed."
    assert output(PICTURE, is_error=True)[0]["text"].startswith("Error")


# ── Its own words ─────────────────────────────────────────────────────────────────────────────────


def test_items_of_this_protocol_pass_whole() -> None:
    """Parts of messages as well."""
    compaction = {"type": "compaction", "encrypted_content": "Z"}
    audio = {"type": "input_audio", "input_audio": {}}
    approval = {"type": "mcp_approval_response", "approve": True}
    search = {"type": "web_search_call", "id": "ws_1", "action": {}}
    items = write(
        assistant(
            Foreign("openai-responses", "compaction", compaction),
            HostedCall("ws_1", "web_search", raw=search),
        ),
        user(
            Foreign("openai-responses", "mcp_approval_response", approval),
            Foreign("openai-responses", "input_audio", audio),
        ),
        protocol="openai-responses",
    )
    assert items == [compaction, search, approval, {"type": "message", "role": "user", "content": [audio]}]


def test_models_that_see_no_images() -> None:
    """Are told of them."""
    assert write(user(PICTURE), images=False)[0]["content"] == [{"type": "input_text", "text": "[image]"}]
