"""A body of the Responses protocol that was posted to Chat, put into Chat's shape.

Some clients pick the route by the model's name and the body by its vendor. They are answered as Chat.
Content parts and tools need no change here: both are read in either shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shunt.inference import envelope
from shunt.inference.content import SealForm
from shunt.protocols.fields import Fields, wrong

Document = dict[str, Any]

_CALLS: Final = {"function_call": "arguments", "custom_tool_call": "input"}
_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_RENAMED: Final = {"max_output_tokens": "max_completion_tokens"}


def is_responses(body: Mapping[str, Any]) -> bool:
    """Whether this is a Responses body."""
    return body.get("messages") is None and body.get("input") is not None


def as_chat(body: Mapping[str, Any]) -> Document:
    """The same request as a Chat body. Raises InvalidRequest when its input is of no known shape."""
    taken = {"input", "instructions", "reasoning", "text", *_RENAMED}
    chat = {key: value for key, value in body.items() if key not in taken}
    chat |= {new: body[old] for old, new in _RENAMED.items() if old in body}
    chat["messages"] = list(_messages(body.get("instructions"), body["input"]))
    if isinstance(reasoning := body.get("reasoning"), dict):
        chat["reasoning_effort"] = reasoning.get("effort")
    if isinstance(text := body.get("text"), dict):
        chat["response_format"] = text.get("format")
        chat["verbosity"] = text.get("verbosity")
    return chat


def _messages(instructions: Any, found: Any) -> Iterator[Document]:
    if isinstance(instructions, str) and instructions:
        yield {"role": "system", "content": instructions}
    if isinstance(found, str):
        yield {"role": "user", "content": found}
        return
    if not isinstance(found, list):
        raise wrong("input", "a string or an array", found)
    turn: Document | None = None
    for n, item in enumerate(found):
        if not isinstance(item, dict):
            raise wrong(f"input[{n}]", "an object", item)
        kind = Fields(item, f"input[{n}]").text("type", "message")
        if kind in _CALLS or kind == "reasoning":
            # Calls and reasoning belong to the assistant's turn that is open.
            turn = turn or {"role": "assistant", "content": None}
            _add(turn, item, kind)
            continue
        if turn is not None:
            yield turn
            turn = None
        message = _message(item, kind)
        if message.get("role") == "assistant":
            turn = {**message, "tool_calls": []}
        else:
            yield message
    if turn is not None:
        yield turn


def _message(item: Document, kind: str) -> Document:
    if kind in _OUTPUTS:
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")}
    if kind == "message":
        return {"role": item.get("role", "user"), "content": item.get("content")}
    return {"role": "user", "content": [item]}


def _add(turn: Document, item: Document, kind: str) -> None:
    if kind == "reasoning":
        turn.setdefault("thinking_blocks", []).extend(_thinking(item))
        return
    facts = {"name": item.get("name"), _CALLS[kind]: item.get(_CALLS[kind])}
    shape = "function" if kind == "function_call" else "custom"
    turn.setdefault("tool_calls", []).append({"id": item.get("call_id"), "type": shape, shape: facts})


def _thinking(item: Document) -> Iterator[Document]:
    """Reasoning in the shape that Chat bodies carry Anthropic's in; the seal says whose it is."""
    pieces = [*_list(item.get("summary")), *_list(item.get("content"))]
    texts = [
        text for piece in pieces if isinstance(piece, dict) and isinstance(text := piece.get("text"), str)
    ]
    sealed = item.get("encrypted_content")
    seal = (
        envelope.wrap(envelope.read(sealed, SealForm.ENCRYPTED)) if isinstance(sealed, str) and sealed else ""
    )
    if texts or seal:
        yield {"type": "thinking", "thinking": "\n\n".join(texts), "signature": seal}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
