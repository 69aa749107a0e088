"""`shunt add-account`: put an API key or a login into the pool."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import click
from attrs import evolve, field, frozen

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.cli import api_keys
from shunt.cli.acknowledgement import agree
from shunt.cli.enrolment import Enrolment
from shunt.cli.exits import Failed
from shunt.cli.files import Files, known_providers, open_files
from shunt.cli.imports import IMPORTS, imported
from shunt.cli.invocation import Invocation, borrowed_root, places
from shunt.cli.reloading import told_server
from shunt.cli.remote_login import carry_out, errand, words_of
from shunt.cli.signing_in import callback_port, discard, log_in, offered, opener, way_for
from shunt.cli.terminal import clean, interactive, note, word
from shunt.config.misread import Misread
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted
from shunt.config.types import AccountConfig, keys_of
from shunt.errors import ShuntError
from shunt.logins.flow import Way
from shunt.providers import provider_named


@frozen
class Wish:
    """What the command line asks for."""

    name: str
    provider: str
    api_key_env: str | None
    from_stdin: bool
    imported: bool
    way: Way | None
    """How a login of shunt's own is made; None when none is."""
    proxy: str = field(repr=False)
    """Through which the account reaches its vendor, if it exists and has one."""
    settings: Mapping[str, Any] = field(repr=False)
    """Further keys of `[[accounts]]` that were given."""

    @property
    def is_login(self) -> bool:
        """Whether it is to live on a login."""
        return self.imported or self.way is not None


