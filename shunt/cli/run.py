"""`shunt run`: serve everything on one port, in the foreground."""

from __future__ import annotations

import sys

import click

from shunt.cli.invocation import Invocation, places
from shunt.cli.terminal import clean
from shunt.config.types import LOG_LEVELS
from shunt.errors import ConfigError
from shunt.store.locations import locate


@click.command()
@click.option(
    "--demo", is_flag=True, help="Serve three simulated accounts; needs none of yours and touches no file."
)
@click.option("--host", metavar="ADDRESS", help="Listen here instead of server.host.")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Listen here instead of server.port."
)
@click.option(
    "--log-level", type=click.Choice(LOG_LEVELS, case_sensitive=False), help="Instead of server.log_level."
)
@click.option("--leash", type=int, hidden=True, help="End when this descriptor's other end is closed.")
@places
@click.pass_context
def run(
    ctx: click.Context,
    call: Invocation,
    *,
    demo: bool,
    host: str | None,
    port: int | None,
    log_level: str | None,
    leash: int | None,
) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM; running streams may finish first.

    Then point an agent at it, for instance with ANTHROPIC_BASE_URL=http://127.0.0.1:8082 and
    ANTHROPIC_AUTH_TOKEN=shunt in the environment of Claude Code.
    """
    if call.config and not demo:
        _require(call)
    # trio and the server: not for `run --help`
    from shunt.app.main import main  # noqa: PLC0415
    from shunt.app.options import RunOptions  # noqa: PLC0415

    options = RunOptions(
        environ=call.environ,
        home=call.home,
        config=call.config,
        host=host,
        port=port,
        log_level=log_level,
        demo=demo,
        arguments=tuple(sys.argv[1:]),
        leash=leash,
    )
    ctx.exit(main(options))


def _require(call: Invocation) -> None:
    """Refuse a configuration that is named and not there; raises ConfigError.

    By a slip of the hand the server would run without anybody's accounts.
    """
    place = locate(call.environ, home=call.home, config=call.config).config_file
    if not place.exists():
        path = clean(str(place))
        raise ConfigError(f"There is no {path}. `shunt add-account NAME --config {path}` begins one.")
