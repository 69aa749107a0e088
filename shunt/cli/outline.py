"""The commands as plain records, for whoever writes about them: completions, the man page, tests."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
from attrs import frozen


@frozen
class Choice:
    """One option or argument of a command."""

    names: tuple[str, ...]
    """As typed, the short ones first: `-h`, `--help`. An argument has its metavar only."""
    value: str
    """Metavar of the value it takes; empty for a flag."""
    about: str
    words: tuple[str, ...] = ()
    """The values there are, where they are few."""
    is_option: bool = True


@frozen
class Outline:
    """One command with its subcommands."""

    path: tuple[str, ...]
    """Words after `shunt`; empty for the program itself."""
    about: str
    """Its first sentence."""
    text: str
    """All of its explanation."""
    choices: tuple[Choice, ...]
    children: tuple[Outline, ...] = ()

    @property
    def options(self) -> tuple[Choice, ...]:
        """Without the arguments."""
        return tuple(choice for choice in self.choices if choice.is_option)

    def walk(self) -> Iterator[Outline]:
        """This command and everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def outline(
    command: click.Command, path: tuple[str, ...] = (), parent: click.Context | None = None
) -> Outline:
    """Describe a command; imports every subcommand. Hidden ones are left out."""
    name = path[-1] if path else "shunt"
    context = click.Context(command, parent=parent, info_name=name, **command.context_settings)
    children = []
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                children.append(outline(found, (*path, name), context))
    text = inspect.cleandoc(command.help or "")
    return Outline(
        path=path,
        about=command.get_short_help_str(limit=200).rstrip("."),
        text=text.partition("\f")[0],
        choices=tuple(_choices(command, context)),
        children=tuple(children),
    )


def _choices(command: click.Command, context: click.Context) -> Iterator[Choice]:
    for parameter in command.get_params(context):
        kind = parameter.type
        words = tuple(map(str, kind.choices)) if isinstance(kind, click.Choice) else ()
        if isinstance(parameter, click.Option):
            if parameter.hidden:
                continue
            names = sorted(
                (*parameter.opts, *parameter.secondary_opts), key=lambda name: name.startswith("--")
            )
            flag = parameter.is_flag or parameter.count
            value = "" if flag else parameter.make_metavar(context)
            yield Choice(tuple(names), value, parameter.help or "", words)
        else:
            value = parameter.make_metavar(context)
            yield Choice((value,), value, "", words, is_option=False)
