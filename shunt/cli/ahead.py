"""`shunt forecast` and `shunt simulate`: what becomes of the windows, and what another way would come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from attrs import evolve

from shunt.accounts.account import Account
from shunt.cli.exits import Failed
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.past import Lookback
from shunt.cli.past_views import forecasts_view, trial_view
from shunt.cli.terminal import draw, emit
from shunt.config.spelling import hint
from shunt.config.types import STRATEGIES, STRATEGY_ALIASES, Config
from shunt.limits.windows import FIVE_HOUR
from shunt.providers.accounts import account_from
from shunt.routing.simulate import Plan, Recorded, Report, Sizes, simulate, sizes_of
from shunt.routing.tuning import tuning_of
from shunt.store.history_search import Archive

MOST_ADDED = 20


@click.command()
@as_json
@elsewhere
@places
def forecast(call: Invocation, url: str | None, *, as_json: bool) -> None:
    """Say when each account's windows run dry at the present pace.

    With the method, and how far off it was on windows of the past thirty days.
    """
    told = Lookback(open_files(call), url).forecast()
    if as_json:
        emit(told)
    else:
        draw(forecasts_view(told, call.now()), call.environ)


@click.command("simulate")
@click.option("--strategy", metavar="NAME", help=f"Choose by it: {', '.join(STRATEGIES)}.")
@click.option(
    "--add",
    type=click.IntRange(0, MOST_ADDED),
    default=0,
    metavar="N",
    help="N more accounts, as large as the others.",
)
@click.option("--remove", multiple=True, metavar="NAME", help="Do without this account (may be repeated).")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="Replay the requests of so many days.",
)
@as_json
@places
def simulate_command(
    call: Invocation, strategy: str | None, add: int, remove: tuple[str, ...], days: int, *, as_json: bool
) -> None:
    """Replay the recorded days another way, and count the limits that would have been hit.

    Compared with the present strategy and accounts, replayed by the same rules. How much a window
    holds is worked out from what was recorded; an account whose windows were never seen to fill is
    taken to be like the others.
    """
    files = open_files(call)
    told = trial(files, _strategy(strategy), add, remove, call.now() - days * 86_400.0)
    told["days"] = days
    if as_json:
        emit(told)
    else:
        draw(trial_view(told), call.environ)


def trial(
    files: Files, strategy: str | None, add: int, remove: Sequence[str], since: float
) -> dict[str, Any]:
    """The simulation's document. Raises Failed when there is nothing to replay."""
    archive, config = Archive(files.places.history_file), files.config()
    requests = [Recorded(*row) for row in archive.replay(since)]
    if not requests:
        raise Failed("There is nothing to replay: the history has no served requests of these days.")
    accounts = _accounts(config, requests)
    unknown = [name for name in remove if name not in {account.name for account in accounts}]
    if unknown:
        names = [account.name for account in accounts]
        raise Failed(
            f"No account is named {unknown[0]!r}{hint(unknown[0], names)} (known: {', '.join(names)})."
        )
    sizes = sizes_of(archive.windows(since=since, most=1_000_000), requests, [a.name for a in accounts])
    if not any(sizes.values()):
        raise Failed(
            "What the accounts' windows hold is not known yet: none was seen to fill by two hundredths while "
            "requests were recorded. Come back after a day of work."
        )
    present = _plan(config, accounts, sizes)
    kept = tuple(account for account in accounts if account.name not in remove)
    tried = _plan(config, *_with_more(kept, sizes, add))
    if strategy is not None:
        tried = evolve(tried, tuning=evolve(tried.tuning, strategy=strategy))
    if not tried.accounts:
        raise Failed("No account is left to replay anything on.")
    return {
        "requests": len(requests),
        "recorded_refusals": archive.refusals(since),
        "present": _document("present", simulate(requests, present), present.sizes),
        "tried": _document(_name(strategy, add, remove), simulate(requests, tried), tried.sizes),
    }


def _strategy(name: str | None) -> str | None:
    if name is None:
        return None
    folded = name.casefold()
    found = STRATEGY_ALIASES.get(folded, folded)
    if found not in STRATEGIES:
        raise click.BadParameter(
            f"there is no strategy {name!r}{hint(name, (*STRATEGIES, *STRATEGY_ALIASES))} "
            f"Known: {', '.join(STRATEGIES)}.",
            param_hint="--strategy",
        )
    return found


def _accounts(config: Config, requests: Sequence[Recorded]) -> tuple[Account, ...]:
    """The configured accounts; without any, those that served."""
    metered = {request.account for request in requests if request.metered}
    if config.accounts:
        return tuple(
            account_from(account, config.endpoints, subscription=account.name not in metered)
            for account in config.accounts
        )
    names = dict.fromkeys(request.account for request in requests)
    return tuple(Account(name, "anthropic", "", name not in metered) for name in names)


def _with_more(accounts: tuple[Account, ...], sizes: Sizes, more: int) -> tuple[tuple[Account, ...], Sizes]:
    """The accounts and so many others like them."""
    plans = [account for account in accounts if sizes.get(account.name)]
    if not more or not plans:
        return accounts, sizes
    like = plans[0]
    usual = {
        window: evolve(size, dollars=_middle(sizes, window), guessed=True)
        for window, size in sizes[like.name].items()
    }
    added = tuple(
        evolve(like, name=f"more-{number}", priority=like.priority) for number in range(1, more + 1)
    )
    return (*accounts, *added), {**sizes, **{account.name: usual for account in added}}


def _middle(sizes: Sizes, window: str) -> float:
    known = sorted(own[window].dollars for own in sizes.values() if window in own)
    return known[len(known) // 2]


def _plan(config: Config, accounts: tuple[Account, ...], sizes: Sizes) -> Plan:
    routing = config.routing
    return Plan(accounts, sizes, tuning_of(routing), routing.sticky_ttl_minutes * 60, routing.wait)


def _name(strategy: str | None, add: int, remove: Sequence[str]) -> str:
    parts = [strategy or "", f"{add} more" if add else "", *(f"without {name}" for name in remove)]
    return ", ".join(filter(None, parts)) or "present"


def _document(name: str, report: Report, sizes: Sizes) -> dict[str, Any]:
    return {
        "name": name,
        "strategy": report.strategy,
        "limits": report.limits,
        "held": report.held,
        "refused": report.refused,
        "waited_s": round(report.waited),
        "longest_s": round(report.longest),
        "moves": report.moves,
        "accounts": [
            {
                "account": share.account,
                "requests": share.requests,
                "cost_usd": share.cost,
                "limits": share.limits,
                "window_5h_usd": round(own[FIVE_HOUR].dollars, 2) if FIVE_HOUR in own else None,
                "guessed": any(size.guessed for size in own.values()),
            }
            for share in report.shares
            for own in [sizes.get(share.account, {})]
        ],
    }
