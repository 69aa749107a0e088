"""What the menu bar shows: from the server's `/status` to an icon, a line and a menu. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

MOST: Final = 24
"""Accounts in the menu; more would not fit on a screen."""


class Mood(StrEnum):
    """What the icon says at a glance."""

    GOOD = "good"
    """Some account serves, and none needs its owner."""
    WAITING = "waiting"
    """Every account that could serve is spent for now."""
    NEEDED = "needed"
    """An account needs its owner to log in."""
    DOWN = "down"
    """No server answers."""


class Verb(StrEnum):
    """What choosing an entry does."""

    USE = "use"
    """Send everything to one account; without a name choose automatically."""
    PAUSE = "pause"
    RESUME = "resume"
    LOGIN = "login"
    DASHBOARD = "dashboard"
    START = "start"
    QUIT = "quit"


@frozen
class Action:
    """A verb and the account it is about."""

    verb: Verb
    account: str = ""


@frozen
class Item:
    """One line of the menu."""

    label: str = ""
    """Empty draws a line across."""
    action: Action | None = None
    """None cannot be chosen."""
    checked: bool | None = None
    """None has no mark."""
    children: tuple[Item, ...] = ()


SEPARATOR: Final = Item()


@frozen
class Menu:
    """Everything the menu bar shows."""

    mood: Mood
    title: str
    """One line: the tooltip."""
    short: str
    """A few characters for bars that show text."""
    items: tuple[Item, ...]


def menu_of(status: Mapping[str, Any] | None, now: float, trouble: str = "") -> Menu:
    """The menu for a `/status` document; None when no server answers, and `trouble` says why."""
    if status is None:
        return _down(trouble)
    accounts = [each for each in status.get("accounts") or () if isinstance(each, Mapping)]
    states = [str(each.get("status")) for each in accounts]
    free, total = states.count("available"), len(states)
    needed = [str(each.get("name")) for each in accounts if each.get("status") == "reauth_required"]
    mood = Mood.NEEDED if needed else Mood.GOOD if free else Mood.WAITING
    title = f"shunt: {free} of {total} accounts available" if total else "shunt: no account yet"
    waiting = status.get("waiting")
    if isinstance(waiting, int) and waiting:
        title += f", {waiting} waiting"
    if needed:
        title += f"; login needed: {', '.join(needed)}"
    pinned = status.get("pinned_account")
    items = (
        Item(title),
        SEPARATOR,
        *(_account(each, pinned, now) for each in accounts[:MOST]),
        *((Item(f"… and {total - MOST} more"),) if total > MOST else ()),
        *((SEPARATOR,) if accounts else ()),
        Item("Choose automatically", Action(Verb.USE), checked=pinned is None),
        *_tail(),
    )
    return Menu(mood, title, _short(states, needed), items)


def _down(trouble: str) -> Menu:
    title = trouble or "shunt is not running"
    items = (
        Item(title),
        SEPARATOR,
        Item("Start shunt", Action(Verb.START)),
        Item("Quit", Action(Verb.QUIT)),
    )
    return Menu(Mood.DOWN, title, "-", items)


def _tail() -> tuple[Item, ...]:
    return (
        SEPARATOR,
        Item("Open dashboard", Action(Verb.DASHBOARD)),
        Item("Quit", Action(Verb.QUIT)),
    )


def _account(account: Mapping[str, Any], pinned: Any, now: float) -> Item:
    name, state = str(account.get("name")), str(account.get("status"))
    facts = [*_windows(account), _standing(account, state, now)]
    label = f"{name}: {', '.join(filter(None, facts)) or 'available'}"
    children = [Item("Use only this one", Action(Verb.USE, name), checked=pinned == name)]
    if state == "disabled":
        children.append(Item("Resume", Action(Verb.RESUME, name)))
    else:
        children.append(Item("Pause", Action(Verb.PAUSE, name)))
    if state == "reauth_required":
        children.insert(0, Item("Log in …", Action(Verb.LOGIN, name)))
    return Item(label, checked=True if pinned == name else None, children=tuple(children))


def _windows(account: Mapping[str, Any]) -> list[str]:
    found = []
    for key, label in (("utilization_5h", "5h"), ("utilization_7d", "week")):
        used = account.get(key)
        if isinstance(used, int | float) and not isinstance(used, bool):
            found.append(f"{label} {used:.0%}")
    return found


def _standing(account: Mapping[str, Any], state: str, now: float) -> str:
    if state == "cooling":
        until = account.get("cooldown_until_ms")
        return f"back in {span(until / 1000 - now)}" if isinstance(until, int | float) else "cooling"
    return {"available": "", "disabled": "paused", "reauth_required": "login needed"}.get(state, state)


def span(seconds: float) -> str:
    """Seconds for people: `45 s`, `12 min`, `2 h 5 min`, `3 d`."""
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min"
    if left < 86_400:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86_400} d"


def _short(states: Sequence[str], needed: Sequence[str]) -> str:
    mark = "!" if needed else ""
    return f"{states.count('available')}/{len(states)}{mark}"
