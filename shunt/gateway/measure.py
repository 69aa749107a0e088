"""How much of an answer is held in memory to be read or put into other words."""

from __future__ import annotations

from typing import Final

from attrs import frozen

MIB: Final = 1024 * 1024


@frozen
class Measure:
    """Sizes in bytes. What is merely passed on has no size: it is never held whole."""

    event: int = 64 * MIB
    """One event of a stream. Agents do receive events of 20 MiB: a file in one piece."""
    answer: int = 64 * MIB
    """One plain answer, as it came and unpacked."""
