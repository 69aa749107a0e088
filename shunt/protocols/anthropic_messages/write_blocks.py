"""Content blocks of the Messages API, written for a vendor.

The parts have been repaired and fitted: names and ids are legal, reasoning is the vendor's own, and what
only another protocol has is text already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference import media
from shunt.inference.arguments import as_object
from shunt.inference.content import (
    CacheMark,
    Carriage,
    Document,
    Foreign,
    HostedCall,
    HostedResult,
    Image,
    Media,
    Part,
    Refusal,
    Role,
    SealForm,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.telling import hosted_text
from shunt.protocols.anthropic_messages.read_blocks import VENDOR

Block = dict[str, Any]

IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_PDF: Final = "application/pdf"
_USERS: Final = (Image, Document, SearchResult, ToolResult)
"""Parts that only a user may say."""
_NO_OUTPUT: Final = "The tool failed without saying why."


class BlockWriter:
    """Writes the parts of one request."""

    def __init__(self, tools: frozenset[str], *, images: bool, dropped: list[str]) -> None:
        """`tools` are the names on offer; without `images` pictures are left out; losses go to `dropped`."""
        self._tools = tools
        self._images = images
        self._dropped = dropped

    def message(self, role: Role, parts: Iterable[Part]) -> list[Block]:
        """The blocks of one message."""
        return [
            self.block(part) if role is Role.USER or not isinstance(part, _USERS) else self._missed(part)
            for part in parts
        ]

    def block(self, part: Part) -> Block:
        """One part."""
        match part:
            case Text():
                return write_text(part)
            case Refusal(text=text):
                return write_text(Text(text))
            case Thinking():
                return _thinking(part)
            case ToolCall():
                return _marked(
                    {
                        "type": "tool_use",
                        "id": part.id,
                        "name": part.name,
                        "input": as_object(part.arguments),
                    },
                    part.cache,
                )
            case ToolResult():
                return self._result(part)
            case HostedCall() | HostedResult():
                return _hosted(part)
            case Foreign(raw=raw):
                return dict(raw)
            case _:
                return self._medium(part)

    def _missed(self, part: Part) -> Block:
        """In place of what cannot be said here."""
        kind = type(part).__name__.lower()
        self._dropped.append(kind)
        return write_text(Text(f"[{kind}]"))

    def _result(self, result: ToolResult) -> Block:
        content = [self._inner(part) for part in result.parts]
        if result.is_error and not content:
            content = [write_text(Text(_NO_OUTPUT))]  # the vendor refuses an error that says nothing
        block: Block = {"type": "tool_result", "tool_use_id": result.call_id}
        if content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return _marked(block, result.cache)

    def _inner(self, part: Text | Image | Document | SearchResult | ToolReference | Foreign) -> Block:
        """A part of a tool's result."""
        if isinstance(part, ToolReference):
            if part.name in self._tools:
                return {"type": "tool_reference", "tool_name": part.name}
            return write_text(Text(f"Tool found: {part.name}"))
        return self.block(part)

    def _medium(self, part: Image | Document | SearchResult) -> Block:
        match part:
            case Image():
                if not self._images:
                    return self._missed(part)
                return _marked({"type": "image", "source": _image_source(part.media)}, part.cache)
            case Document():
                return self._document(part)
            case SearchResult():
                return _marked(
                    {
                        "type": "search_result",
                        "source": part.source,
                        "title": part.title,
                        "content": [write_text(text) for text in part.parts],
                    },
                    part.cache,
                )

    def _document(self, document: Document) -> Block:
        block: Block = {"type": "document"}
        if document.media is not None:
            block["source"] = _document_source(document.media)
        elif document.parts:
            block["source"] = {"type": "content", "content": [self.block(part) for part in document.parts]}
        else:
            block["source"] = {"type": "text", "media_type": "text/plain", "data": document.text or ""}
        if title := document.title or document.filename:
            block["title"] = title
        if document.context:
            block["context"] = document.context
        return _marked(block, document.cache)


def write_text(text: Text) -> Block:
    """A text block. Citations are left out: they hold what only their maker can read, and may be."""
    return _marked({"type": "text", "text": text.text}, text.cache)


def write_cache(mark: CacheMark) -> Block:
    """A `cache_control` value."""
    return {"type": "ephemeral"} | ({"ttl": mark.ttl} if mark.ttl else {})


def _thinking(thinking: Thinking) -> Block:
    """Reasoning with the vendor's own seal: nobody else can make one."""
    seal = thinking.seal
    payload = seal.payload if seal is not None else ""
    if seal is not None and seal.form is SealForm.REDACTED:
        return {"type": "redacted_thinking", "data": payload}
    return {"type": "thinking", "thinking": thinking.text, "signature": payload}


def _hosted(part: HostedCall | HostedResult) -> Block:
    """A vendor's own tool at work: as its block, if Anthropic wrote it, else as text."""
    kind = part.raw.get("type")
    if isinstance(kind, str) and (kind == "server_tool_use" or kind.endswith("_tool_result")):
        return dict(part.raw)
    return write_text(Text(hosted_text(part)))


def _marked(block: Block, mark: CacheMark | None) -> Block:
    if mark is not None:
        block["cache_control"] = write_cache(mark)
    return block


def _image_source(image: Media) -> Block:
    if image.carriage is Carriage.INLINE:
        media_type = image.media_type or media.sniffed(image.data)
        if media_type not in IMAGE_TYPES:
            raise InvalidRequest(
                f"An image of type {media_type or 'unknown'} cannot be sent to this model; it takes "
                f"{', '.join(sorted(IMAGE_TYPES))}."
            )
        return {"type": "base64", "media_type": media_type, "data": image.data}
    return _elsewhere(image)


def _document_source(document: Media) -> Block:
    if document.carriage is not Carriage.INLINE:
        return _elsewhere(document)
    if (text := media.text_within(document)) is not None:
        return {"type": "text", "media_type": "text/plain", "data": text}
    media_type = document.media_type or media.sniffed(document.data)
    if media_type != _PDF:
        raise InvalidRequest(
            f"A file of type {media_type or 'unknown'} cannot be sent to this model; it takes PDF and plain text."
        )
    return {"type": "base64", "media_type": _PDF, "data": document.data}


def _elsewhere(found: Media) -> Block:
    if found.carriage is Carriage.URL:
        return {"type": "url", "url": found.data}
    if found.vendor != VENDOR:
        raise InvalidRequest(
            f"The file {found.data} was uploaded to another vendor, which alone can read it; send its content instead."
        )
    return {"type": "file", "file_id": found.data}
