"""The icon, drawn without any library: two arrows that change lanes, in the colour of the mood."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shunt.desktop.menu import Mood

COLOURS: Final = MappingProxyType(
    {
        Mood.GOOD: (46, 160, 67),
        Mood.WAITING: (219, 142, 20),
        Mood.NEEDED: (218, 54, 51),
        Mood.DOWN: (139, 148, 158),
    }
)
SIZES: Final = (22, 44)
"""Pixels of a side: a usual panel, and one with a dense screen."""


def covered(x: float, y: float) -> bool:
    """Whether the drawing covers a point; the square reaches from 0 to 1."""
    return _arrow(x, y, 0.32) or _arrow(1 - x, y, 0.68)


def _arrow(x: float, y: float, at: float) -> bool:
    """A shaft at height `at` that ends on the right in a head."""
    shaft = 0.08 <= x <= 0.7 and abs(y - at) <= 0.065
    head = 0.62 <= x <= 0.95 and abs(y - at) <= (0.95 - x) * 0.62
    return shaft or head


def pixels(mood: Mood, size: int) -> bytes:
    """Rows of four bytes a pixel: alpha, red, green, blue, as the desktop's protocol wants them."""
    red, green, blue = COLOURS[mood]
    out = bytearray()
    for row in range(size):
        for column in range(size):
            hits = sum(
                covered((column + dx) / size, (row + dy) / size)
                for dx in (0.17, 0.5, 0.83)
                for dy in (0.17, 0.5, 0.83)
            )
            out += bytes((255 * hits // 9, red, green, blue))
    return bytes(out)


def rgba(mood: Mood, size: int) -> bytes:
    """The same with alpha last, as image libraries want it."""
    argb = pixels(mood, size)
    return b"".join(argb[at + 1 : at + 4] + argb[at : at + 1] for at in range(0, len(argb), 4))
