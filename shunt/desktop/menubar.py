"""The menu as text, for bars that run a command now and then and show what it prints.

xbar and SwiftBar (macOS) read lines with parameters behind a bar; waybar (Wayland) reads one JSON object.
A click runs a command of ours, so nothing has to stay running.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from shunt.desktop.menu import Action, Item, Menu, Mood, Verb

COLOURS: Final = MappingProxyType(
    {Mood.GOOD: "#2e7d32", Mood.WAITING: "#b26a00", Mood.NEEDED: "#c62828", Mood.DOWN: "#757575"}
)


def words_for(action: Action) -> tuple[str, ...]:
    """The command of ours that does it; empty where a bar has nothing to do."""
    name = action.account
    return {
        Verb.USE: ("use", name or "auto"),
        Verb.PAUSE: ("menubar", "--pause", name),
        Verb.RESUME: ("menubar", "--resume", name),
        Verb.LOGIN: ("add-account", name, "--login"),
        Verb.DASHBOARD: ("menubar", "--dashboard"),
        Verb.START: ("menubar", "--start"),
        Verb.QUIT: (),
    }[action.verb]


def xbar(menu: Menu, program: Sequence[str]) -> str:
    """Lines for xbar and SwiftBar. `program` are the words that start us."""
    colour = COLOURS[menu.mood]
    lines = [f"⇄ {_text(menu.short)} | color={colour}", "---"]
    for item in menu.items:
        lines += _xbar(item, program, 0)
    return "\n".join(lines)


def _xbar(item: Item, program: Sequence[str], depth: int) -> Iterator[str]:
    indent = "--" * depth
    if not item.label:
        yield f"{indent}---"
        return
    words = words_for(item.action) if item.action else ()
    if item.action and not words:
        return
    mark = "✓ " if item.checked else ""
    shell = ""
    if words:
        command = [*program, *words]
        shell = f" | shell={_quoted(command[0])}"
        shell += "".join(f" param{n}={_quoted(word)}" for n, word in enumerate(command[1:], 1))
        # A login asks things; all else is done unseen.
        seen = item.action is not None and item.action.verb is Verb.LOGIN
        shell += f" terminal={'true' if seen else 'false'} refresh=true"
    yield f"{indent}{mark}{_text(item.label)}{shell}"
    for child in item.children:
        yield from _xbar(child, program, depth + 1)


def waybar(menu: Menu, program: Sequence[str]) -> str:  # noqa: ARG001 - every form's signature
    """One JSON object for waybar's custom module (`"return-type": "json"`)."""
    lines = [item.label for item in menu.items if item.label and (item.children or item.action is None)]
    document = {
        "text": f"⇄ {menu.short}",
        "alt": menu.mood,
        "class": menu.mood,
        "tooltip": _markup("\n".join(lines)),
    }
    return json.dumps(document, ensure_ascii=False)


FORMS: Final[Mapping[str, Callable[[Menu, Sequence[str]], str]]] = MappingProxyType(
    {"xbar": xbar, "swiftbar": xbar, "waybar": waybar}
)


def setup(form: str, program: Sequence[str]) -> str:
    """What to put where, so that the bar shows it."""
    command = shlex.join([*program, "menubar", "--format", form])
    if form == "waybar":
        module = {
            "exec": command,
            "return-type": "json",
            "interval": 15,
            "on-click": shlex.join([*program, "menubar", "--dashboard"]),
        }
        return json.dumps({"custom/shunt": module}, indent=2)
    return f"#!/bin/sh\n# Save as shunt.15s.sh in the plugin folder, and make it executable.\nexec {command}"


def _text(text: str) -> str:
    """A line that no bar takes apart: names may hold anything."""
    return " ".join(text.replace("|", "¦").split())


def _quoted(word: str) -> str:
    return '"' + word.replace('"', "'") + '"'


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
