"""A conversation as Chat messages.

A tool's message holds text only, and must directly follow the calls. So images and files of results go into
one user message after the last tool message of the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference import telling
from shunt.inference.arguments import as_object
from shunt.inference.content import (
    Carriage,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Message,
    Part,
    Refusal,
    Role,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from shunt.inference.media import data_url
from shunt.protocols.codec import Target
from shunt.protocols.openai_chat.reasoning import given_back
from shunt.wire import json

Fields = dict[str, Any]

_BREAK: Final = "\n\n"


class MessageWriter:
    """Writes the messages of one request. What could not be said is in `dropped`."""

    def __init__(self, target: Target) -> None:
        self.dropped: list[str] = []
        self._target = target
        self._plain = target.vendor == "compatible"
        """Whether content that is all text has to be one string: many servers read no lists there."""
        self._extras: Fields = {}
        """What the server wants back with its calls, by id."""

    def system(self, texts: Iterable[Text]) -> Iterator[Fields]:
        """The leading system texts, as one message."""
        found = [part.text for part in texts]
        if found:
            yield {"role": self._system_role(Role.DEVELOPER), "content": self._content(found)}

    def messages(self, messages: Iterable[Message]) -> Iterator[Fields]:
        """The conversation; runs of the assistant's messages as one."""
        turn: list[Message] = []
        for message in messages:
            if message.role is Role.ASSISTANT:
                turn.append(message)
                continue
            yield from self._assistant(turn)
            turn = []
            if message.role is Role.USER:
                yield from self._user(message)
            elif texts := [part.text for part in message.parts if isinstance(part, Text)]:
                yield {"role": self._system_role(message.role), "content": self._content(texts)}
        yield from self._assistant(turn)

    def _system_role(self, role: Role) -> str:
        """Servers know `system`; OpenAI's reasoning models call it `developer`."""
        return "developer" if self._target.rules.developer_role and role is Role.DEVELOPER else "system"

    def _content(self, texts: list[str]) -> str | list[Fields]:
        if self._plain or len(texts) == 1:
            return _BREAK.join(texts)
        return [{"type": "text", "text": text} for text in texts]

    # ── The user ──────────────────────────────────────────────────────────────────────────────────

    def _user(self, message: Message) -> Iterator[Fields]:
        """Tool messages first, then what results could not hold, then the user's own words."""
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        attached: list[Fields] = []
        for result in results:
            text, files = self._result(result)
            attached += files
            yield {"role": "tool", "tool_call_id": result.call_id, "content": text}
        if attached:
            yield {"role": "user", "content": attached}
        parts = [found for part in message.parts for found in self._user_part(part)]
        if parts:
            name = {"name": message.name} if message.name and not self._plain else {}
            yield {"role": "user", "content": self._joined(parts), **name}

    def _joined(self, parts: list[Fields]) -> str | list[Fields]:
        if all(part["type"] == "text" for part in parts):
            return self._content([part["text"] for part in parts])
        return parts

    def _user_part(self, part: Any) -> Iterator[Fields]:
        """A part of a user's message, or of a result, as Chat's parts."""
        match part:
            case Text(text=text):
                yield {"type": "text", "text": text}
            case Image():
                yield self._image(part)
            case Document():
                yield from self._document(part)
            case SearchResult():
                yield {"type": "text", "text": telling.search_result_text(part)}
            case HostedCall() | HostedResult():
                self.dropped.append(part.kind)
                yield {"type": "text", "text": telling.hosted_text(part)}
            case Foreign(raw=raw):
                yield dict(raw)
            case _:  # results are tool messages; reasoning and calls are no user's
                pass

    def _image(self, image: Image) -> Fields:
        if image.media.carriage is Carriage.FILE:
            raise InvalidRequest(
                "An image is given as an uploaded file's id, which Chat Completions has no field for.",
                param="messages",
            )
        if not self._target.rules.images:
            self.dropped.append("image")
            return {"type": "text", "text": telling.IMAGE}
        detail = {"detail": image.detail} if image.detail else {}
        return {"type": "image_url", "image_url": {"url": data_url(image.media), **detail}}

    def _document(self, document: Document) -> Iterator[Fields]:
        media = document.media
        if media is None:
            if text := telling.document_text(document):
                yield {"type": "text", "text": text}
            yield from map(self._image, telling.document_images(document))
            return
        if document.context:
            yield {"type": "text", "text": f"Context: {document.context}"}
        match media.carriage:
            case Carriage.INLINE:
                yield {
                    "type": "file",
                    "file": {"filename": _filename(document), "file_data": data_url(media)},
                }
            case Carriage.FILE if media.vendor == self._target.vendor:
                yield {"type": "file", "file": {"file_id": media.data}}
            case Carriage.FILE:
                raise InvalidRequest("An uploaded file is known to its own vendor only.", param="messages")
            case _:
                raise InvalidRequest(
                    "A document is given as a web address, which this model's server does not fetch: "
                    "send the file itself.",
                    param="messages",
                )

    def _result(self, result: ToolResult) -> tuple[str, list[Fields]]:
        """A result's text, and the parts that have to follow in a user's message."""
        texts = telling.result_texts(result)
        files: list[Fields] = []
        for part in result.parts:
            match part:
                case Image():
                    files.append(self._image(part))
                case Document(media=None):
                    files += map(self._image, telling.document_images(part))
                case Document():
                    files += self._document(part)
                case _:
                    pass
        if files:
            texts.append(telling.ATTACHED)
            files.insert(0, {"type": "text", "text": f"From the result of tool call {result.call_id}:"})
        return "\n".join(texts), files

    # ── The assistant ─────────────────────────────────────────────────────────────────────────────

    def _assistant(self, turn: list[Message]) -> Iterator[Fields]:
        if not turn:
            return
        message: Fields = {"role": "assistant", "content": None}
        text = ""
        for part in (part for message in turn for part in (*message.parts, None)):
            text = self._added(message, text, part)
        message["content"] = text.removesuffix(_BREAK) or None
        if refusal := message.pop("refusal", ""):
            if self._plain:
                message["content"] = _BREAK.join(filter(None, (message["content"], refusal)))
            else:
                message["refusal"] = refusal
        if message["content"] is not None or len(message) > 2:
            yield message

    def _added(self, message: Fields, text: str, part: Part | None) -> str:
        """Add a part to the message; return its text so far.

        Texts that directly follow each other are pieces of one; between others stands an empty line.
        """
        match part:
            case Text(text=words):
                return text + words
            case HostedCall() | HostedResult():
                self.dropped.append(part.kind)
                text = _set_apart(text) + telling.hosted_text(part)
            case Foreign(text=words, raw=raw):
                text = _set_apart(text) + (words or str(raw.get("text") or ""))
            case Thinking():
                self._extras |= given_back(part, message, self._target.origin)
            case Refusal(text=words):
                message["refusal"] = message.get("refusal", "") + words
            case ToolCall():
                message.setdefault("tool_calls", []).append(self._call(part))
            case _:
                pass
        return _set_apart(text)

    def _call(self, call: ToolCall) -> Fields:
        if call.custom:
            return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
        arguments = call.arguments
        if self._plain:
            # These servers parse the arguments, and fail on what is no JSON object.
            arguments = _parsable(arguments)
        extra = {"extra_content": self._extras[call.id]} if call.id in self._extras else {}
        function = {"name": call.name, "arguments": arguments}
        return {"id": call.id, "type": "function", "function": function, **extra}


def _set_apart(text: str) -> str:
    return text if not text or text.endswith(_BREAK) else text + _BREAK


def _parsable(arguments: str) -> str:
    if isinstance(json.value(arguments.encode("utf-8", "replace")), dict):
        return arguments
    return json.encode(as_object(arguments)).decode()


def _filename(document: Document) -> str:
    """A name is demanded, and its ending is believed."""
    name = document.filename or document.title or "document"
    pdf = document.media is not None and document.media.media_type in ("application/pdf", "")
    return f"{name}.pdf" if pdf and not name.lower().endswith(".pdf") else name
