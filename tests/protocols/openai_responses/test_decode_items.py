"""Items of a client's input as messages."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.inference import envelope
from shunt.inference.content import (
    Carriage,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Message,
    Role,
    Seal,
    SealForm,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from shunt.protocols.openai_responses.decode_items import History

Item = dict[str, Any]
NAME = "openai-responses"


def said(role: str, text: str, **fields: Any) -> Item:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


def call(call_id: str = "call_a", **fields: Any) -> Item:
    return {
        "type": "function_call",
        "id": "fc_1",
        "call_id": call_id,
        "name": "f",
        "arguments": '{"x":1}',
        **fields,
    }


def output(found: Any, call_id: str = "call_a", **fields: Any) -> Item:
    return {"type": "function_call_output", "call_id": call_id, "output": found, **fields}


def history(*items: Any, offered: tuple[str, ...] = ()) -> History:
    found = History(frozenset(offered))
    for place, item in enumerate(items):
        found.take(item, f"input[{place}]")
    return found


def read(*items: Any, offered: tuple[str, ...] = ()) -> tuple[Message, ...]:
    return history(*items, offered=offered).messages()


USER, ASSISTANT = Role.USER, Role.ASSISTANT


def test_what_the_model_did_in_a_run_is_one_message() -> None:
    """Reasoning, words and calls in their order; outputs in a row are one, too."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
    found = read(
        said("user", "go"),
        thought,
        said("assistant", "ok"),
        call(),
        call("call_b"),
        output("ra"),
        output("rb", "call_b"),
        said("user", "next"),
    )
    assert found == (
        Message(USER, (Text("go"),)),
        Message(
            ASSISTANT,
            (
                Thinking("hm", summary=True),
                Text("ok"),
                ToolCall("call_a", "f", '{"x":1}'),
                ToolCall("call_b", "f", '{"x":1}'),
            ),
        ),
        Message(USER, (ToolResult("call_a", (Text("ra"),)), ToolResult("call_b", (Text("rb"),)))),
        Message(USER, (Text("next"),)),
    )


def test_phases_are_kept_apart() -> None:
    """The vendor wants them back as they were."""
    found = read(
        said("assistant", "aside", phase="commentary"), call(), said("assistant", "end", phase="final_answer")
    )
    assert [(message.phase, len(message.parts)) for message in found] == [
        ("commentary", 2),
        ("final_answer", 1),
    ]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("user", Role.USER),
        ("system", Role.SYSTEM),
        ("developer", Role.DEVELOPER),
        ("assistant", Role.ASSISTANT),
    ],
)
def test_roles(role: str, expected: Role) -> None:
    """With or without a type."""
    assert read({"role": role, "content": "hi"})[0] == Message(expected, (Text("hi"),))


def test_a_role_that_is_new_to_us_is_the_users() -> None:
    """And is reported."""
    found = history(said("user", "a"), said("critic", "b"))
    assert found.messages()[1] == Message(USER, (Text("b"),))
    assert found.changed == ["input[1].role"]


@pytest.mark.parametrize(
    ("given", "parts", "failed"),
    [
        ("done", (Text("done"),), False),
        ([{"type": "input_text", "text": "see"}], (Text("see"),), False),
        (
            [{"type": "input_image", "image_url": "https://e.example/a.png"}],
            (Image(Media(Carriage.URL, "https://e.example/a.png")),),
            False,
        ),
        ({"content": "no such file", "success": False}, (Text("no such file"),), True),
        ({"exit_code": 0}, (Text('{"exit_code":0}'),), False),
        ([{"type": "refusal", "refusal": "no"}], (Text("no"),), False),
        (None, (), False),
        (5, (Text("5"),), False),
    ],
)
def test_outputs_of_every_form(given: Any, parts: tuple[Any, ...], failed: bool) -> None:
    """Texts, images, and what older clients send."""
    assert read(output(given))[0].parts == (ToolResult("call_a", parts, failed),)


def test_custom_calls_hold_free_text() -> None:
    """Which is no JSON."""
    found = read(
        {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "*** Begin\n"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"},
    )
    assert found[0].parts == (ToolCall("c", "apply_patch", "*** Begin\n", custom=True),)
    assert found[1].parts == (ToolResult("c", (Text("ok"),), custom=True),)


def test_calls_in_a_namespace_and_with_odd_arguments() -> None:
    """Objects are accepted where text is due; nothing is an empty object."""
    found = read(call(namespace="fs", arguments={"x": 1}), call("b", arguments=""))
    assert found[0].parts == (ToolCall("call_a", "f", '{"x":1}', namespace="fs"), ToolCall("b", "f", "{}"))


@pytest.mark.parametrize(
    ("sealed", "seal"),
    [
        ("gAAAAABo", Seal("openai", SealForm.ENCRYPTED, "gAAAAABo")),
        (
            envelope.wrap(Seal("anthropic", SealForm.SIGNATURE, "EqQB", "acc")),
            Seal("anthropic", SealForm.SIGNATURE, "EqQB", "acc"),
        ),
        ("", None),
        (None, None),
    ],
)
def test_reasoning_keeps_its_proof(sealed: Any, seal: Seal | None) -> None:
    """The vendor's own, or what our envelope holds."""
    summary = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    found = read({"type": "reasoning", "summary": summary, "encrypted_content": sealed})
    assert found[0].parts == (Thinking("a\n\nb", seal, summary=True),)


def test_reasoning_without_anything_is_left_out() -> None:
    """Its words count where there is no summary."""
    assert read({"type": "reasoning", "summary": []}) == ()
    words = [{"type": "reasoning_text", "text": "raw"}]
    assert read({"type": "reasoning", "summary": [], "content": words})[0].parts == (Thinking("raw"),)


def test_searches_of_the_vendor() -> None:
    """A call and what it found."""
    item = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "cats"},
    }
    (message,) = read(item)
    assert isinstance(message.parts[0], HostedCall)
    assert isinstance(message.parts[1], HostedResult)
    assert message.parts[0].input == '{"query":"cats"}'