def _refuse_key(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.UsageError(
            "A key on the command line can be read by every program on this machine and stays in the shell's "
            "history; consider this one known to others. Use --api-key-stdin, --api-key-env VARIABLE, or give "
            "none of them and type it when asked.",
            ctx,
        )


def _read(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Check an option by the same rule as the key of config.toml that it becomes."""

    def check(_ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
        if value is None or value == ():
            return None
        try:
            found = keys_of(AccountConfig)[key].reader.read(
                list(value) if isinstance(value, tuple) else value
            )
        except Misread as complaint:
            raise click.BadParameter(str(complaint), param=parameter) from None
        return list(found) if isinstance(found, tuple) else found

    return check


@click.command("add-account")
@click.argument("name", callback=_read("name"))
@click.option("--provider", metavar="NAME", help="Whose account it is. [default: anthropic]")
@click.option(
    "--upstream-url", metavar="URL", callback=_read("upstream_url"), help="Where its calls go instead."
)
@click.option(
    "--api-key-env",
    metavar="VARIABLE",
    callback=_read("api_key_env"),
    help="Take the key from this variable when shunt starts.",
)
@click.option("--api-key-stdin", "from_stdin", is_flag=True, help="Read the key from stdin and store it.")
@click.option("--login", is_flag=True, help="Make a login of shunt's own, in your browser.")
@click.option("--paste", is_flag=True, help="--login from any browser anywhere: paste the code it shows.")
@click.option("--device", is_flag=True, help="--login by a short code typed on another device (ChatGPT).")
@click.option("--on", metavar="HOST", help="--login on that machine through ssh, in the browser of this one.")
@click.option(
    "--remote-shunt", metavar="COMMAND", default="shunt", help="How shunt is called there. [default: shunt]"
)
@click.option("--import", "imported", is_flag=True, help="Share the login of the vendor's own program.")
@click.option("--api-key", hidden=True, expose_value=False, is_eager=True, callback=_refuse_key)
@click.option(
    "--priority", type=int, callback=_read("priority"), help="Lower goes first under strategy priority."
)
@click.option("--pool", metavar="NAME", callback=_read("pool"), help="Group it belongs to.")
@click.option(
    "--model",
    "models",
    metavar="PATTERN",
    multiple=True,
    callback=_read("models"),
    help="A model it may serve; may be repeated. [default: all]",
)
@click.option(
    "--max-concurrent",
    type=int,
    callback=_read("max_concurrent"),
    help="Requests at once. [default: no limit]",
)
@click.option("--yes", is_flag=True, help="Take the vendor's terms as read.")
@places
def add_account(
    call: Invocation,
    name: str,
    provider: str | None,
    api_key_env: str | None,
    on: str | None,
    remote_shunt: str,
    *,
    from_stdin: bool,
    login: bool,
    paste: bool,
    device: bool,
    imported: bool,
    yes: bool,
    **settings: Any,
) -> None:
    """Add the account NAME, or give it its login or key anew.

    --login makes a login that only shunt has; on a machine without a browser a code is pasted or typed
    elsewhere instead. --import shares the login that Claude Code or Codex has here. Both also renew the
    login of an account that exists, while shunt runs; --api-key-stdin replaces its stored key.

    With neither, and without --api-key-env or --api-key-stdin, you are asked for an API key, which is not
    shown. Servers on this machine (ollama, lmstudio, llamacpp, vllm) need none and you are not asked.
    """
    login = login or paste or device
    if sum((api_key_env is not None, from_stdin, login, imported)) > 1:
        raise click.UsageError("--api-key-env, --api-key-stdin, --login and --import exclude each other.")
    if paste and device:
        raise click.UsageError("--paste and --device exclude each other.")
    given = {key: value for key, value in settings.items() if value is not None}
    wish = Wish(name, _provider(provider), api_key_env, from_stdin, imported, None, "", given)
    files = open_files(call)
    if on is not None:
        way = "paste" if paste else "device" if device else ""
        raise click.exceptions.Exit(_elsewhere(files, wish, on, way, remote_shunt, login=login, yes=yes))
    way_here = partial(way_for, files=files, paste=paste, device=device) if login else None
    _here(files, wish, way_here, named=provider is not None, yes=yes)


def _here(files: Files, wish: Wish, way: Callable[[str], Way] | None, *, named: bool, yes: bool) -> None:
    """Add the account on this machine. `way` tells how somebody logs in to a provider; None is no login."""
    if borrowed_root(files.call.environ):
        note("You are root through sudo: what is written now belongs to root. Better run shunt as yourself.")
    if way is not None:
        wish = evolve(wish, way=Way.BROWSER)
    existing = _existing(files, wish, named=named)
    if existing is not None:
        wish = evolve(wish, name=existing.name, provider=existing.provider, proxy=existing.proxy)
    if way is not None:
        wish = evolve(wish, way=way(wish.provider))
        _before_login(files, wish, existing, yes=yes)
    credential = _credential(files, wish)
    try:
        _enrol(files, wish, existing, credential, yes=yes)
    except (Failed, ShuntError):
        if wish.way is not None and isinstance(credential, Login):
            discard(files, wish.provider, credential, wish.proxy)
        raise
    _report(files, wish, credential, replaced=existing is not None)


def _elsewhere(files: Files, wish: Wish, host: str, way: str, shunt: str, *, login: bool, yes: bool) -> int:
    """Log in on another machine; the status of the command there. Nothing is stored here."""
    if not login:
        raise click.UsageError("--on goes with --login.")
    port = callback_port(wish.provider)
    words = words_of(wish.name, wish.provider, wish.settings, way=way, shunt=shunt)
    work = errand(host, words, carried=not way, port=port)
    agree(files, wish.provider, yes=yes)
    return carry_out(work, files.call.environ, opener(files))


def _before_login(files: Files, wish: Wish, existing: AccountConfig | None, *, yes: bool) -> None:
    """See to it that a login can be stored, before somebody makes one. Raises Failed or StoreError."""
    files.credentials.load()
    if existing is not None:
        Enrolment(files).check_lives_on_login(existing)
    agree(files, wish.provider, yes=yes)


def _enrol(
    files: Files, wish: Wish, existing: AccountConfig | None, credential: Credential | None, *, yes: bool
) -> None:
    """Put the account into the files. Raises Failed or ShuntError, and has changed nothing then."""
    enrolment = Enrolment(files)
    if credential is not None:
        _check_twin(enrolment, files, wish, credential)
    if existing is not None and credential is not None:
        enrolment.check_replacement(existing, credential)
    if isinstance(credential, Login) and wish.way is None:
        agree(files, wish.provider, yes=yes)
    if existing is not None and credential is not None:
        enrolment.replace(existing.name, credential)
    else:
        enrolment.add(_entry(wish), credential)


def _provider(name: str | None) -> str:
    """A known provider's name; raises click.BadParameter with the nearest one."""
    found = name or "anthropic"
    known = known_providers()
    if found not in known:
        raise click.BadParameter(
            f"unknown provider {quoted(found)}{hint(found, known)} Known: {', '.join(known)}.",
            param_hint="--provider",
        )
    return found


def _existing(files: Files, wish: Wish, *, named: bool) -> AccountConfig | None:
    """The account of that name that is to be given its login or key anew; None when the name is free.

    Raises:
        Failed: the name is taken. click.UsageError: something cannot be changed this way, or is missing.
    """
    account = next((each for each in files.config().accounts if folded(each.name) == folded(wish.name)), None)
    if account is None:
        if provider_named(wish.provider).default_url is None and not wish.settings.get("upstream_url"):
            raise click.UsageError(
                f"Provider {wish.provider} needs --upstream-url, the address of the server."
            )
        return None
    if named and account.provider != wish.provider:
        raise Failed(
            f"The account {clean(account.name)} is of provider {account.provider}, not {wish.provider}."
        )
    if not wish.is_login:
        _check_key_change(files, wish, account)
    if wish.settings:
        raise click.UsageError(
            f"The account exists; change its settings in {files.places.config_file}, and give its login or key "
            "without them."
        )
    return account


def _check_key_change(files: Files, wish: Wish, account: AccountConfig) -> None:
    """See to it that the key on stdin can take the place of the account's. Raises Failed."""
    Enrolment(files).check_lives_on_key(account)
    if not wish.from_stdin:
        raise Failed(
            f"There is an account {clean(account.name)} already. To give it another key: "
            f"`shunt add-account {word(account.name)} --api-key-stdin`. Or choose another name, or first "
            f"`shunt remove-account {word(account.name)}`."
        )


def _credential(files: Files, wish: Wish) -> Credential | None:
    """What is to be stored; None when the key stays in the environment."""
    if wish.imported:
        return imported(files.call, wish.provider)
    if wish.way is not None:
        return log_in(files, wish.provider, wish.way, wish.proxy)
    if wish.api_key_env is not None:
        value = files.call.environ.get(wish.api_key_env, "")
        if value:
            api_keys.checked(value.strip(), f"${wish.api_key_env}")
        else:
            note(f"${wish.api_key_env} is not set here. It has to be where `shunt run` is started.")
        return None
    if not wish.from_stdin and _goes_without_key(wish):
        return None
    if wish.from_stdin and not sys.stdin.isatty():
        return ApiKey(api_keys.from_stream(sys.stdin))
    if wish.from_stdin or interactive():
        if not wish.from_stdin and wish.provider in offered():
            note("To use a subscription instead: Ctrl-C, and --login (or --import).")
        return ApiKey(api_keys.from_prompt(clean(wish.name)))
    raise click.UsageError(
        "Say where its key comes from: --api-key-env VARIABLE, --api-key-stdin, --login or --import."
    )


def _goes_without_key(wish: Wish) -> bool:
    """Whether its server asks for no key, as those on the own machine do."""
    provider = provider_named(wish.provider)
    return provider.key_optional and (not provider.key_env and provider.default_url is not None)


def _check_twin(enrolment: Enrolment, files: Files, wish: Wish, credential: Credential) -> None:
    accounts = {account.name: account for account in files.config().accounts}
    own = next((name for name in accounts if folded(name) == folded(wish.name)), wish.name)
    twin = enrolment.twin_of(own, credential, accounts)
    if not twin:
        return
    if isinstance(credential, Login):
        raise Failed(
            f"This login is in the pool already, as {clean(twin)}. Twice would not give more, and the two would "
            "fight over one limit. To log it in anew: "
            f"shunt add-account {word(twin)} --{'login' if wish.way else 'import'}"
        )
    note(f"The account {clean(twin)} has the same key; its limits count for both together.")


def _entry(wish: Wish) -> dict[str, Any]:
    """The keys of its `[[accounts]]`, in the order people read them."""
    entry = {"name": wish.name, "provider": wish.provider, **wish.settings}
    if wish.api_key_env is not None:
        entry["api_key_env"] = wish.api_key_env
    return entry


def _report(files: Files, wish: Wish, credential: Credential | None, *, replaced: bool) -> None:
    if credential is not None:
        kept = f"kept in {files.places.credentials_file}"
    elif wish.api_key_env is not None:
        kept = f"its key is read from ${wish.api_key_env}"
    else:
        kept = "without a key"
    anew = "Imported anew" if wish.imported else "Logged in anew" if wish.is_login else "Key replaced"
    done = anew if replaced else "Added"
    click.echo(f"{done}: {clean(wish.name)} ({wish.provider}), {kept}.")
    if isinstance(credential, Login):
        who = credential.identity
        click.echo(f"  {clean(who.email) or 'e-mail unknown'}, plan {clean(who.plan) or 'unknown'}")
        if credential.imported_from and credential.refresh:
            note(IMPORTS[wish.provider].shared.format(url=files.control().url, name=word(wish.name)))
    note(told_server(files, wish.name, present=True))
