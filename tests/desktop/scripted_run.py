"""A service manager's programs whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from shunt.desktop.service import Done


@define
class ScriptedRun:
    """Remembers every command; answers by the longest beginning that is written down, else with success."""

    answers: Mapping[str, Done] = field(factory=dict)
    commands: list[str] = field(factory=list)

    def __call__(self, words: tuple[str, ...]) -> Done:
        line = " ".join(words)
        self.commands.append(line)
        fitting = sorted((start for start in self.answers if line.startswith(start)), key=len)
        return self.answers[fitting[-1]] if fitting else Done(0, "")
