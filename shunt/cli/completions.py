"""`shunt completions`: print a completion script."""

from __future__ import annotations

import click

from shunt.cli.completion_scripts import SHELLS
from shunt.cli.outline import outline


@click.command()
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completions(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell. It is static: no TAB starts shunt.

    \b
    bash        shunt completions bash > ~/.local/share/bash-completion/completions/shunt
    zsh         shunt completions zsh > ~/.zfunc/_shunt   (a folder of your $fpath)
    fish        shunt completions fish > ~/.config/fish/completions/shunt.fish
    powershell  shunt completions powershell >> $PROFILE
    """  # noqa: D301 - click looks for the control character itself
    click.echo(SHELLS[shell](outline(ctx.find_root().command)), nl=False)
