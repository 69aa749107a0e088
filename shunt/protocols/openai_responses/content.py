"""Parts of messages and of tools' outputs, out of a client's request and into one for an upstream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.errors import InvalidRequest
from shunt.inference import media, telling
from shunt.inference.content import (
    CacheMark,
    Carriage,
    Citation,
    Document,
    Foreign,
    Image,
    Media,
    Part,
    Refusal,
    SearchResult,
    Text,
)
from shunt.protocols.fields import wrong
from shunt.wire import json

NAME: Final = "openai-responses"
"""This protocol's name in PROTOCOLS."""

Raw = Mapping[str, Any]

_VENDOR: Final = "openai"
_PDF: Final = "application/pdf"


# ── From a client ─────────────────────────────────────────────────────────────────────────────────


def read_content(content: Any, field: str) -> tuple[Part, ...]:
    """The parts of a `content` field: a string, or an array. Raises InvalidRequest, naming `field`.

    Parts in Chat's or Anthropic's words are understood as well: clients mix them up. What is unknown is
    kept as Foreign.
    """
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise wrong(field, "a string or an array of parts", content)
    return tuple(read_part(raw, f"{field}[{place}]") for place, raw in enumerate(content))


def read_part(raw: Any, field: str) -> Part:
    """One part."""
    if isinstance(raw, str):
        return Text(raw)
    if not isinstance(raw, dict):
        raise wrong(field, "an object", raw)
    kind = raw.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is not None:
        return reader(raw, field)
    said = raw.get("text")
    return Foreign(NAME, str(kind or "part"), raw, said if isinstance(said, str) else "")


def citations_of(annotations: Any) -> tuple[Citation, ...]:
    """The sources that `annotations` name."""
    found = annotations if isinstance(annotations, list) else []
    return tuple(citation for raw in found if (citation := read_citation(raw)) is not None)


def read_citation(raw: Any) -> Citation | None:
    """An annotation that names a page or a file; None for any other."""
    if not isinstance(raw, dict):
        return None
    url, title = raw.get("url"), raw.get("title") or raw.get("filename")
    return Citation(
        url=url if isinstance(url, str) else "",
        title=title if isinstance(title, str) else "",
        start=json.count(raw.get("start_index")),
        end=json.count(raw.get("end_index")),
        raw=raw,
    )


def _read_text(raw: Raw, field: str) -> Part:
    said = raw.get("text")
    if not isinstance(said, str):
        raise wrong(f"{field}.text", "a string", said)
    return Text(said, citations_of(raw.get("annotations")), _read_mark(raw))


def _read_refusal(raw: Raw, field: str) -> Part:
    said = raw.get("refusal")
    if not isinstance(said, str):
        raise wrong(f"{field}.refusal", "a string", said)
    return Refusal(said)


def _read_image(raw: Raw, field: str) -> Part:
    url, detail = raw.get("image_url"), raw.get("detail")
    if isinstance(url, dict):  # Chat's way
        detail, url = url.get("detail", detail), url.get("url")
    if isinstance(url, str) and url:
        source = media.located(url, f"{field}.image_url")
    elif isinstance(found := raw.get("file_id"), str) and found:
        source = Media(Carriage.FILE, found, vendor=_VENDOR)
    else:
        raise InvalidRequest(f"`{field}` needs an `image_url` or a `file_id`.", param=field)
    return Image(source, detail if isinstance(detail, str) else "", _read_mark(raw))


