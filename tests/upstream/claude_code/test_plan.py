"""A Messages request, taken apart for a program that takes what people type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.upstream.claude_code.plan import LONGEST, PREFIX, digest, plan_of


def request(*messages: Any, **fields: Any) -> bytes:
    """A body."""
    return json.dumps({"model": "claude-opus-5-5", "messages": list(messages), **fields}).encode()


def user(content: Any) -> dict[str, Any]:
    """A person's turn."""
    return {"role": "user", "content": content}


def test_the_last_turn_is_cut_off() -> None:
    """History, results and question; roles alternate, neighbours are joined, empty texts are gone."""
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": "sun",
        "cache_control": {"type": "ephemeral"},
    }
    plan = plan_of(
        request(
            user("one"),
            user([{"type": "text", "text": "two"}, {"type": "text", "text": " "}]),
            {"role": "assistant", "content": [call]},
            user([result, {"type": "text", "text": "and now?"}]),
            tools=[{"name": "look", "input_schema": {"type": "object"}}],
        )
    )
    assert [turn["role"] for turn in plan.history] == ["user", "assistant"]
    assert [block["text"] for block in plan.history[0]["content"]] == ["one", "two"]
    assert plan.history[1]["content"][0]["name"] == f"{PREFIX}look"
    assert plan.results == ({"type": "tool_result", "tool_use_id": "t1", "content": "sun"},)
    assert plan.question == ({"type": "text", "text": "and now?"},)


def test_instructions_are_joined_without_another_clients_attribution() -> None:
    """Blocks become one text; the line in which a Claude Code tells its version is not told twice."""
    blocks = [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=1;"},
        {"type": "text", "text": "Be kind."},
        {"type": "text", "text": "Be short."},
    ]
    assert plan_of(request(user("hi"), system=blocks)).system == "Be kind.\n\nBe short."


def test_a_system_text_in_mid_conversation_stays_in_its_place() -> None:
    """As a marked reminder in the person's turn."""
    plan = plan_of(request(user("hi"), {"role": "system", "content": "It is noon."}))
    assert plan.question[1]["text"] == "<system-reminder>\nIt is noon.\n</system-reminder>"


def test_a_prefilled_answer_is_followed_by_a_turn() -> None:
    """The program answers people; the report names it."""
    plan = plan_of(request(user("hi"), {"role": "assistant", "content": "Well,"}))
    assert (plan.question[0]["text"], plan.dropped) == ("Continue.", ("prefill",))


@pytest.mark.parametrize("name", ["get time/zone", "x" * (LONGEST + 1)])
def test_names_that_do_not_fit_are_shortened_the_same_way_each_time(name: str) -> None:
    """And lead back to the client's own."""
    plan = plan_of(request(user("hi"), tools=[{"name": name}]))
    (alias,) = plan.aliases
    assert plan.aliases[alias] == name
    assert len(alias) <= 128
    assert alias == next(iter(plan_of(request(user("ho"), tools=[{"name": name}])).aliases))


def test_no_tools_when_none_may_be_chosen() -> None:
    """`tool_choice: none` offers none; a forced choice cannot be said and is reported."""
    tools = [{"name": "look"}]
    assert plan_of(request(user("hi"), tools=tools, tool_choice={"type": "none"})).tools == ()
    forced = plan_of(request(user("hi"), tools=tools, tool_choice={"type": "any"}))
    assert forced.dropped == ("tool_choice",)


def test_tools_of_the_vendor_are_reported() -> None:
    """A hosted tool would run elsewhere: it is left out and named."""
    hosted = {"type": "web_search_20250305", "name": "web_search"}
    assert plan_of(request(user("hi"), tools=[hosted])).dropped == ("tools.web_search",)


@pytest.mark.parametrize(
    ("fields", "switches"),
    [
        ({}, ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, ("--max-thinking-tokens", "2048")),
        ({"thinking": {"type": "disabled"}}, ("--thinking", "disabled")),
        (
            {"thinking": {"type": "adaptive", "display": "summarized"}},
            ("--thinking", "adaptive", "--thinking-display", "summarized"),
        ),
        ({"output_config": {"effort": "high"}}, ("--effort", "high")),
    ],
)
def test_thinking_and_effort(fields: dict[str, Any], switches: tuple[str, ...]) -> None:
    """On, off, adaptive, with a budget; as the program's switches."""
    assert plan_of(request(user("hi"), **fields)).switches == switches


@pytest.mark.parametrize(
    ("metadata", "session"),
    [
        ({"conversation_id": "c1"}, "c1"),
        ({"user_id": '{"session_id":"0b0c3703-e9d8"}'}, "0b0c3703-e9d8"),
        ({"user_id": "somebody"}, ""),
        (None, ""),
    ],
)
def test_the_conversation_that_a_body_names(metadata: Any, session: str) -> None:
    """A label in the metadata, or the session in it."""
    assert plan_of(request(user("hi"), metadata=metadata)).session == session


def test_wishes_without_a_switch_are_reported() -> None:
    """Temperature and stop sequences cannot be said."""
    plan = plan_of(request(user("hi"), temperature=0.1, stop_sequences=["x"], max_tokens=9))
    assert (plan.dropped, plan.max_tokens) == (("temperature", "stop_sequences"), 9)


def test_a_digest_is_the_same_for_every_spelling() -> None:
    """Texts as strings or blocks, with thinking or cache marks or without."""
    plain = plan_of(request(user("one"), {"role": "assistant", "content": "two"}, user("three")))
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    said = [thought, {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}]
    spelled = plan_of(
        request(user([{"type": "text", "text": "one"}]), {"role": "assistant", "content": said}, user("x"))
    )
    assert digest("s", plain.history) == digest("s", spelled.history)
    assert digest("s", plain.history) != digest("t", plain.history)
    assert digest("s", plain.history) != digest("s", plain.turns)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        request(),
        request("hi"),
        request({"role": "user", "content": 5}),
        request(user(["x"])),
        request(user("")),
    ],
)
def test_nonsense_is_refused(body: bytes) -> None:
    """With the name of the field."""
    with pytest.raises(InvalidRequest, match="message"):
        plan_of(body)
