"""Chat bodies without reasoning that their upstream cannot read."""

from __future__ import annotations

from typing import Any

import pytest

from shunt.inference.content import Seal, SealForm, Thinking
from shunt.protocols.openai_chat.reasoning import ReasoningWriter
from shunt.protocols.openai_chat.without_reasoning import adapt_request, without_reasoning
from tests.protocols.openai_chat.targets import SERVER

HI = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CLAUDE = Seal("anthropic", SealForm.SIGNATURE, "EqQB")
OWN = Seal("api.example.org", SealForm.PLAIN, '{"field":"reasoning","calls":{"c1":{"x":1}}}', "acc")


def body(**message: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [HI, {"role": "assistant", "content": "a", **message}, HI], "x": 1}


def kept(thinking: Thinking) -> dict[str, Any]:
    """What a client keeps of a sealed thought."""
    writer = ReasoningWriter()
    words = writer.words(0, thinking.text)
    return {"reasoning_content": words, "reasoning_details": [writer.detail(0, thinking)]}


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        kept(Thinking("hm", CLAUDE)),
        {"thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "EqQB"}]},
    ],
)
def test_stripped(message: dict[str, Any]) -> None:
    """Reasoning goes from every place where clients keep it; the turn and all else stay."""
    given = body(**message)
    assert without_reasoning(given) == body()
    assert given == body(**message)


def test_blocks_stripped() -> None:
    """Anthropic's blocks within the content go, too."""
    text = {"type": "text", "text": "a"}
    thinking = {"type": "thinking", "thinking": "hm", "signature": "EqQB"}
    assert without_reasoning(body(content=[thinking, text])) == body(content=[text])


@pytest.mark.parametrize("document", [body(), {}, {"messages": "x"}, {"messages": ["x"]}])
def test_nothing_to_strip(document: dict[str, Any]) -> None:
    """A body without reasoning is left alone."""
    assert without_reasoning(document) is None
    assert adapt_request(document, SERVER) is None


def test_foreign_envelope() -> None:
    """Another vendor's reasoning is left out."""
    encoded = adapt_request(body(**kept(Thinking("hm", CLAUDE))), SERVER)
    assert encoded is not None
    assert encoded.document == {**body(), "model": "llama3"}


def test_own_envelope() -> None:
    """A server's own reasoning is given back as it was, with what was sealed in its calls."""
    encoded = adapt_request(body(**kept(Thinking("hm", OWN)), tool_calls=[CALL]), SERVER)
    assert encoded is not None
    assert encoded.document["messages"][1] == {
        "role": "assistant",
        "content": "a",
        "reasoning": "hm",
        "tool_calls": [{**CALL, "extra_content": {"x": 1}}],
    }


def test_other_messages_stay() -> None:
    """Only messages with envelopes are touched: a server's plain reasoning is its own."""
    document = body(**kept(Thinking("hm", CLAUDE)))
    document["messages"].append({"role": "assistant", "content": "b", "reasoning_content": "plain"})
    encoded = adapt_request(document, SERVER)
    assert encoded is not None
    assert encoded.document["messages"][-1]["reasoning_content"] == "plain"


def test_enveloped_blocks() -> None:
    """Envelopes in Anthropic's blocks are found as well."""
    text = {"type": "text", "text": "a"}
    block = {"type": "thinking", "thinking": "hm", "signature": "shunt1|signature|anthropic||EqQB"}
    encoded = adapt_request(body(content=[block, text]), SERVER)
    assert encoded is not None
    assert encoded.document["messages"][1]["content"] == [text]
