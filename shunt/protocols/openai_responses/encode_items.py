"""Messages as the items of an upstream's `input`: flat, in order, and without ids.

Ids name what the vendor has stored, and nothing is stored: an item with one would be looked up in vain.
"""

from __future__ import annotations

from typing import Any

from shunt.inference import telling
from shunt.inference.arguments import as_text
from shunt.inference.content import (
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Message,
    Part,
    Refusal,
    Role,
    SealForm,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from shunt.inference.request import GenerateRequest
from shunt.protocols.openai_responses.content import NAME, write_annotation, write_input

Item = dict[str, Any]


class InputWriter:
    """Writes the items of one request."""

    def __init__(self, request: GenerateRequest, *, system: str, images: bool) -> None:
        """`system` is the role of system messages; `images` says whether the model sees any."""
        self._request = request
        self._system = system
        self._images = images
        self._items: list[Item] = []

    def items(self) -> list[Item]:
        """The items of all messages."""
        for message in self._request.messages:
            if message.role is Role.ASSISTANT:
                self._assistant(message)
            else:
                self._said(message)
        return _followed(self._items)

    def _assistant(self, message: Message) -> None:
        content: list[Item] = []

        def flush() -> None:
            if content:
                item: Item = {"type": "message", "role": "assistant", "content": list(content)}
                self._items.append(item | ({"phase": message.phase} if message.phase else {}))
                content.clear()

        for part in message.parts:
            words = self._spoken(part)
            if words is not None:
                content += words
            else:
                flush()
                self._items += self._produced(part)
        flush()

    def _spoken(self, part: Part) -> list[Item] | None:
        """The content parts of what belongs into a message; None for what is an item of its own."""
        match part:
            case Text(text=words):
                notes = [write_annotation(citation, len(words)) for citation in part.citations]
                annotations = [note for note in notes if note is not None]
                return [{"type": "output_text", "text": words, "annotations": annotations}]
            case Refusal(text=words):
                return [{"type": "refusal", "refusal": words}]
            case Foreign(protocol=protocol, text=words) if protocol != NAME:
                return [{"type": "output_text", "text": words, "annotations": []}] if words else []
            case HostedCall() | HostedResult():
                if self._request.protocol == NAME and part.raw:
                    return None
                return [{"type": "output_text", "text": telling.hosted_text(part), "annotations": []}]
            case Image():
                return [{"type": "output_text", "text": telling.IMAGE, "annotations": []}]
            case Document():
                words = telling.document_text(part)
                return [{"type": "output_text", "text": words, "annotations": []}] if words else []
            case _:
                return None

    def _produced(self, part: Part) -> list[Item]:
        match part:
            case Thinking():
                return _write_reasoning(part)
            case ToolCall():
                return [_write_call(part)]
            case HostedCall(raw=raw) | Foreign(raw=raw):
                return [dict(raw)]
            case _:  # a HostedResult is in the item of its call
                return []

    def _said(self, message: Message) -> None:
        """Outputs first: they have to follow their calls."""
        for part in message.parts:
            if isinstance(part, ToolResult):
                self._items.append(self._write_output(part))
        content: list[Item] = []
        for part in message.parts:
            if isinstance(part, Foreign) and _is_item(part):
                self._items.append(dict(part.raw))
            elif not isinstance(part, ToolResult):
                content += write_input(part, images=self._images)
        if content:
            role = "user" if message.role is Role.USER else self._system
            self._items.append({"type": "message", "role": role, "content": content})

    def _write_output(self, result: ToolResult) -> Item:
        kind = "custom_tool_call_output" if result.custom else "function_call_output"
        return {"type": kind, "call_id": result.call_id, "output": self._returned(result)}

    def _returned(self, result: ToolResult) -> str | list[Item]:
        """Text where text will do, else an array with the images and files in their places."""
        if all(isinstance(part, Text) for part in result.parts) or not any(map(_is_media, result.parts)):
            return "\n".join(telling.result_texts(result))
        parts: list[Item] = []
        for part in result.parts:
            if isinstance(part, (Text, Image, Document, Foreign)):
                parts += write_input(part, images=self._images)
            else:
                words = telling.result_texts(ToolResult(result.call_id, (part,)))
                parts += [{"type": "input_text", "text": text} for text in words]
        if result.is_error:
            parts.insert(0, {"type": "input_text", "text": telling.error_text("")})
        return parts


def _write_call(call: ToolCall) -> Item:
    item: Item = {"call_id": call.id, "name": call.name}
    if call.namespace:
        item["namespace"] = call.namespace
    if call.custom:
        return {"type": "custom_tool_call", **item, "input": call.arguments}
    return {"type": "function_call", **item, "arguments": as_text(call.arguments)}


def _write_reasoning(thinking: Thinking) -> list[Item]:
    """A reasoning item. Its seal was checked before; without one it is of no use to the vendor."""
    seal = thinking.seal
    if seal is None or seal.form is not SealForm.ENCRYPTED:
        return []
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    return [{"type": "reasoning", "summary": summary, "encrypted_content": seal.payload}]


def _followed(items: list[Item]) -> list[Item]:
    """The items without reasoning that led to nothing: the vendor demands what came of it."""
    kept: list[Item] = []
    made = False
    for item in reversed(items):
        kind = item.get("type")  # a client's own item need not have one
        if kind == "reasoning":
            if made:
                kept.append(item)
            continue
        made = item.get("role") == "assistant" or str(kind).endswith("_call")
        kept.append(item)
    return kept[::-1]


def _is_item(part: Foreign) -> bool:
    """Whether this is a whole item of this protocol, not a part of a message."""
    return part.protocol == NAME and not part.type.startswith(("input_", "output_"))


def _is_media(part: object) -> bool:
    return isinstance(part, Image) or (
        isinstance(part, Document) and (part.media is not None or bool(part.parts))
    )
