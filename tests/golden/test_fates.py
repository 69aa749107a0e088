"""What becomes of every field of a request that goes out in another protocol.

The fields are those that the official SDKs can send: one that a new version of them adds fails here until it is decided
what becomes of it.
"""

from __future__ import annotations

from typing import Any, Final, get_args, get_origin, get_type_hints

import anthropic.types.beta.message_create_params as of_anthropic
import openai.types.chat.completion_create_params as of_chat
import openai.types.responses.response_create_params as of_responses
import pytest

from shunt.errors import InvalidRequest
from shunt.models.rules import rules_for
from shunt.protocols import codec_named
from shunt.protocols.codec import Encoded, Target

MESSAGES: Final = "anthropic-messages"
CHAT: Final = "openai-chat"
RESPONSES: Final = "openai-responses"

SCHEMA: Final = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
NO_ARGUMENTS: Final = {"type": "object", "properties": {}}
FUNCTION: Final = {"name": "ls", "parameters": NO_ARGUMENTS}
LEAST: Final[dict[str, dict[str, Any]]] = {
    MESSAGES: {"model": "asked", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    CHAT: {"model": "asked", "messages": [{"role": "user", "content": "hi"}]},
    RESPONSES: {"model": "asked", "input": "hi"},
}
TOOLS: Final[dict[str, list[dict[str, Any]]]] = {
    MESSAGES: [{"name": "ls", "input_schema": NO_ARGUMENTS}],
    CHAT: [{"type": "function", "function": FUNCTION}],
    RESPONSES: [{"type": "function", **FUNCTION}],
}
UPSTREAMS: Final = {
    "claude": (MESSAGES, "claude-sonnet-4-5", "anthropic"),
    "gpt on chat": (CHAT, "gpt-5.1", "openai"),
    "old gpt on chat": (CHAT, "gpt-4o", "openai"),
    "a server": (CHAT, "llama3", "compatible"),
    "gpt": (RESPONSES, "gpt-5.1", "openai"),
    "old gpt": (RESPONSES, "gpt-4o", "openai"),
    "codex": (RESPONSES, "gpt-5.1-codex", "codex"),
}
"""Name → protocol, model, vendor."""
OTHERS: Final = {
    MESSAGES: ("gpt on chat", "old gpt on chat", "a server", "gpt", "old gpt", "codex"),
    CHAT: ("claude", "gpt", "old gpt", "codex"),
    RESPONSES: ("claude", "gpt on chat", "old gpt on chat", "a server"),
}

SAID, PART, TOLD, HINT, REFUSED = "said", "part", "told", "hint", "refused"
"""It goes along in the upstream's words; only in part, and the client is told; it is left out and the client is told; it is left out and nobody misses it (or
it says what holds anyway); the request is refused, since without it the answer would be another."""

Row = tuple[str, Any, str]
"""A field, `name: what it is called when it is told` where that differs; a value; its fates at OTHERS, in their order, or
one for all."""

FATES: Final[dict[str, tuple[Row, ...]]] = {
    MESSAGES: (
        ("betas", ["x-2026-01-01"], HINT),
        ("billing_policy", "x", TOLD),
        ("cache_control", {"type": "ephemeral"}, HINT),
        ("compaction", {"type": "x"}, TOLD),
        ("container", "container_1", TOLD),
        ("context_management", {"edits": [{"type": "clear_tool_uses_20250919"}]}, HINT),
        ("diagnostics", {"x": 1}, HINT),
        ("fallback_credit_token", "x", TOLD),
        ("fallbacks", [{"model": "other"}], TOLD),
        ("inference_geo", "us", TOLD),
        ("max_tokens", 4096, "said said said said said hint"),
        ("mcp_servers", [{"type": "url", "url": "https://example.org", "name": "n"}], TOLD),
        ("metadata", {"user_id": "user_1"}, "said said hint said said hint"),
        ("output_config: output_config.effort", {"effort": "high"}, "said told said said told said"),
        ("output_config", {"format": {"type": "json_schema", "schema": SCHEMA}}, SAID),
        ("output_format", {"type": "json_schema", "schema": SCHEMA}, SAID),
        ("service_tier", "standard_only", "said said hint said said hint"),
        ("speed", "fast", "said said hint said said said"),
        ("stop_sequences", ["END"], "told said said told told told"),
        ("stream", True, "said said said said said hint"),
        ("system", "Be brief.", SAID),
        ("temperature", 0.5, "told said said told said told"),
        ("temperature", 1, "hint said said hint said hint"),
        ("thinking", {"type": "enabled", "budget_tokens": 2048}, "said told said said told said"),
        ("thinking", {"type": "adaptive"}, "hint hint hint said hint said"),
        ("thinking", {"type": "disabled"}, "said hint said said hint said"),
        ("thread", {"id": "thread_1"}, TOLD),
        ("tool_choice", {"type": "any"}, SAID),
        ("tool_choice", {"type": "auto", "disable_parallel_tool_use": True}, SAID),
        ("tools", TOOLS[MESSAGES], SAID),
        ("top_k", 40, TOLD),
        ("top_p", 0.9, "told said said told said told"),
        ("user_profile_id", "profile_1", HINT),
        ("workspace_id", "workspace_1", HINT),
        ("x_brand_new", 1, TOLD),
    ),
    CHAT: (
        ("audio", {"voice": "alloy", "format": "wav"}, REFUSED),
        ("frequency_penalty", 0.5, TOLD),
        ("function_call", "auto", "hint said said said"),
        ("functions", [FUNCTION], SAID),
        ("logit_bias", {"5": 1}, TOLD),
        ("logprobs", True, TOLD),
        ("max_completion_tokens", 500, "said said said hint"),
        ("max_tokens", 500, "said said said hint"),
        ("metadata", {"k": "v"}, "hint said said hint"),
        ("modalities", ["text"], HINT),
        ("modalities", ["text", "audio"], REFUSED),
        ("moderation", {"model": "m"}, TOLD),
        ("n", 1, HINT),
        ("n", 2, REFUSED),
        ("parallel_tool_calls", False, SAID),
        ("prediction", {"type": "content", "content": "x"}, TOLD),
        ("presence_penalty", 0.5, TOLD),
        ("presence_penalty", 0, HINT),
        ("prompt_cache_key", "k", "hint said said said"),
        ("prompt_cache_options", {"mode": "explicit"}, HINT),
        ("prompt_cache_retention", "24h", HINT),
        ("reasoning_effort", "high", "said said told said"),
        ("response_format", {"type": "json_object"}, "part said said said"),
        (
            "response_format",
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
            SAID,
        ),
        ("safety_identifier", "s", "said said said hint"),
        ("seed", 1, TOLD),
        ("service_tier", "priority", "hint said said said"),
        ("stop", ["END"], "said told told told"),
        ("store", True, HINT),
        ("stream", True, "said said said hint"),
        ("stream_options", {"include_usage": True}, HINT),
        ("temperature", 0.5, "said told said told"),
        ("tool_choice", "required", SAID),
        ("tools", TOOLS[CHAT], SAID),
        ("top_logprobs", 3, TOLD),
        ("top_p", 0.5, "said told said told"),
        ("user", "u", "said said said hint"),
        ("verbosity", "low", "told said told said"),
        ("verbosity", "medium", "hint said hint said"),
        ("web_search_options", {}, SAID),
        (
            "web_search_options: search_context_size",
            {"search_context_size": "high"},
            "part said said said",
        ),
        ("x_brand_new", 1, TOLD),
    ),
    RESPONSES: (
        ("access_programs", ["x"], TOLD),
        ("background", True, REFUSED),
        ("background", False, HINT),
        ("context_management", [{"type": "compaction"}], TOLD),
        ("conversation", "conv_1", REFUSED),
        ("image", {"x": 1}, HINT),
        ("include", ["reasoning.encrypted_content"], HINT),
        ("include", ["message.output_text.logprobs"], TOLD),
        ("include", ["file_search_call.results"], HINT),
        ("instructions", "Be brief.", SAID),
        ("max_output_tokens", 500, SAID),
        ("max_tool_calls", 3, TOLD),
        ("metadata", {"k": "v"}, HINT),
        ("moderation", {"model": "m"}, TOLD),
        ("parallel_tool_calls", False, SAID),
        ("previous_response_id", "resp_1", REFUSED),
        ("prompt", {"id": "prompt_1"}, REFUSED),
        ("prompt_cache_key", "k", "hint said said said"),
        ("prompt_cache_options", {"mode": "explicit"}, HINT),
        ("prompt_cache_retention", "24h", HINT),
        ("reasoning: reasoning.effort", {"effort": "high", "summary": "auto"}, "said said told said"),
        ("reasoning: reasoning.mode", {"mode": "x"}, TOLD),
        ("safety_identifier", "s", "said said said hint"),
        ("service_tier", "priority", "hint said said hint"),
        ("store", False, HINT),
        ("stream", True, SAID),
        ("stream_options", {"include_obfuscation": False}, HINT),
        ("temperature", 0.5, "said told said said"),
        (
            "text",
            {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
            SAID,
        ),
        ("text: text.format", {"format": {"type": "json_object"}}, "part said said said"),
        ("text: text.verbosity", {"verbosity": "low"}, "told said told told"),
        ("text", {"verbosity": "medium"}, "hint said hint hint"),
        ("tool_choice", "required", SAID),
        ("tools", TOOLS[RESPONSES], SAID),
        ("tools: tools.file_search", [{"type": "file_search", "vector_store_ids": ["x"]}], TOLD),
        ("top_logprobs", 3, TOLD),
        ("top_p", 0.5, "said told said said"),
        ("truncation", "auto", TOLD),
        ("truncation", "disabled", HINT),
        ("user", "u", "said said said hint"),
        ("x_brand_new", 1, TOLD),
    ),
}


def fates() -> list[Any]:
    """Each field at each upstream."""
    cases = []
    for protocol, rows in FATES.items():
        for told, value, words in rows:
            each = words.split() if " " in words else [words] * len(OTHERS[protocol])
            name, _, called = told.partition(": ")
            for upstream, fate in zip(OTHERS[protocol], each, strict=True):
                title = f"{protocol} {name}={str(value)[:40]} to {upstream}"
                cases.append(pytest.param(protocol, name, called or name, value, upstream, fate, id=title))
    return cases


def sent(protocol: str, document: dict[str, Any], upstream: str) -> Encoded:
    """A request as it goes out to an upstream."""
    spoken, model, vendor = UPSTREAMS[upstream]
    target = Target(model, rules_for(model, vendor), vendor, vendor, "account")
    return codec_named(spoken).encode_request(codec_named(protocol).decode_request(document), target)


@pytest.mark.parametrize(("protocol", "name", "called", "value", "upstream", "fate"), fates())
def test_every_field_has_its_fate(
    protocol: str, name: str, called: str, value: Any, upstream: str, fate: str
) -> None:
    """It goes along, is told under the client's own name for it, is no loss, or is refused; and leaks nowhere."""
    least = dict(LEAST[protocol])
    if name in ("tool_choice", "parallel_tool_calls"):
        least["tools"] = TOOLS[protocol]
    if name == "function_call":
        least["functions"] = [FUNCTION]
    if fate == REFUSED:
        with pytest.raises(InvalidRequest) as refused:
            sent(protocol, least | {name: value}, upstream)
        assert name in str(refused.value) or refused.value.param == name
        return
    without, found = sent(protocol, least, upstream), sent(protocol, least | {name: value}, upstream)
    assert (found.document != without.document) == (fate in (SAID, PART))
    assert not without.dropped
    assert found.dropped == ((called,) if fate in (TOLD, PART) else ())
    if fate in (TOLD, HINT) and without.document.get(name) != value:
        assert found.document.get(name) != value


@pytest.mark.parametrize(
    ("protocol", "parameters"),
    [
        (MESSAGES, of_anthropic.MessageCreateParams),
        (CHAT, of_chat.CompletionCreateParams),
        (RESPONSES, of_responses.ResponseCreateParams),
    ],
)
def test_no_field_of_the_official_sdks_is_forgotten(protocol: str, parameters: Any) -> None:
    """All that they can send stands in the table above, or in its least request."""
    decided = {name.partition(":")[0] for name, _, _ in FATES[protocol]} | LEAST[protocol].keys()
    assert _names(parameters) <= decided


def _names(parameters: Any) -> set[str]:
    if get_origin(parameters) is not None:
        return set().union(*map(_names, get_args(parameters)))
    return set(get_type_hints(parameters))
