"""Where the bytes of images and files are: data URLs, web addresses, bare base64.

OpenAI's two protocols write one URL field for all of these; Anthropic's takes type and data apart.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from shunt.errors import InvalidRequest
from shunt.inference.content import Carriage, Media

_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}
_MAGIC: Final = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
)
"""How base64 of well-known formats begins."""
_BARE: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}\Z")
_TEXTUAL: Final = re.compile(r"text/.*|application/(?:json|xml|yaml|x-yaml|toml|javascript|.*\+(?:json|xml))")


def located(url: str, field: str) -> Media:
    """Read a URL field: `data:`, `http(s):`, or base64 without any scheme.

    Raises InvalidRequest, naming `field`, for any other scheme: nobody but its client can read those.
    """
    url = url.strip()
    scheme = url[:8].lower()
    if scheme.startswith(("http://", "https://")):
        return Media(Carriage.URL, url)
    if scheme.startswith("data:"):
        return _inlined(url, field)
    if _BARE.match(bare := "".join(url.split())):
        return inline(bare)
    raise InvalidRequest(f"`{field}` must be a data URL or a web address, got {url[:40]!r}.", param=field)


def inline(data: str, media_type: str = "") -> Media:
    """Base64 data, with its type as far as it is known or shows in its first bytes."""
    data = "".join(data.split()) if any(c in data[:120] for c in "\r\n ") else data.strip()
    return Media(Carriage.INLINE, data, plain_type(media_type) or sniffed(data))


def plain_type(media_type: str) -> str:
    """A media type in lower case, without parameters and under its proper name."""
    plain = media_type.partition(";")[0].strip().lower()
    return _ALIASES.get(plain, plain)


def sniffed(data: str) -> str:
    """The media type of base64 data by its first bytes; empty when it is none of the well-known."""
    return next((media_type for magic, media_type in _MAGIC if data.startswith(magic)), "")


def data_url(media: Media) -> str:
    """The one URL field: a data URL for inline data, else the address."""
    if media.carriage is not Carriage.INLINE:
        return media.data
    return f"data:{media.media_type or 'application/octet-stream'};base64,{media.data}"


def text_within(media: Media) -> str | None:
    """The words of an inline file of a textual type; None when it is another type, or not text at all."""
    if media.carriage is not Carriage.INLINE or not _TEXTUAL.fullmatch(media.media_type):
        return None
    try:
        return base64.b64decode(media.data, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError):
        return None


def _inlined(url: str, field: str) -> Media:
    head, comma, data = url[5:].partition(",")
    if not comma:
        raise InvalidRequest(f"`{field}` is a data URL without data.", param=field)
    media_type, *parameters = (piece.strip().lower() for piece in head.split(";"))
    if "base64" in parameters:
        return inline(data, media_type)
    return Media(
        Carriage.INLINE,
        base64.b64encode(unquote_to_bytes(data)).decode(),
        plain_type(media_type) or "text/plain",
    )
