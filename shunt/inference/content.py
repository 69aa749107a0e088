"""What conversations are made of, in no protocol's words.

A protocol decodes its own blocks, parts and items into these and encodes them back. What only one
protocol has is carried as `Foreign`, so that it can be passed back to the same protocol whole, and
told in a line of text to the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    DEVELOPER = "developer"


@frozen
class CacheMark:
    """A prompt-cache breakpoint after the part that carries it."""

    ttl: str = ""
    """`5m`, `1h`, or empty for the vendor's default."""


@frozen
class Citation:
    """A source that part of a text rests on."""

    url: str = ""
    title: str = ""
    cited_text: str = ""
    start: int | None = None
    """First code point of the text it supports; None when the source does not say."""
    end: int | None = None
    raw: Mapping[str, Any] = field(factory=dict)
    """The citation as its own protocol wrote it."""


@frozen
class Text:
    """Words."""

    text: str
    citations: tuple[Citation, ...] = ()
    cache: CacheMark | None = None


class Carriage(StrEnum):
    """How media travel."""

    INLINE = "inline"
    """`data` is base64."""
    URL = "url"
    FILE = "file"
    """`data` is a file id of the vendor in `Media.vendor`."""


@frozen
class Media:
    """Where the bytes of an image or document are."""

    carriage: Carriage
    data: str = field(repr=False)
    media_type: str = ""
    """For inline data, e.g. `image/png`; always a plain type without parameters."""
    vendor: str = ""
    """For file ids: `anthropic` or `openai`."""


@frozen
class Image:
    """A picture."""

    media: Media
    detail: str = ""
    """`low`, `high`, `auto` or empty."""
    cache: CacheMark | None = None


@frozen
class Document:
    """A file for the model to read: PDF by media, or plain text."""

    media: Media | None = None
    text: str | None = None
    """For plain-text documents, in place of media."""
    parts: tuple[Text | Image, ...] = ()
    """For documents given as content parts, in place of media."""
    title: str = ""
    context: str = ""
    filename: str = ""
    cache: CacheMark | None = None


@frozen
class SearchResult:
    """A search hit that the client gives to the model."""

    title: str
    source: str
    parts: tuple[Text, ...]
    cache: CacheMark | None = None


class SealForm(StrEnum):
    """In which field a vendor's opaque reasoning stood."""

    SIGNATURE = "signature"
    """Anthropic: signature of a thinking block."""
    REDACTED = "redacted"
    """Anthropic: data of a redacted_thinking block."""
    ENCRYPTED = "encrypted"
    """OpenAI: encrypted_content of a reasoning item."""
    PLAIN = "plain"
    """A server that gives reasoning as plain text and wants it back."""


@frozen
class Seal:
    """Opaque reasoning and where it came from. Only its origin can read it; nobody can make one."""

    origin: str
    """Provider family that made it: `anthropic`, `openai`, `codex`, or a base URL's host."""
    form: SealForm
    payload: str = field(repr=False)
    account: str = ""
    """Fingerprint of the account it is bound to; empty when any account of the origin reads it."""


@frozen
class Thinking:
    """Reasoning: its words (or their summary), and the seal that proves them."""

    text: str = ""
    seal: Seal | None = None
    summary: bool = False
    """The words are a summary rather than the reasoning itself."""


@frozen
class Refusal:
    """Words with which the model declines."""

    text: str


@frozen
class ToolCall:
    """The model asks the client to run a tool."""

    id: str
    name: str
    arguments: str = "{}"
    """JSON text exactly as the model wrote it (perhaps broken), or a custom tool's free text."""
    custom: bool = False
    """A custom tool: `arguments` is its input as plain text."""
    namespace: str = ""
    cache: CacheMark | None = None


@frozen
class ToolResult:
    """The client's answer to a call."""

    call_id: str
    parts: tuple[Text | Image | Document | SearchResult | ToolReference | Foreign, ...] = ()
    is_error: bool = False
    custom: bool = False
    cache: CacheMark | None = None


@frozen
class ToolReference:
    """A deferred tool that a search has brought up."""

    name: str


@frozen
class SearchHit:
    """One result of a hosted web search."""

    url: str
    title: str = ""
    page_age: str = ""
    opaque: str = field(default="", repr=False)
    """Anthropic's encrypted_content, which has to be echoed."""


@frozen
class HostedCall:
    """The vendor ran one of its own tools."""

    id: str
    kind: str
    """`web_search`, `web_fetch`, `code_execution`, `file_search`, …"""
    input: str = "{}"
    """JSON text."""
    status: str = ""
    raw: Mapping[str, Any] = field(factory=dict)


@frozen
class HostedResult:
    """What a vendor's own tool found."""

    call_id: str
    kind: str
    hits: tuple[SearchHit, ...] = ()
    text: str = ""
    """What it found, in words, where that is no list of hits."""
    error: str = ""
    raw: Mapping[str, Any] = field(factory=dict)


@frozen
class Foreign:
    """Something only one protocol has."""

    protocol: str
    type: str
    raw: Mapping[str, Any]
    """The block, part or item as it stood."""
    text: str = ""
    """What another protocol may say in its place; empty when silence is better."""


Part = (
    Text
    | Image
    | Document
    | SearchResult
    | Thinking
    | Refusal
    | ToolCall
    | ToolResult
    | HostedCall
    | HostedResult
    | Foreign
)


@frozen
class Message:
    """One turn, or one run of parts by the same speaker."""

    role: Role
    parts: tuple[Part, ...]
    phase: str = ""
    """OpenAI's `commentary` or `final_answer`; has to be echoed to it."""
    name: str = ""
