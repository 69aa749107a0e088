"""`shunt use`, `shunt strategy` and `shunt model`: change what the running server does next."""

from __future__ import annotations

from typing import Any

import click

from shunt.cli.control import Control
from shunt.cli.exits import NotRunning
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.terminal import clean, emit
from shunt.config.spelling import hint
from shunt.config.types import STRATEGIES, STRATEGY_ALIASES

AUTO = "auto"
"""Instead of an account: none is pinned."""
DEFAULT = "default"
"""Instead of a strategy: the one of config.toml."""


@click.command()
@click.argument("account", metavar="NAME|auto")
@as_json
@elsewhere
@places
def use(call: Invocation, account: str, url: str | None, *, as_json: bool) -> None:
    """Send every request to the account NAME, or choose automatically again.

    A pin is strict: when the account cannot serve, requests fail and say so, unless
    routing.pin_spills is set.
    """
    pinned = None if account.casefold() == AUTO else account
    open_files(call).control(url).use(pinned)
    if as_json:
        emit({"pinned_account": pinned})
    elif pinned is None:
        click.echo("Accounts are chosen automatically again.")
    else:
        click.echo(f"Every request goes to {clean(pinned)} now. `shunt use auto` ends that.")


@click.command()
@click.argument("name", metavar="[NAME|default]", required=False)
@as_json
@elsewhere
@places
def strategy(call: Invocation, name: str | None, url: str | None, *, as_json: bool) -> None:
    """Show how accounts are chosen, or choose by another strategy until the next start.

    NAME is one of maximus, reaper, cushion, carousel, priority; `default` goes back to config.toml.
    """
    wanted = None if name is None else _known(name)
    files = open_files(call)
    try:
        answer = _strategy(files.control(url), wanted)
    except NotRunning as error:
        example = wanted if wanted not in (None, DEFAULT) else STRATEGIES[0]
        raise NotRunning(
            f"{error.message}\nTo set the strategy for every start, write this into "
            f'{files.places.config_file}:\n  [routing]\n  strategy = "{example}"'
        ) from error
    if as_json:
        emit(answer)
        return
    source = {"override": "set while running", "config": "from config.toml", "default": "the default"}
    where = str(answer.get("source", ""))
    click.echo(
        f"{clean(str(answer.get('strategy', 'unknown')))} ({source.get(where, clean(where) or 'unknown')})"
    )


@click.command()
@click.argument("name", metavar="[NAME|default]", required=False)
@as_json
@elsewhere
@places
def model(call: Invocation, name: str | None, url: str | None, *, as_json: bool) -> None:
    """Show which model is served, or serve NAME whatever clients ask for.

    The `[models]` table of config.toml says what NAME is called at another provider. `default` ends it:
    clients are given the models that they ask for.
    """
    control = open_files(call).control(url)
    if name is not None:
        control.set_model(None if name.casefold() == DEFAULT else name)
    answer = control.model()
    if as_json:
        emit(answer)
    elif answer.get("model"):
        click.echo(
            f"{clean(str(answer['model']))}, whatever clients ask for. `shunt model default` ends that."
        )
    else:
        click.echo("Clients are given the models that they ask for.")


def _strategy(control: Control, wanted: str | None) -> dict[str, Any]:
    if wanted is not None:
        control.set_strategy(None if wanted == DEFAULT else wanted)
    return control.strategy()


def _known(name: str) -> str:
    """The strategy's own name; raises click.BadParameter with the nearest one."""
    folded = name.casefold()
    found = STRATEGY_ALIASES.get(folded, folded)
    known = (*STRATEGIES, DEFAULT)
    if found not in known:
        raise click.BadParameter(
            f"there is no strategy {clean(name)!r}{hint(name, (*known, *STRATEGY_ALIASES))} "
            f"Known: {', '.join(known)}.",
            param_hint="NAME",
        )
    return found
