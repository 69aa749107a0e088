"""Content parts of a Chat request, read.

Clients post parts of the other two protocols in Chat bodies too (Cursor does), so those are read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference import envelope
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
    Refusal,
    SealForm,
    SearchHit,
    SearchResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from shunt.inference.media import inline, located, text_within
from shunt.protocols.fields import wrong

PROTOCOL: Final = "openai-chat"

Fields = Mapping[str, Any]


def read_content(content: Any, where: str) -> tuple[Any, ...]:
    """Read a message's content: a string, or a list of parts.

    Raises InvalidRequest, naming the place, for anything else and for parts that cannot be understood.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise wrong(where, "a string or an array of parts", content)
    return tuple(_read_part(part, f"{where}[{n}]") for n, part in enumerate(content))


def cache_mark(part: Fields) -> CacheMark | None:
    """The cache breakpoint that a part carries, in either vendor's words."""
    mark = part.get("cache_control") or part.get("prompt_cache_breakpoint")
    if not isinstance(mark, dict):
        return None
    return CacheMark(_str(mark, "ttl"))


def _read_part(part: Any, where: str) -> Any:
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        raise wrong(where, "an object", part)
    kind = part.get("type")
    if kind is None and isinstance(part.get("text"), str):
        kind = "text"
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is not None:
        return read(part, where)
    if isinstance(kind, str) and kind.endswith("_tool_result"):
        return _hosted_result(part, where)
    if not isinstance(kind, str):
        raise wrong(f"{where}.type", "a string", kind)
    return Foreign(PROTOCOL, kind, part, f"[{kind}]")


def _text(part: Fields, where: str) -> Text:
    text = part.get("text")
    if not isinstance(text, str):
        raise wrong(f"{where}.text", "a string", text)
    return Text(text, cache=cache_mark(part))


def _refusal(part: Fields, where: str) -> Refusal:
    del where
    return Refusal(_str(part, "refusal"))


def _image_url(part: Fields, where: str) -> Image:
    """Chat's `image_url` with an object, and Responses' `input_image` with a string or a file id."""
    source = part.get("image_url")
    facts = source if isinstance(source, dict) else {"url": source, "detail": part.get("detail")}
    if isinstance(url := facts.get("url"), str):
        media = located(url, f"{where}.image_url")
    elif file_id := _str(part, "file_id"):
        media = Media(Carriage.FILE, file_id, vendor="openai")
    else:
        raise InvalidRequest(f"`{where}.image_url` holds no URL.", param=where)
    return Image(media, _str(facts, "detail"), cache_mark(part))


def _file(part: Fields, where: str) -> Document:
    """Chat's `file` with an object, and Responses' flat `input_file`."""
    nested = part.get("file")
    facts = nested if isinstance(nested, dict) else part
    filename = _str(facts, "filename")
    if data := _str(facts, "file_data"):
        media = located(data, f"{where}.file_data")
    elif file_id := _str(facts, "file_id"):
        media = Media(Carriage.FILE, file_id, vendor="openai")
    elif url := _str(facts, "file_url"):
        media = located(url, f"{where}.file_url")
    else:
        raise InvalidRequest(f"`{where}` holds no file: `file_data` or `file_id` is needed.", param=where)
    text = text_within(media)
    cache = cache_mark(part)
    if text is not None:
        return Document(text=text, filename=filename, cache=cache)
    return Document(media, filename=filename, cache=cache)


def _audio(part: Fields, where: str) -> Part:
    del part
    raise InvalidRequest(f"`{where}` is audio, which cannot be translated for another vendor.", param=where)


def _source(part: Fields, where: str) -> Media:
    """Where an Anthropic block's bytes are."""
    source = part.get("source")
    facts = source if isinstance(source, dict) else {}
    match facts.get("type"):
        case "base64":
            return inline(_str(facts, "data"), _str(facts, "media_type"))
        case "url":
            return located(_str(facts, "url"), f"{where}.source.url")
        case "file":
            return Media(Carriage.FILE, _str(facts, "file_id"), vendor="anthropic")
        case _:
            raise InvalidRequest(f"`{where}.source` must be base64, a URL or a file.", param=where)


def _anthropic_image(part: Fields, where: str) -> Image:
    return Image(_source(part, where), cache=cache_mark(part))


def _anthropic_document(part: Fields, where: str) -> Document:
    found = part.get("source")
    source: Fields = found if isinstance(found, dict) else {}
    kind = source.get("type")
    title, context, cache = _str(part, "title"), _str(part, "context"), cache_mark(part)
    if kind == "text":
        return Document(text=_str(source, "data"), title=title, context=context, cache=cache)
    if kind == "content":
        inner = read_content(source.get("content"), f"{where}.source.content")
        parts = tuple(found for found in inner if isinstance(found, (Text, Image)))
        return Document(parts=parts, title=title, context=context, cache=cache)
    return Document(_source(part, where), title=title, context=context, cache=cache)


def _search_result(part: Fields, where: str) -> SearchResult:
    inner = read_content(part.get("content"), f"{where}.content")
    texts = tuple(found for found in inner if isinstance(found, Text))
    return SearchResult(_str(part, "title"), _str(part, "source"), texts, cache_mark(part))


def _thinking(part: Fields, where: str) -> Thinking:
    del where
    signature = _str(part, "signature")
    seal = envelope.read(signature, SealForm.SIGNATURE) if signature else None
    return Thinking(_str(part, "thinking"), seal)


def _redacted_thinking(part: Fields, where: str) -> Thinking:
    del where
    return Thinking(seal=envelope.read(_str(part, "data"), SealForm.REDACTED))


def _tool_use(part: Fields, where: str) -> ToolCall:
    name = _str(part, "name")
    if not name:
        raise InvalidRequest(f"`{where}.name` is missing.", param=where)
    return ToolCall(_str(part, "id"), name, as_text(part.get("input")), cache=cache_mark(part))


def _tool_result(part: Fields, where: str) -> ToolResult:
    inner = read_content(part.get("content"), f"{where}.content")
    return ToolResult(
        _str(part, "tool_use_id"), inner, is_error=part.get("is_error") is True, cache=cache_mark(part)
    )


def _tool_reference(part: Fields, where: str) -> ToolReference:
    del where
    return ToolReference(_str(part, "tool_name") or _str(part, "name"))


def _hosted_call(part: Fields, where: str) -> HostedCall:
    del where
    return HostedCall(_str(part, "id"), _str(part, "name"), as_text(part.get("input")), raw=part)


def _hosted_result(part: Fields, where: str) -> HostedResult:
    del where
    kind = _str(part, "type").removesuffix("_tool_result")
    content = part.get("content")
    hits = tuple(
        SearchHit(_str(hit, "url"), _str(hit, "title"), _str(hit, "page_age"), _str(hit, "encrypted_content"))
        for hit in (content if isinstance(content, list) else ())
        if isinstance(hit, dict) and hit.get("url")
    )
    error = _str(content, "error_code") if isinstance(content, dict) else ""
    return HostedResult(_str(part, "tool_use_id"), kind, hits, error=error, raw=part)


def _str(fields: Any, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


_READERS: Final[dict[str, Callable[[Fields, str], Any]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "image_url": _image_url,
    "input_image": _image_url,
    "file": _file,
    "input_file": _file,
    "input_audio": _audio,
    "image": _anthropic_image,
    "document": _anthropic_document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted_thinking,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "tool_reference": _tool_reference,
    "server_tool_use": _hosted_call,
}
