"""`shunt setup`: the first run, guided; and taking over what the Rust program of the same name had."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from shunt.accounts.credential import Login
from shunt.cli.acknowledgement import agree
from shunt.cli.add_account import add_account
from shunt.cli.enrolment import Enrolment
from shunt.cli.exits import Failed
from shunt.cli.files import Files, known_providers, open_files
from shunt.cli.invocation import Invocation, places
from shunt.cli.reloading import told_server
from shunt.cli.signing_in import offered
from shunt.cli.terminal import clean, interactive, note
from shunt.cli.transfer import written
from shunt.config.names import folded
from shunt.errors import ShuntError
from shunt.providers import provider_named
from shunt.store.discovery import Finding, found
from shunt.store.predecessor import Legacy, read_legacy, usual_folder

NEXT = """\

Next:
  shunt run              serve (shunt service install keeps it running)
  shunt connect          point Claude Code, Codex, opencode … at it
  shunt status           how the accounts stand"""


@click.command()
@click.option("--from-rust", "legacy", is_flag=True, help="Take over the Rust program's accounts.")
@click.option(
    "--folder", metavar="DIR", help="Where the Rust program's config.toml is, if not in its usual place."
)
@click.option("--apply", is_flag=True, help="With --from-rust: do what was shown.")
@click.option("--yes", is_flag=True, help="Take the vendors' terms as read.")
@places
def setup(call: Invocation, folder: str | None, *, legacy: bool, apply: bool, yes: bool) -> None:
    """Find what this machine has, and make accounts of it.

    Asks before each step; without a terminal it only tells what there is and which command adds it.
    """
    files = open_files(call)
    if legacy:
        _take_over(files, folder, apply=apply, yes=yes)
        return
    if folder is not None or apply:
        raise click.UsageError("--folder and --apply belong to --from-rust.")
    home = call.environ.get("HOME")
    findings = found(call.environ, Path(home) if home else None)
    accounts = files.config().accounts
    click.echo(f"Configuration: {files.places.config_file}")
    for account in accounts:
        click.echo(f"  there is {clean(account.name)} ({account.provider})")
    if not interactive():
        for finding in findings:
            click.echo(f"Found {finding.what} ({finding.where}); add it:\n  {finding.command}")
        _tell_logins()
        return
    for finding in findings:
        _offer(files, finding)
    _offer_more(files)
    note(NEXT)


# ── Guided ────────────────────────────────────────────────────────────────────────────────────────


def _offer(files: Files, finding: Finding) -> None:
    """Ask what to do with one thing that was found."""
    note(f"\nFound {finding.what} ({finding.where}).")
    words = shlex.split(finding.command)[2:]
    if "--import" in words:
        choices = {"own": "a login of shunt's own (best)", "share": "share this one", "no": "leave it"}
        answer = _choose(choices, "own")
        if answer == "own":
            words[words.index("--import")] = "--login"
    else:
        answer = "share" if click.confirm("Add it?", default=True, err=True) else "no"
    if answer != "no":
        words[0] = _free_name(files, words[0])
        _run(files, words)


def _offer_more(files: Files) -> None:
    """Ask for further accounts until there are enough."""
    while True:
        some = bool(files.config().accounts)
        choices = {name: f"a login of {provider_named(name).title}" for name in offered()}
        choices |= {"key": "an API key", "no": "nothing more" if some else "nothing now"}
        note("\nAdd another account?" if some else "\nAdd an account?")
        answer = _choose(choices, "no")
        if answer == "no":
            return
        words = ["--provider", answer, "--login"]
        if answer == "key":
            provider = click.prompt(
                "Whose key",
                type=click.Choice(known_providers()),
                default="anthropic",
                show_choices=False,
                err=True,
            )
            words = ["--provider", provider]
        name = click.prompt("What do you call it", default=_free_name(files, "main"), err=True)
        _run(files, [name, *words])


def _choose(choices: dict[str, str], default: str) -> str:
    for name, about in choices.items():
        note(f"  {name:<10} {about}")
    return str(
        click.prompt(
            "Your choice", type=click.Choice(list(choices)), default=default, show_choices=False, err=True
        )
    )


def _run(files: Files, words: list[str]) -> None:
    """Do what `shunt add-account WORDS` does; what fails is told, and the guide goes on."""
    try:
        add_account.main(words, prog_name="shunt add-account", obj=files.call, standalone_mode=False)
    except click.ClickException as error:
        note(f"Not added: {error.format_message()}")
    except ShuntError as error:
        note(f"Not added: {error}")


def _free_name(files: Files, wanted: str) -> str:
    taken = {folded(account.name) for account in files.config().accounts}
    if folded(wanted) not in taken:
        return wanted
    number = 2
    while folded(f"{wanted}-{number}") in taken:
        number += 1
    return f"{wanted}-{number}"


def _tell_logins() -> None:
    for name in offered():
        click.echo(
            f"A login of {provider_named(name).title}: shunt add-account NAME --provider {name} --login"
        )
    click.echo("An API key: shunt add-account NAME --provider PROVIDER --api-key-stdin")


# ── From the Rust program ─────────────────────────────────────────────────────────────────────────


def _take_over(files: Files, folder: str | None, *, apply: bool, yes: bool) -> None:
    """Show what would be taken over, or take it over. Raises Failed or ShuntError."""
    place = Path(folder).expanduser() if folder else usual_folder(files.call.environ)
    if place.resolve() == files.places.config_file.parent.resolve():
        click.echo(
            f"The files in {place} are read as they are: there is nothing to take over. "
            "`shunt config check` tells what of them has no meaning here."
        )
        return
    there = read_legacy(place, known_providers())
    taken = {folded(account.name) for account in files.config().accounts}
    fresh = [account for account in there.accounts if folded(account.name) not in taken]
    for account in there.accounts:
        what = _what(there, account.name) if account in fresh else "left: the name is taken here"
        click.echo(f"{clean(account.name)} ({account.provider}): {what}")
    for key in there.ignored:
        click.echo(f"{clean(key)}: means nothing here")
    if not fresh:
        raise Failed("There is nothing to take over.")
    if not apply:
        note("Nothing was changed. The same command with --apply does it.")
        return
    logins = {each.provider for each in fresh if isinstance(there.credentials.get(each.name), Login)}
    for provider in sorted(logins):
        agree(files, provider, yes=yes)
    for account in fresh:
        entry = {key: value for key, value in written(account).items() if key != "api_key"}
        Enrolment(files).add(entry, there.credentials.get(account.name))
    click.echo(f"Taken over: {', '.join(clean(account.name) for account in fresh)}.")
    if logins:
        note(
            f"The logins are in {place / 'credentials.json'} as well. Stop the other program for good before "
            "`shunt run`: a login that two programs renew is soon worth nothing to either."
        )
    note(told_server(files, fresh[-1].name, present=True))


def _what(there: Legacy, name: str) -> str:
    credential = there.credentials.get(name)
    if isinstance(credential, Login):
        return "its login"
    return "its API key" if credential is not None else "its settings; the key stays where it is"