def _read_file(raw: Raw, field: str) -> Part:
    inner = raw.get("file")
    facts: Raw = inner if isinstance(inner, dict) else raw
    name = facts.get("filename")
    name = name if isinstance(name, str) else ""
    mark = _read_mark(raw)
    if isinstance(data := facts.get("file_data"), str) and data:
        source = media.located(data, f"{field}.file_data")
        if not source.media_type and name.lower().endswith(".pdf"):
            source = Media(source.carriage, source.data, _PDF)
        words = media.text_within(source)
        if words is not None:
            return Document(text=words, filename=name, cache=mark)
    elif isinstance(url := facts.get("file_url"), str) and url:
        source = media.located(url, f"{field}.file_url")
    elif isinstance(found := facts.get("file_id"), str) and found:
        source = Media(Carriage.FILE, found, vendor=_VENDOR)
    else:
        raise InvalidRequest(f"`{field}` needs `file_data`, a `file_url` or a `file_id`.", param=field)
    return Document(source, filename=name, cache=mark)


def _read_mark(raw: Raw) -> CacheMark | None:
    """A prompt-cache breakpoint, whose longer lifetime corresponds to Anthropic's longer one."""
    mark = raw.get("prompt_cache_breakpoint") or raw.get("cache_control")
    if not isinstance(mark, dict):
        return None
    return CacheMark("1h" if mark.get("ttl") in ("12h", "1h") else "")


_READERS: Final[dict[str, Callable[[Raw, str], Part]]] = {
    "input_text": _read_text,
    "output_text": _read_text,
    "text": _read_text,
    "summary_text": _read_text,
    "reasoning_text": _read_text,
    "refusal": _read_refusal,
    "input_image": _read_image,
    "image_url": _read_image,
    "input_file": _read_file,
    "file": _read_file,
}


# ── For an upstream ───────────────────────────────────────────────────────────────────────────────


def write_input(part: Part, *, images: bool = True) -> list[dict[str, Any]]:
    """A part of a user's message or a tool's output; none for what cannot stand there.

    Raises InvalidRequest for a file that lies with another vendor. Without `images` (a model that sees
    none) words stand in their place.
    """
    match part:
        case Text(text=words) | Refusal(text=words):
            return _said(words)
        case Image():
            return [_write_image(part)] if images else _said(telling.IMAGE)
        case Document(media=None):
            pictures = [
                piece
                for image in telling.document_images(part)
                for piece in write_input(image, images=images)
            ]
            return [*_said(telling.document_text(part)), *pictures]
        case Document(media=Media() as source):
            return [_write_file(part, source)]
        case SearchResult():
            return _said(telling.search_result_text(part))
        case Foreign(protocol=protocol, raw=raw, text=words):
            return [dict(raw)] if protocol == NAME else _said(words)
        case _:
            return []


def write_annotation(citation: Citation, length: int) -> dict[str, Any] | None:
    """A source as an annotation; None when it names no page.

    A citation that does not say which words it supports stands for all `length` of them.
    """
    if not citation.url:
        return None
    start, end = citation.start, citation.end
    if start is None or end is None or not 0 <= start <= end:
        start, end = 0, length
    return {
        "type": "url_citation",
        "start_index": start,
        "end_index": end,
        "url": citation.url,
        "title": citation.title,
    }


def _said(words: str) -> list[dict[str, Any]]:
    return [{"type": "input_text", "text": words}] if words.strip() else []


def _write_image(image: Image) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "input_image", "detail": image.detail or "auto"}
    if image.media.carriage is Carriage.FILE:
        return part | {"file_id": _own_file(image.media)}
    return part | {"image_url": media.data_url(image.media)}


def _write_file(document: Document, source: Media) -> dict[str, Any]:
    if source.carriage is Carriage.FILE:
        return {"type": "input_file", "file_id": _own_file(source)}
    if source.carriage is Carriage.URL:
        return {"type": "input_file", "file_url": source.data}
    name = document.filename or document.title or "document"
    if source.media_type == _PDF and not name.lower().endswith(".pdf"):
        name += ".pdf"
    return {"type": "input_file", "filename": name, "file_data": media.data_url(source)}


def _own_file(source: Media) -> str:
    if source.vendor != _VENDOR:
        raise InvalidRequest(
            f"The file {source.data} lies with {source.vendor or 'another vendor'}; this account cannot read it."
        )
    return source.data
