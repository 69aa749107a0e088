"""Responses requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.protocols.openai_responses.outline import outline


def body(**changes: Any) -> bytes:
    return json.dumps({"model": "gpt-5.5", "input": "hello"} | changes).encode()


def item(role: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def test_the_facts() -> None:
    """Model, stream and the cache key that names the conversation."""
    facts = outline(body(stream=True, prompt_cache_key="thread-1", store=False))
    assert (facts.model, facts.stream, facts.session, facts.chained) == ("gpt-5.5", True, "thread-1", False)


def test_a_string_and_an_item_are_the_same_input() -> None:
    """The short form of the API means one user message."""
    assert outline(body()).fingerprint == outline(body(input=[item("user", "hello")])).fingerprint


def test_instructions_and_developer_items_count_alike() -> None:
    """Codex sends its prompt as a developer item, others as `instructions`."""
    plain = outline(body()).fingerprint
    as_item = outline(body(input=[item("developer", "be good"), item("user", "hello")])).fingerprint
    assert as_item == outline(body(instructions="be good")).fingerprint != plain


def test_later_turns_keep_the_fingerprint() -> None:
    """Calls, outputs and reminders come and go."""
    later = [
        item("user", "hello"),
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "x"},
        item("developer", "reminder"),
    ]
    assert outline(body(input=later)).fingerprint == outline(body()).fingerprint


@pytest.mark.parametrize(
    ("changes", "chained"),
    [
        ({"previous_response_id": "resp_1"}, True),
        ({"previous_response_id": None, "conversation": None}, False),
        ({"conversation": {"id": "conv_1"}}, True),
        ({"prompt": {"id": "pmpt_1"}}, True),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, True),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]}, True),
        (
            {
                "input": [
                    {"type": "function_call_output", "output": [{"type": "input_image", "file_id": "file-1"}]}
                ]
            },
            True,
        ),
        (
            {
                "input": [
                    {"role": "user", "content": [{"type": "input_image", "file_id": None, "image_url": "x"}]}
                ]
            },
            False,
        ),
        ({"input": [{"type": "reasoning", "id": "rs_1", "encrypted_content": "x"}]}, False),
    ],
)
def test_what_only_one_account_holds(changes: dict[str, Any], chained: bool) -> None:
    """Stored responses, conversations, prompts, items and files; echoed ids alone do not count."""
    assert outline(body(**changes)).chained is chained


def test_stored_state_may_stand_in_for_input_and_model() -> None:
    """The API allows it, so it is not refused here."""
    assert outline(b'{"model":"m","previous_response_id":"resp_1"}').chained
    assert outline(b'{"prompt":{"id":"pmpt_1"}}').model == ""


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "empty"),
        (b"[1,2]", "got `array`"),
        (b'{"input": "x"}', "`model` is missing"),
        (b'{"model": "m"}', "`input` is missing"),
        (b'{"model": "m", "input": 5}', "`input` must be an array, got a number"),
        (b'{"model": "m", "input": ["x"]}', r"`input\[0\]` has the wrong shape"),
        (b'{"model": "m", "input": 5, "previous_response_id": "r"}', "`input` must be an array"),
    ],
)
def test_what_is_no_request_is_refused(raw: bytes, said: str) -> None:
    """The client learns what is wrong and where."""
    with pytest.raises(InvalidRequest, match=said):
        outline(raw)
