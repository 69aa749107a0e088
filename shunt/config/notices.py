"""`[notify]` as a frozen type, and the kinds of notices there are."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from shunt.config import values
from shunt.config.values import key

NOTICES: Final = (
    *("long-cooldown-started", "long-cooldown-ended", "account-forbidden", "login-needed"),
    *("all-accounts-offline", "config-rejected", "update-available"),
)
"""Kinds of notices that can be muted."""


@frozen
class NotifyConfig:
    """`[notify]`: what a person is told of, and where."""

    desktop: bool = field(
        default=True,
        metadata=key(
            values.flag(), "Whether notices go to the desktop; without one they are lines on the terminal."
        ),
    )
    muted: tuple[str, ...] = field(
        default=(),
        metadata=key(
            values.words(values.one_of(NOTICES, noun="kind of notice"), kind="a list of kinds of notices"),
            f"Kinds of notices that only go to the log: {', '.join(NOTICES)}.",
        ),
    )
