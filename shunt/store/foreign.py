"""Reading the files of other programs: with care for what may be half written, and never writing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from shunt.accounts.secret import Secret
from shunt.errors import StoreError
from shunt.store.files import read_private

LIMIT: Final = 64 * 1024 * 1024
"""Bytes; Claude Code's `.claude.json` keeps the history of projects and grows large."""
READINGS: Final = 4
PAUSE: Final = 0.1
"""Seconds between readings of a text that is being rewritten."""


@frozen
class Machine:
    """What reading depends on besides the files; tests replace it."""

    platform: str = sys.platform
    run: Callable[..., subprocess.CompletedProcess[bytes]] = subprocess.run
    pause: Callable[[float], None] = time.sleep


def read_document(path: Path, machine: Machine, cure: str) -> dict[str, Any] | None:
    """The JSON table in a file that another program may be writing; None when there is no file.

    Raises StoreError, ending in `cure`, when it stays unreadable.
    """
    for reading in range(READINGS):
        if reading:
            machine.pause(PAUSE)
        text = read_private(path, limit=LIMIT, follow=True)
        if text is None:
            return None
        document = parsed(text)
        if document is not None:
            return document
    raise StoreError(f"{path} is not the JSON it should be; {cure}")


def parsed(text: bytes) -> dict[str, Any] | None:
    """The JSON table in a text; None when it holds none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def text_of(value: Any) -> str:
    """A text as it is; anything else is empty."""
    return value if isinstance(value, str) else ""


def secret_of(value: Any, source: str, key: str, cure: str) -> Secret:
    """A token out of a file. Raises StoreError, ending in `cure`, for what cannot be one."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise StoreError(f"{source} holds a login whose {key} is no token; {cure}")
    return Secret(value)
