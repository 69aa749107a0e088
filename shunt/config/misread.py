"""What is wrong with one value, and where it stands."""

from __future__ import annotations

from attrs import frozen


class Misread(ValueError):
    """A value that cannot be used. Its text completes the sentence "`key` …" and shows no secret."""


@frozen
class Problem:
    """One reason not to accept the configuration."""

    path: tuple[str | int, ...]
    """Keys and list positions from the top: `("accounts", 1, "name")`."""
    message: str
    """What is wrong and what would be right; shows no secret."""
