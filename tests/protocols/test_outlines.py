"""Facts of request bodies, as all protocols read them."""

from __future__ import annotations

import json as plain
from typing import Any

import pytest
from msgspec import Raw

from shunt.errors import InvalidRequest
from shunt.protocols import outlines


def raw(value: Any) -> Raw:
    return Raw(plain.dumps(value).encode())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("hello", ["hello"]),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "input_text", "text": "b"}], ["a", "b"]),
        ([{"type": "text", "text": 5}, None, "stray"], []),
        (None, []),
        ({"text": "not a list"}, []),
    ],
)
def test_texts_of_any_content(content: Any, expected: list[str]) -> None:
    """A string or a list of parts; what is neither has no text."""
    assert outlines.texts(raw(content)) == expected


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"role": "user", "content": "hi"}], ([], "hi")),
        ([{"role": "system", "content": "be"}, {"role": "user", "content": "hi"}], (["be"], "hi")),
        (
            [
                {"role": "user", "content": [{"type": "image"}]},
                {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
            ],
            ([], "a\nb"),
        ),
        ([{"role": "user", "content": "hi"}, {"role": "system", "content": "late"}], ([], "hi")),
        ([{"role": "assistant", "content": "no"}], ([], "")),
        ([], ([], "")),
    ],
)
def test_how_a_conversation_opens(messages: list[Any], expected: tuple[list[str], str]) -> None:
    """The first user text, and the instructions before it: both stay the same for a whole conversation."""
    items = [raw(message) for message in messages]
    assert outlines.opening(items, "messages", frozenset({"system"})) == expected


def test_a_message_that_is_none_is_named() -> None:
    """The client learns which of its messages is wrong."""
    with pytest.raises(
        InvalidRequest, match=r"`messages\[1\]` has the wrong shape: Expected `object`, got `str`"
    ):
        outlines.opening([raw({"role": "assistant"}), raw("hi")], "messages", frozenset())


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        ([{"name": "Bash"}, {"name": "Read"}], ["Bash", "Read"]),
        (
            [{"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "g"}}],
            ["f", "g"],
        ),
        ([{"type": "web_search"}], ["web_search"]),
        ([5, {}], ["", ""]),
        ("none", []),
        (None, []),
    ],
)
def test_tools_have_names(tools: Any, expected: list[str]) -> None:
    """Each protocol's way of naming a tool is understood."""
    assert outlines.tool_names(raw(tools)) == expected


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (Raw(), "`model` is missing."),
        (raw(None), "`model` must be a string, got null."),
        (raw(["m"]), "`model` must be a string, got an array."),
        (raw({}), "`model` must be a string, got an object."),
        (raw(5), "`model` must be a string, got a number."),
        (raw(""), "`model` is empty."),
    ],
)
def test_what_is_wrong_with_a_field(field: Raw, said: str) -> None:
    """The message names the field and what was found in it."""
    with pytest.raises(InvalidRequest) as caught:
        outlines.required_text(field, "model")
    assert str(caught.value) == said


def test_a_body_s_worth_of_name_is_no_model() -> None:
    """A model's name is looked at again and again, so its length has an end."""
    assert outlines.model_name(raw("m" * outlines.LONGEST_MODEL)) == "m" * outlines.LONGEST_MODEL
    with pytest.raises(InvalidRequest, match="longer than 1,000"):
        outlines.model_name(raw("m" * (outlines.LONGEST_MODEL + 1)))


def sketch(**changes: Any) -> Any:
    facts: dict[str, Any] = {
        "model": "m",
        "stream": False,
        "session": "",
        "system": ["s"],
        "first": "f",
        "tools": ["b", "a"],
        "chained": False,
    }
    return outlines.sketch(**facts | changes)


def test_a_fingerprint_is_of_system_text_and_tools() -> None:
    """Each of the three changes it; the order of tools, the model and the session do not."""
    same = sketch().fingerprint
    assert sketch(tools=["a", "b"], model="other", stream=True, session="x").fingerprint == same
    others = [sketch(system=["t"]), sketch(first="g"), sketch(tools=["a"])]
    assert len({same, *(other.fingerprint for other in others)}) == 4


def test_an_opening_is_of_the_first_text_alone() -> None:
    """Conversations that share a session id are told apart by it."""
    assert sketch(system=["t"]).opening == sketch().opening != sketch(first="g").opening


def test_nothing_said_is_no_conversation() -> None:
    """Requests without any words do not all stick together."""
    assert sketch(system=[], first="").fingerprint == b""
    assert sketch(first="").opening == b""


def test_parts_are_found_at_any_depth() -> None:
    """Parts of messages, of tool results and of outputs, but not what a tool was called with."""
    messages = [
        {"content": [{"type": "a"}, {"type": "tool_result", "content": [{"type": "b"}]}]},
        {"type": "function_call_output", "output": [{"type": "c"}]},
        {"content": [{"type": "tool_use", "input": {"content": [{"type": "hidden"}]}}]},
        "stray",
    ]
    assert [part.get("type") for part in outlines.parts(messages) if part.get("type")] == [
        "a",
        "tool_result",
        "b",
        "function_call_output",
        "c",
        "tool_use",
    ]
