"""What `shunt doctor` says about one thing it looked at."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from attrs import frozen

from shunt.cli.exits import FAILED, FINE, NEEDS_LOGIN


class Level(StrEnum):
    """How much a remark matters."""

    FINE = "fine"
    NOTE = "note"
    """Good to know; nothing is wrong."""
    WARNING = "warning"
    """Works, but not as it should."""
    FAULT = "fault"
    """Does not work, or is not safe."""


@frozen
class Remark:
    """One thing looked at."""

    level: Level
    about: str
    says: str
    cure: str = ""
    """What to do, when something can be done."""
    login: bool = False
    """Only a login by a person cures it."""


def exit_code(remarks: Sequence[Remark]) -> int:
    """Fine without faults; "needs login" when nothing else is wrong."""
    faults = [remark for remark in remarks if remark.level is Level.FAULT]
    if not faults:
        return FINE
    return NEEDS_LOGIN if all(remark.login for remark in faults) else FAILED
