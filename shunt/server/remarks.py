"""Log lines that would come by the thousand."""

from __future__ import annotations

import logging
from typing import Final

import trio
from attrs import define, field

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two lines of the same kind."""


@define(eq=False)
class Remarks:
    """Says each kind of thing once a minute."""

    _said: dict[str, float] = field(factory=dict)

    def warn(self, kind: str, message: str) -> None:
        """Log a warning, unless one of its kind was logged less than a minute ago."""
        now = trio.current_time()
        if now - self._said.get(kind, -EVERY) >= EVERY:
            self._said[kind] = now
            log.warning("%s", message)
