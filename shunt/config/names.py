"""Names people give to accounts, pools and clients."""

from __future__ import annotations

import unicodedata
from typing import Final

from shunt.config.misread import Misread
from shunt.config.spelling import plain

LONGEST: Final = 64
RESERVED: Final = frozenset({"auto"})
"""`auto` means "no account in particular" wherever an account may be named."""


def name(text: str) -> str:
    """Return the name in composed form (NFC); raises Misread.

    Names are shown, sent in a header and typed on a command line; no path is ever built from one.
    """
    composed = unicodedata.normalize("NFC", text)
    if not composed:
        raise Misread("must not be empty")
    if len(composed) > LONGEST:
        raise Misread(f"must have at most {LONGEST} characters, not {len(composed)}")
    if not plain(composed):
        raise Misread("must not hold control or invisible characters")
    if composed != composed.strip():
        raise Misread("must not begin or end with a space")
    if "/" in composed or "\\" in composed:
        raise Misread("must not hold / or \\")
    if composed[0] in ".-":
        raise Misread("must not begin with a dot or a dash")
    if composed.casefold() in RESERVED:
        raise Misread(f'must not be "{composed}", which means "any account"')
    return composed


def folded(text: str) -> str:
    """What two names have in common when a person would take them for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
