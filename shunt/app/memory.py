"""How Python's collector is set for a program that runs for months and answers in milliseconds.

Measured (2026-11, a plain request at saturation): with the settings Python starts with, every tenth millisecond went
into looking through some 300,000 objects of modules and tables that live as long as the program.
"""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 5_000
"""New containers after which the young ones are looked through; a running request has some hundreds."""


def settle() -> None:
    """Leave what was made so far to itself: called once, when everything is loaded."""
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
