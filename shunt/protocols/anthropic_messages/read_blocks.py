"""Content blocks of the Messages API, read into the shared vocabulary.

Of requests: a block of a wrong shape is an InvalidRequest. Blocks that no other protocol has become Foreign,
with what the model has to know of them as text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference import media
from shunt.inference.arguments import as_text
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
    SealForm,
    SearchHit,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.envelope import read
from shunt.protocols.fields import Fields, wrong

NAME: Final = "anthropic-messages"
"""The protocol's name; whose words a Foreign part is in."""

VENDOR: Final = "anthropic"
_SILENT: Final = frozenset({"container_upload", "fallback", "mcp_tool_listing"})
"""Blocks that tell the model nothing."""
_WORDS: Final = (
    "text",
    "stdout",
    "stderr",
    "data",
    "title",
    "url",
    "tool_name",
    "content",
    "source",
    "tool_references",
)
"""Fields in which blocks of unknown kinds keep what the model has to read."""
_IN_RESULTS: Final = (Text, Image, Document, SearchResult, ToolReference, Foreign)
_DEPTH: Final = 6


def read_blocks(content: Any, place: str) -> tuple[Part, ...]:
    """A message's content: a string, or an array of blocks. Raises InvalidRequest."""
    if isinstance(content, str):
        return (Text(content),)
    if content is None:
        return ()
    if not isinstance(content, list):
        raise wrong(place, "a string or an array", content)
    return tuple(read_block(Fields.of(block, f"{place}[{n}]")) for n, block in enumerate(content))


def read_block(block: Fields) -> Part:
    """One block of a message."""
    kind = block.text("type")
    if reader := _READERS.get(kind):
        return reader(block)
    if kind.endswith("_tool_result") and kind != "mcp_tool_result":
        return read_hosted_result(block.document)
    return read_foreign(block.document)


def read_cache(block: Fields) -> CacheMark | None:
    """The prompt-cache breakpoint that a block carries."""
    control = block.object("cache_control")
    return CacheMark(control.text("ttl")) if control is not None else None


def read_hosted_call(block: Any) -> HostedCall:
    """A `server_tool_use` block, of a request or an answer. Never raises."""
    return HostedCall(
        id=_word(block.get("id")),
        kind=_word(block.get("name")),
        input=as_text(block.get("input")),
        status="completed",
        raw=dict(block),
    )


def read_hosted_result(block: Any) -> HostedResult:
    """A `…_tool_result` block of a vendor's own tool. Never raises."""
    content = block.get("content")
    error = content.get("error_code") if isinstance(content, dict) else None
    hits = tuple(_hit(hit) for hit in content if isinstance(hit, dict)) if isinstance(content, list) else ()
    hits = tuple(hit for hit in hits if hit.url)
    return HostedResult(
        call_id=_word(block.get("tool_use_id")),
        kind=_word(block.get("type")).removesuffix("_tool_result"),
        hits=hits,
        text="" if hits or error else words_of(content),
        error=_word(error),
        raw=dict(block),
    )


def read_foreign(block: Any) -> Foreign:
    """A block that no other protocol has, or of a kind we do not know. Never raises."""
    kind = _word(block.get("type")) or "unknown"
    text = ""
    if kind == "mcp_tool_use":
        text = f"[{_word(block.get('server_name'))}: {_word(block.get('name'))} was called with {as_text(block.get('input'))}]"
    elif kind not in _SILENT:
        text = f"[{kind}] {words_of(block)}".rstrip()
    return Foreign(NAME, kind, dict(block), text)


def words_of(content: Any, depth: int = _DEPTH) -> str:
    """What there is to read in a block of any kind."""
    if isinstance(content, str):
        return content
    found: list[str] = []
    if isinstance(content, list) and depth:
        found = [words_of(item, depth - 1) for item in content]
    elif isinstance(content, dict) and depth and content.get("type") != "base64":
        found = [words_of(content.get(name), depth - 1) for name in _WORDS]
    return "\n".join(filter(None, found))


def _text(block: Fields) -> Text:
    return Text(block.text("text"), cache=read_cache(block))


def _image(block: Fields) -> Image:
    return Image(_media(_source(block)), cache=read_cache(block))


def _document(block: Fields) -> Document:
    source = _source(block)
    document = Document(
        title=block.text("title"),
        context=block.text("context"),
        filename=block.text("title"),
        cache=read_cache(block),
    )
    match source.text("type"):
        case "text":
            return evolve(document, text=source.text("data"))
        case "content":
            parts = read_blocks(source.document.get("content"), source.path("content"))
            return evolve(document, parts=tuple(p for p in parts if isinstance(p, (Text, Image))))
        case _:
            return evolve(document, media=_media(source))


def _source(block: Fields) -> Fields:
    source = block.object("source")
    if source is None:
        raise InvalidRequest(f"`{block.path('source')}` is missing.", param=block.path("source"))
    return source


def _media(source: Fields) -> Media:
    match source.text("type"):
        case "base64":
            return media.inline(source.required_text("data"), source.text("media_type"))
        case "url":
            return Media(Carriage.URL, source.required_text("url"))
        case "file":
            return Media(Carriage.FILE, source.required_text("file_id"), vendor=VENDOR)
        case kind:
            raise InvalidRequest(
                f"`{source.path('type')}` must be `base64`, `url` or `file`, got {kind!r}.",
                param=source.path("type"),
            )


def _search_result(block: Fields) -> SearchResult:
    parts = read_blocks(block.document.get("content"), block.path("content"))
    return SearchResult(
        title=block.text("title"),
        source=block.text("source"),
        parts=tuple(part for part in parts if isinstance(part, Text)),
        cache=read_cache(block),
    )


def _thinking(block: Fields) -> Thinking:
    signature = block.text("signature")
    seal = read(signature, SealForm.SIGNATURE) if signature else None
    return Thinking(block.text("thinking"), seal)


def _redacted(block: Fields) -> Thinking:
    return Thinking("", read(block.text("data"), SealForm.REDACTED))


def _tool_use(block: Fields) -> ToolCall:
    return ToolCall(
        id=block.required_text("id"),
        name=block.required_text("name"),
        arguments=as_text(block.document.get("input")),
        cache=read_cache(block),
    )


def _tool_result(block: Fields) -> ToolResult:
    found = read_blocks(block.document.get("content"), block.path("content"))
    parts = [_reference(part) if isinstance(part, Foreign) else part for part in found]
    return ToolResult(
        call_id=block.required_text("tool_use_id"),
        parts=tuple(part for part in parts if isinstance(part, _IN_RESULTS)),
        is_error=block.flag("is_error") or False,
        cache=read_cache(block),
    )


def _reference(part: Foreign) -> Foreign | ToolReference:
    name = part.raw.get("tool_name")
    return ToolReference(name) if part.type == "tool_reference" and isinstance(name, str) else part


def _hit(hit: Any) -> SearchHit:
    return SearchHit(
        url=_word(hit.get("url")),
        title=_word(hit.get("title")),
        page_age=_word(hit.get("page_age")),
        opaque=_word(hit.get("encrypted_content")),
    )


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


_READERS: Final[dict[str, Callable[[Fields], Part]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": lambda block: read_hosted_call(block.document),
}
