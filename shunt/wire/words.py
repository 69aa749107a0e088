"""A stranger's words made fit for a terminal, a log line or a status field."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_HTML: Final = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP: Final = re.compile(r"<(script|style)\b.*?</\1[^>]*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_HTML_SNIFF: Final = 512
_READ: Final = 8_000
"""Characters looked at; no title or message worth showing begins later."""


def words(source: bytes | str, limit: int) -> str:
    """Return at most `limit` characters on one line, without control or formatting characters.

    Of an HTML page the title remains, or its text when it has none.
    """
    text = source[: _READ * 4].decode("utf-8", "replace") if isinstance(source, bytes) else source
    text = text[:_READ]
    if is_html(text):
        title = _TITLE.search(text)
        text = html.unescape(title[1] if title and title[1].strip() else _MARKUP.sub(" ", text))
    line = "".join(c for c in " ".join(text.split()) if unicodedata.category(c)[0] != "C")
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def is_html(text: str) -> bool:
    """Whether this is a page for people where a program's answer was due."""
    return bool(_HTML.search(text[:_HTML_SNIFF]))
