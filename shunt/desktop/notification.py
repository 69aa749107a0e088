"""What a desktop is asked to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from attrs import frozen

PROGRAM: Final = "shunt"
WITHIN: Final = 5.0
"""Seconds that a desktop may take; it takes milliseconds where there is one."""


@frozen
class Notification:
    """One thing to show."""

    title: str
    text: str
    """One line or a few. Account names and words of vendors may be in it: plain text, never markup."""


class NoDesktop(Exception):
    """There is no desktop to show it on; the message says what was found instead."""


Sender = Callable[[Notification], Awaitable[None]]
"""Shows a notification. Raises NoDesktop."""
