"""A whole answer in Chat's words."""

from __future__ import annotations

from typing import Any

from shunt.inference.content import Refusal, Text, Thinking, ToolCall
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.restoration import Restoration
from shunt.protocols.codec import Encoded
from shunt.protocols.openai_chat import answer_words as words
from shunt.protocols.openai_chat.reasoning import ReasoningWriter
from shunt.protocols.openai_chat.stops import FINISH


def encode_answer(answer: Answer, request: GenerateRequest, request_id: str) -> Encoded:
    """A plain answer for the client of `request`."""
    answer = Restoration(request).answer(answer)
    message, dropped = _message(answer, words.CallForm(request))
    finish = "function_call" if "function_call" in message and answer.stop is Stop.TOOL_USE else None
    document = {
        "id": words.answer_id(request_id),
        "object": "chat.completion",
        "created": answer.created,
        "model": request.model,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": finish or FINISH[answer.stop],
            }
        ],
        "usage": words.usage_fields(answer.usage),
        **words.tier_fields(answer.tier),
    }
    if answer.unknown_stop:
        dropped.append("stop_reason")
    return Encoded(document, tuple(dropped))


def _message(answer: Answer, form: words.CallForm) -> tuple[dict[str, Any], list[str]]:
    texts = [part for part in answer.parts if isinstance(part, Text)]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)]
    refusal = "".join(part.text for part in answer.parts if isinstance(part, Refusal))
    if answer.stop is Stop.REFUSAL and not refusal:
        refusal = answer.explanation
    content = "".join(text.text for text in texts)
    dropped = []
    if any(words.has_other_sources(text.citations) for text in texts):
        dropped.append("citations")
    message: dict[str, Any] = {
        "role": "assistant",
        "content": content or (None if calls or refusal else ""),
        "refusal": refusal or None,
        "annotations": _annotations(texts),
        **_reasoning([part for part in answer.parts if isinstance(part, Thinking)]),
    }
    if calls and form.legacy:
        first = calls[0]
        message["function_call"] = {"name": words.call_name(first), "arguments": form.arguments(first)}
        if len(calls) > 1:
            dropped.append("tool_calls")
    elif calls:
        message["tool_calls"] = [form.fields(call, form.arguments(call)) for call in calls]
    return message, dropped


def _annotations(texts: list[Text]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    base = 0
    for text in texts:
        found += words.url_citations(text, base)
        base += len(text.text)
    return found


def _reasoning(thoughts: list[Thinking]) -> dict[str, Any]:
    writer = ReasoningWriter()
    told = "".join(writer.words(n, thinking.text) for n, thinking in enumerate(thoughts))
    details = [found for n, thinking in enumerate(thoughts) if (found := writer.detail(n, thinking))]
    return ({"reasoning_content": told} if told else {}) | ({"reasoning_details": details} if details else {})
