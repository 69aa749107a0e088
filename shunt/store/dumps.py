"""Dumps of failed requests: one small private file each, the newest kept.

They hold no secrets and nothing of what was said: phases, decisions, attempts, the error in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from shunt.errors import StoreError
from shunt.store.files import make_private_dir, read_private, write_private
from shunt.wire import json

KEPT: Final = 100
LARGEST: Final = 1024 * 1024
_NAME: Final = re.compile(r"req_[0-9a-f]{24}")


@frozen
class Dumps:
    """A folder of dumps. Every method blocks."""

    folder: Path

    def save(self, dumps: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write dumps by request id, and remove the oldest beyond KEPT. Raises StoreError."""
        make_private_dir(self.folder)
        for request, dump in dumps:
            if _NAME.fullmatch(request):
                write_private(self._path(request), json.encode(dump))
        for path in self._oldest_first()[:-KEPT]:
            with suppress(OSError):
                path.unlink()

    def find(self, request: str) -> dict[str, Any] | None:
        """The dump of a request; None when there is none."""
        if not _NAME.fullmatch(request):
            return None
        try:
            data = read_private(self._path(request), limit=LARGEST)
        except StoreError:
            return None
        read = json.value(data) if data else None
        return read if isinstance(read, dict) else None

    def _path(self, request: str) -> Path:
        return self.folder / f"{request}.json"

    def _oldest_first(self) -> list[Path]:
        found: list[tuple[float, Path]] = []
        for path in self.folder.glob("req_*.json"):
            with suppress(OSError):
                found.append((path.stat().st_mtime, path))
        return [path for _, path in sorted(found)]
