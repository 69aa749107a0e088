"""`shunt help`: a command, or a topic of the documentation inside the package."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from shunt.cli.invocation import Invocation
from shunt.cli.manpage import manpage
from shunt.cli.outline import outline
from shunt.cli.topics import topic, topics
from shunt.config.spelling import nearest
from shunt.store.locations import locate

FILES = (
    ("config_file", "the configuration, edited by people"),
    ("credentials_file", "logins and stored keys, readable by you alone"),
    ("state_file", "what is known about the accounts' windows"),
    ("history_file", "which request went where and what it used"),
    ("log_file", "what happened; no secrets, nothing of your conversations"),
)


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND|TOPIC]")
@click.option("--man", is_flag=True, help="Print the man page shunt(1).")
@click.pass_context
def show_help(ctx: click.Context, words: tuple[str, ...], *, man: bool) -> None:
    """Explain a command or a topic; without a word, list both.

    A terminal gets the topic with headings and colours, a pipe the plain text.
    """
    root = ctx.find_root()
    call: Invocation = ctx.obj
    if man:
        click.echo(manpage(outline(root.command), _files(), topics().items()), nl=False)
        return
    if not words:
        click.echo(root.get_help())
        click.echo("\nTopics (shunt help TOPIC):")
        formatter = click.HelpFormatter(width=root.max_content_width)
        with formatter.indentation():
            formatter.write_dl(list(topics().items()))
        click.echo(formatter.getvalue(), nl=False)
        return
    command = _command_help(root, words)
    text = topic(words[0]) if len(words) == 1 else None
    if command is None and text is None:
        known = (
            [*root.command.list_commands(root), *topics()] if isinstance(root.command, click.Group) else []
        )
        near = nearest(words[0], known)
        hint = f" Did you mean `shunt help {near}`?" if near else " `shunt help` lists what there is."
        raise click.UsageError(f"There is no command or topic {' '.join(words)!r}.{hint}", ctx)
    if command is not None:
        click.echo(command)
        if text is not None:
            click.echo()
    if text is not None:
        _show(text, call)


def _command_help(root: click.Context, words: Sequence[str]) -> str | None:
    """What `shunt WORDS --help` prints; None when there is no such command."""
    context = root
    for word in words:
        group = context.command
        found = group.get_command(context, word) if isinstance(group, click.Group) else None
        if found is None:
            return None
        context = click.Context(found, info_name=word, parent=context, **found.context_settings)
    return context.get_help()


def _show(text: str, call: Invocation) -> None:
    if not sys.stdout.isatty():
        click.echo(text, nl=False)
        return
    from rich.markdown import Markdown  # noqa: PLC0415 - heavy, and only for a terminal

    from shunt.cli.terminal import draw  # noqa: PLC0415 - likewise

    draw(Markdown(text), call.environ)


def _files() -> list[tuple[str, str]]:
    """The files as they lie on Linux for somebody whose home is ~: a man page speaks to everybody."""
    places = locate({"HOME": "/~"}, platform="linux")
    return [(str(getattr(places, name)).removeprefix("/"), about) for name, about in FILES]
