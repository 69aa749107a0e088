from __future__ import annotations

import click

from shunt.cli.outline import Choice, Outline, outline
from shunt.cli.program import COMMANDS, program


def test_it_describes_names_values_and_words() -> None:
    """Flags take nothing, options name their value, arguments are no options, hidden things are left out."""

    @click.group()
    def top() -> None:
        """The top. And more."""

    @top.command()
    @click.option("--level", type=click.Choice(("a", "b")), help="How much.")
    @click.option("-f", "--follow", is_flag=True, help="Go on.")
    @click.option("--secret", hidden=True)
    @click.argument("what")
    def sub(**_options: object) -> None:
        """Do it."""

    @top.command(hidden=True)
    def unseen() -> None:
        """Never shown."""

    found = outline(top)
    (child,) = found.children
    assert (found.about, child.path, child.about) == ("The top", ("sub",), "Do it")
    assert child.choices == (
        Choice(("--level",), "[a|b]", "How much.", ("a", "b")),
        Choice(("-f", "--follow"), "", "Go on."),
        Choice(("WHAT",), "WHAT", "", (), is_option=False),
        Choice(("--help",), "", "Show this message and exit."),
    )
    assert [each.path for each in found.walk()] == [(), ("sub",)]
    assert [choice.names for choice in child.options] == [("--level",), ("-f", "--follow"), ("--help",)]


def _whole() -> Outline:
    return outline(program)


def test_the_whole_program_is_in_it() -> None:
    """Every command, and every option with a text: nothing goes undocumented."""
    found = _whole()
    assert [child.path[0] for child in found.children] == [entry.name for entry in COMMANDS]
    for each in found.walk():
        assert each.text, each.path
        for option in each.options:
            assert option.about.endswith((".", ")", "]")), (each.path, option.names)
