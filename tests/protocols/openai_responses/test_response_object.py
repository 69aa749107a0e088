"""The response object."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import Response

from shunt.errors import Kind
from shunt.inference.failure import Failure
from shunt.inference.request import (
    ChoiceMode,
    Effort,
    FormatKind,
    GenerateRequest,
    OutputFormat,
    Reasoning,
    ToolChoice,
)
from shunt.inference.response import Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_responses.response_object import answering, base_of, ended, failed, write_usage


def test_what_was_asked_for_is_repeated() -> None:
    """As far as it is short."""
    request = GenerateRequest(
        "m",
        max_output=5,
        temperature=0.5,
        parallel_tools=False,
        reasoning=Reasoning(Effort.LOW, display="auto"),
        format=OutputFormat(FormatKind.JSON_SCHEMA, {"type": "object"}, "out"),
        verbosity="low",
        tool_choice=ToolChoice(ChoiceMode.NAMED, "f"),
        metadata={"a": "b"},
        cache_key="k",
    )
    found = answering(request, "req_1", 7)
    assert (found["id"], found["model"], found["created_at"]) == ("resp_1", "m", 7)
    assert (found["max_output_tokens"], found["temperature"], found["parallel_tool_calls"]) == (5, 0.5, False)
    assert found["reasoning"] == {"effort": "low", "summary": "auto"}
    assert found["tool_choice"] == {"type": "function", "name": "f"}
    assert found["text"]["format"]["name"] == "out"
    assert found["text"]["verbosity"] == "low"
    assert (found["metadata"], found["prompt_cache_key"]) == ({"a": "b"}, "k")


@pytest.mark.parametrize(
    "request_",
    [
        GenerateRequest("m"),
        GenerateRequest(
            "m", format=OutputFormat(FormatKind.JSON_OBJECT), tool_choice=ToolChoice(ChoiceMode.NONE)
        ),
        GenerateRequest("m", tool_choice=ToolChoice(ChoiceMode.NAMED, hosted="file_search")),
        GenerateRequest("m", tool_choice=ToolChoice(allowed=("f",))),
    ],
)
def test_the_sdk_takes_it(request_: GenerateRequest) -> None:
    """Checked against the vendor's own types."""
    document = answering(request_, "req_1", 0) | ended(Stop.END_TURN, Usage(), declined=False)
    assert Response.model_validate(document, strict=False).status == "completed"


def test_counts() -> None:
    """Cached tokens are part of the input here."""
    assert write_usage(Usage(25, 75, 20, 5, 9, 4)) == {
        "input_tokens": 125,
        "input_tokens_details": {"cached_tokens": 75, "cache_write_tokens": 25},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 134,
    }


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure(Kind.CONTEXT_OVERFLOW, "long"), {"code": "context_length_exceeded", "message": "long"}),
        (
            Failure(Kind.RATE_LIMITED, "slow", retry_after=20),
            {"code": "rate_limit_exceeded", "message": "slow Please try again in 20s."},
        ),
        (
            Failure(Kind.RATE_LIMITED, "Try again in 5s", retry_after=20),
            {"code": "rate_limit_exceeded", "message": "Try again in 5s"},
        ),
        (Failure(Kind.UPSTREAM, "broke", code="own"), {"code": "own", "message": "broke"}),
    ],
)
def test_failures_in_the_words_that_codex_acts_upon(failure: Failure, error: dict[str, Any]) -> None:
    """A code, and how long to wait."""
    assert failed(failure) == {"status": "failed", "error": error}


def test_ids_are_made_of_ours() -> None:
    """And short enough for all that is put around them."""
    assert base_of("req_abc") == "abc"
    assert len(base_of("req_" + "x" * 99)) == 40