# ── Tools of a fixed form ─────────────────────────────────────────────────────────────────────────

SHELL = {
    "type": "local_shell_call",
    "id": "ls_1",
    "call_id": "sh",
    "status": "completed",
    "action": {"type": "exec", "command": ["ls"], "env": {}},
}
LISTED = {"type": "local_shell_call_output", "id": "ls_1", "output": "FILES"}


def test_a_shell_that_is_offered_is_a_tool() -> None:
    """Its output may name the item instead of the call."""
    found = read(SHELL, LISTED, offered=("local_shell",))
    (made,), (result,) = found[0].parts, found[1].parts
    assert isinstance(made, ToolCall)
    assert (made.id, made.name, json.loads(made.arguments)) == (
        "sh",
        "local_shell",
        {"command": ["ls"], "env": {}},
    )
    assert result == ToolResult("sh", (Text("FILES"),))


def test_a_shell_that_is_not_offered_is_told_in_words() -> None:
    """A model must not call what it was not given."""
    found = read(SHELL, LISTED)
    (made,), (result,) = found[0].parts, found[1].parts
    assert isinstance(made, Foreign)
    assert made.raw == SHELL
    assert '"ls"' in made.text
    assert isinstance(result, Foreign)
    assert "FILES" in result.text


def test_tools_that_a_search_brought_up_are_offered() -> None:
    """They are nowhere else in the request."""
    tools = [{"type": "namespace", "name": "git", "tools": [{"type": "function", "name": "log"}]}]
    found = history(
        {"type": "tool_search_call", "call_id": "s", "execution": "client", "arguments": {"query": "git"}},
        {"type": "tool_search_output", "call_id": "s", "tools": tools},
        {"type": "additional_tools", "role": "developer", "tools": [{"type": "function", "name": "more"}]},
        offered=("tool_search",),
    )
    assert found.messages()[1].parts == (ToolResult("s", (Text("Tools found: git__log"),)),)
    assert found.tools == [
        (tools, "input[1].tools"),
        ([{"type": "function", "name": "more"}], "input[2].tools"),
    ]


# ── The rest ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("item", "role", "text"),
    [
        ({"type": "compaction", "encrypted_content": "ZZZ"}, ASSISTANT, ""),
        ({"type": "novel_item", "text": "novel"}, USER, "novel"),
        ({"type": "novel_call", "text": "novel"}, ASSISTANT, "novel"),
        ({"type": "computer_call_output", "call_id": "c", "output": {}}, USER, "[A screenshot was taken]"),
        ({"type": "mcp_approval_response", "approve": True}, USER, "[The user approved the call]"),
    ],
)
def test_items_that_others_lack_are_kept(item: Item, role: Role, text: str) -> None:
    """Whole, with what can be said in their place."""
    assert read(item) == (Message(role, (Foreign(NAME, item["type"], item, text),)),)


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "rs_1"}, {"id": "rs_1"}])
def test_references_cannot_be_looked_up(item: Item) -> None:
    """The account that answers did not store them."""
    with pytest.raises(InvalidRequest) as caught:
        read(said("user", "hi"), item)
    assert caught.value.param == "input[1]"


@pytest.mark.parametrize("item", [5, None, {**call(), "name": ""}, {**call(), "name": 5}])
def test_what_is_no_item_is_named(item: Any) -> None:
    """By its place."""
    with pytest.raises(InvalidRequest, match=r"input\[0\]"):
        read(item)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(
                    [
                        "message",
                        "reasoning",
                        "function_call",
                        "function_call_output",
                        "shell_call",
                        "web_search_call",
                        "x",
                    ]
                ),
                "role": st.sampled_from(["user", "assistant", "ctx"]),
                "name": st.text(max_size=3),
                "content": st.none() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2),
                "summary": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=2),
                "action": st.none() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
                "output": st.none()
                | st.integers()
                | st.text(max_size=3)
                | st.dictionaries(st.text(max_size=3), st.none()),
            },
        ),
        max_size=5,
    )
)
def test_any_items_are_read_or_refused(items: list[Item]) -> None:
    """Nothing but InvalidRequest comes out of it."""
    with suppress(InvalidRequest):
        read(*items)
