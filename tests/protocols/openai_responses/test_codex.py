"""The dialect of the ChatGPT backend."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.errors import InvalidRequest
from shunt.protocols.openai_responses.codex import ALLOWED, fits, fitted

USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}


def body(**changes: Any) -> dict[str, Any]:
    return {"model": "m", "instructions": "", "input": [USER], "store": False, "stream": True, **changes}


def test_everything_the_backend_refuses_is_left_out() -> None:
    """What a client might miss is reported."""
    found = fitted(
        body(
            temperature=0.5,
            top_p=0.9,
            max_output_tokens=9,
            truncation="auto",
            metadata={"a": "b"},
            user="u",
            safety_identifier="u",
            stream_options={},
            prompt_cache_retention="24h",
            context_management=[],
            x_brand_new=1,
            previous_response_id=None,
            background=False,
        )
    )
    assert set(found.document) <= set(ALLOWED)
    assert found.dropped == ("temperature", "top_p", "truncation", "context_management", "x_brand_new")


def test_what_it_understands_stays() -> None:
    """Items and tools that nobody else knows, too."""
    told = body(
        tools=[{"type": "tool_search"}],
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        text={"verbosity": "low"},
        prompt_cache_key="k",
        client_metadata={"a": "b"},
        parallel_tool_calls=True,
        input=[{"type": "novel", "x": 1}],
    )
    assert fitted(told).document == told


@pytest.mark.parametrize("given", ["hi", USER])
def test_input_is_a_list(given: Any) -> None:
    """As the backend demands."""
    found = fitted({"model": "m", "input": given}).document
    assert found["input"] == [USER]
    assert (found["instructions"], found["store"], found["stream"]) == ("", False, True)


def test_items_are_made_fit() -> None:
    """Nothing is looked up by id; there is no role `system`, and no cache breakpoint."""
    marked = {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    found = fitted(
        body(
            input=[
                {"type": "message", "id": "msg_1", "role": "system", "content": [marked]},
                {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"},
            ]
        )
    ).document["input"]
    assert found == [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"},
    ]


@pytest.mark.parametrize(
    ("tier", "sent"), [("priority", "priority"), ("fast", "priority"), ("flex", None), (None, None)]
)
def test_one_tier_is_known(tier: str | None, sent: str | None) -> None:
    """Any other is the plan's own."""
    assert fitted(body(service_tier=tier)).document.get("service_tier") == sent


def test_the_preview_of_the_search_is_the_search() -> None:
    """The backend knows only one."""
    found = fitted(
        body(tools=[{"type": "web_search_preview_2025_03_11", "search_context_size": "low"}])
    ).document
    assert found["tools"] == [{"type": "web_search", "search_context_size": "low"}]


def test_shortening_a_conversation_neither_stores_nor_streams() -> None:
    """Its endpoint takes neither field."""
    found = fitted(body(), compact=True).document
    assert not {"store", "stream"} & set(found)
    assert fits(found | {"client_metadata": {}}, compact=True)
    assert not fits(body(), compact=True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_not_found"),
        ({"conversation": "conv_1"}, ""),
        ({"prompt": {"id": "p"}}, ""),
        ({"background": True}, ""),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, ""),
    ],
)
def test_stored_state_does_not_exist(changes: dict[str, Any], code: str) -> None:
    """An answer that ignored it would be about something else."""
    with pytest.raises(InvalidRequest) as caught:
        fitted(body(**changes))
    assert caught.value.code == code


CODEX = {
    "model": "gpt-5.5",
    "stream": True,
    "store": False,
    "input": [
        {**USER, "id": "msg_1"},
        {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": ""},
    ],
    "tools": [{"type": "web_search"}],
    "client_metadata": {"thread_id": "t"},
    "prompt_cache_key": "t",
}


def test_what_codex_sends_passes_untouched() -> None:
    """It leaves instructions out, and its items have ids."""
    assert fits(CODEX)


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 1},
        {"store": True},
        {"stream": False},
        {"input": "hi"},
        {"client_metadata": None, "instructions": None, "metadata": {}},
        {"service_tier": "flex"},
        {"tools": [{"type": "web_search_preview"}]},
        {"input": [{"type": "message", "role": "system", "content": []}]},
        {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
        {"input": [{"type": "item_reference", "id": "x"}]},
        {"input": [{"type": "message", "role": "user", "content": [{"prompt_cache_breakpoint": {}}]}]},
        {"input": [5]},
    ],
)
def test_what_the_backend_would_refuse_does_not_pass(changes: dict[str, Any]) -> None:
    """It has to be made fit."""
    assert not fits(CODEX | changes)


def test_a_body_without_instructions_that_is_not_codexs() -> None:
    """The backend is known to refuse that."""
    plain = {name: value for name, value in CODEX.items() if name != "client_metadata"}
    assert not fits(plain)
    assert fits(plain | {"instructions": ""})


def test_what_was_made_fit_fits() -> None:
    """Made fit again, it stays the same."""
    found = fitted({"model": "m", "input": "hi", "temperature": 1, "service_tier": "fast"}).document
    assert fits(found)
    assert fitted(found).document == found
