"""What a person should hear about, and how often.

Every notice goes to the log; those of categories that are not muted also go to the given delivery
(the desktop, or a line on the terminal). The same event is told at most once an hour.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from enum import StrEnum

from attrs import frozen

log = logging.getLogger(__name__)

REPEAT_AFTER = 3600.0
"""Seconds within which the same event is not told again."""


class Category(StrEnum):
    """Kinds of notices; each can be muted."""

    COOLDOWN_STARTED = "long cooldown started"
    COOLDOWN_ENDED = "long cooldown ended"
    FORBIDDEN = "account forbidden"
    LOGIN_NEEDED = "login needed"
    ALL_OFFLINE = "all accounts offline"
    CONFIG_REJECTED = "config rejected"
    UPDATE_AVAILABLE = "update available"

    @property
    def key(self) -> str:
        """What it is called in `notify.muted`."""
        return self.value.replace(" ", "-")


@frozen
class Notice:
    """One thing worth telling."""

    category: Category
    account: str
    """Empty when it concerns no single account."""
    text: str
    """One line: what happened and what to do."""


class Notifier:
    """Tells notices, each event at most once an hour."""

    def __init__(
        self,
        deliver: Callable[[Notice], None] | None = None,
        *,
        now: Callable[[], float],
        muted: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """Prepare to tell.

        Args:
            deliver: shows a notice to the person; None leaves it to the log.
            now: epoch seconds.
            muted: keys of the categories that are left to the log; asked each time.
        """
        self._muted = muted
        self._deliver = deliver
        self._now = now
        self._told: dict[tuple[Category, str], float] = {}

    def notify(self, notice: Notice) -> None:
        """Tell `notice` unless the same event was told within the hour. Never raises.

        Events of one category and account are the same; those that concern no account differ by text.
        """
        now = self._now()
        # The absolute difference: a clock set back must not silence anything for days.
        self._told = {event: at for event, at in self._told.items() if abs(now - at) < REPEAT_AFTER}
        event = (notice.category, notice.account or notice.text)
        if event in self._told:
            return
        self._told[event] = now
        log.warning("%s: %s", notice.category, notice.text)
        if self._deliver is None or notice.category.key in self._muted():
            return
        try:
            self._deliver(notice)
        except Exception as error:  # noqa: BLE001 - a closed terminal must not stop a watcher
            log.info("a notice could not be shown: %s", type(error).__name__)
