"""`shunt add-account`: put an API key or an imported login into the pool."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import click
from attrs import field, frozen

from shunt.accounts.credential import ApiKey, Credential, Login
from shunt.cli import api_keys
from shunt.cli.acknowledgement import agree
from shunt.cli.enrolment import Enrolment
from shunt.cli.exits import Failed, NeedsLogin
from shunt.cli.files import Files, known_providers, open_files
from shunt.cli.invocation import Invocation, borrowed_root, places
from shunt.cli.reloading import told_server
from shunt.cli.terminal import clean, interactive, note, word
from shunt.config.misread import Misread
from shunt.config.names import folded
from shunt.config.spelling import hint, quoted
from shunt.config.types import AccountConfig, keys_of
from shunt.providers import provider_named
from shunt.store.claude_login import read_claude_login
from shunt.store.codex_login import read_codex_login


@frozen
class ImportSource:
    """A program whose login can be imported."""

    program: str
    read: Callable[[Mapping[str, str]], Credential | None]
    shared: str
    """What it means that two programs have one login."""


_CLAUDE_SHARED = """\
Claude Code and shunt now share this login, and its refresh token can be used once only. Whichever of the
two renews first makes the other's copy worthless, and Anthropic may then end the login for both: each
would ask you to log in again.
To keep that from happening, let only shunt use it. Start Claude Code through shunt,
  ANTHROPIC_BASE_URL={url} ANTHROPIC_AUTH_TOKEN=shunt claude
so that it never renews by itself, and do not use /logout there. If you want both to be independent, log
in anew in Claude Code (/login): it then has a login of its own, and shunt keeps this one.
If it did go wrong: log in with Claude Code and run this command again."""

_CODEX_SHARED = """\
Codex and shunt now share this login, and its refresh token can be used once only. Whichever of the two
renews first makes the other's copy worthless, and OpenAI may then end the login for both: each would ask
you to log in again.
To keep that from happening, let only shunt use it: point Codex at {url}/v1 with a model provider of its
own, so that it never renews by itself. If you want both to be independent, log in anew (`codex login`):
Codex then has a login of its own, and shunt keeps this one.
If it did go wrong: log in with Codex and run this command again."""

IMPORTS: Mapping[str, ImportSource] = MappingProxyType(
    {
        "anthropic": ImportSource("Claude Code", read_claude_login, _CLAUDE_SHARED),
        "codex": ImportSource("Codex", read_codex_login, _CODEX_SHARED),
    }
)
"""By provider name."""


@frozen
class Wish:
    """What the command line asks for."""

    name: str
    provider: str
    api_key_env: str | None
    from_stdin: bool
    imported: bool
    settings: Mapping[str, Any] = field(repr=False)
    """Further keys of `[[accounts]]` that were given."""


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
@click.option("--import", "imported", is_flag=True, help="Import the login of the vendor's own program.")
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
    *,
    from_stdin: bool,
    imported: bool,
    yes: bool,
    **settings: Any,
) -> None:
    """Add the account NAME, or import its login anew.

    Without --api-key-env, --api-key-stdin or --import you are asked for an API key, which is not shown.
    Servers on this machine (ollama, lmstudio, llamacpp, vllm) need none and you are not asked.
    """
    if sum((api_key_env is not None, from_stdin, imported)) > 1:
        raise click.UsageError("--api-key-env, --api-key-stdin and --import exclude each other.")
    given = {key: value for key, value in settings.items() if value is not None}
    wish = Wish(name, _provider(provider), api_key_env, from_stdin, imported, given)
    files = open_files(call)
    if borrowed_root(call.environ):
        note("You are root through sudo: what is written now belongs to root. Better run shunt as yourself.")
    existing = _existing(files, wish, named=provider is not None)
    credential = _credential(files, wish)
    enrolment = Enrolment(files)
    if credential is not None:
        _check_twin(enrolment, files, wish, credential)
    if existing is not None and credential is not None:
        enrolment.check_replacement(existing, credential)
    if isinstance(credential, Login):
        agree(files, wish.provider, yes=yes)
    if existing is not None and credential is not None:
        enrolment.replace(existing.name, credential)
    else:
        enrolment.add(_entry(wish), credential)
    _report(files, wish, credential, replaced=existing is not None)


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
    """The account of that name that is to be given its login anew; None when the name is free.

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
    if not wish.imported:
        raise Failed(
            f"There is an account {clean(account.name)} already. Choose another name, or first "
            f"`shunt remove-account {word(account.name)}`."
        )
    if named and account.provider != wish.provider:
        raise Failed(
            f"The account {clean(account.name)} is of provider {account.provider}, not {wish.provider}."
        )
    if wish.settings:
        raise click.UsageError(
            f"The account exists; change its settings in {files.places.config_file}, and import without them."
        )
    return account


def _credential(files: Files, wish: Wish) -> Credential | None:
    """What is to be stored; None when the key stays in the environment."""
    if wish.imported:
        return _imported(files.call, wish)
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
        if not wish.from_stdin and wish.provider in IMPORTS:
            note(f"To use the login of {IMPORTS[wish.provider].program} instead: Ctrl-C, and --import.")
        return ApiKey(api_keys.from_prompt(clean(wish.name)))
    raise click.UsageError(
        "Say where its key comes from: --api-key-env VARIABLE, --api-key-stdin, or --import."
    )


def _goes_without_key(wish: Wish) -> bool:
    """Whether its server asks for no key, as those on the own machine do."""
    provider = provider_named(wish.provider)
    return provider.key_optional and (not provider.key_env and provider.default_url is not None)


def _imported(call: Invocation, wish: Wish) -> Credential:
    source = IMPORTS.get(wish.provider)
    if source is None:
        raise click.UsageError(
            f"Nothing can be imported for provider {wish.provider}; only for {', '.join(IMPORTS)}."
        )
    credential = source.read(call.environ)
    if credential is None:
        raise NeedsLogin(
            f"{source.program} has no login on this machine. Log in there first, or use an API key "
            "(--api-key-env, --api-key-stdin)."
        )
    if isinstance(credential, Login) and not credential.refresh:
        if credential.expires_at is not None and credential.expires_at <= call.now():
            raise NeedsLogin(
                f"The login of {source.program} has ended and cannot be renewed. Log in there again."
            )
        note(f"This login of {source.program} cannot be renewed: it works until it ends.")
    return credential


def _check_twin(enrolment: Enrolment, files: Files, wish: Wish, credential: Credential) -> None:
    accounts = {account.name: account for account in files.config().accounts}
    own = next((name for name in accounts if folded(name) == folded(wish.name)), wish.name)
    twin = enrolment.twin_of(own, credential, accounts)
    if not twin:
        return
    if isinstance(credential, Login):
        raise Failed(
            f"This login is in the pool already, as {clean(twin)}. Twice would not give more, and the two would "
            "fight over one refresh token. To import it anew: "
            f"shunt add-account {word(twin)} --import"
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
    done = "Imported anew" if replaced else "Added"
    click.echo(f"{done}: {clean(wish.name)} ({wish.provider}), {kept}.")
    if isinstance(credential, Login):
        who = credential.identity
        click.echo(f"  {clean(who.email) or 'e-mail unknown'}, plan {clean(who.plan) or 'unknown'}")
        if credential.imported_from and credential.refresh:
            note(IMPORTS[wish.provider].shared.format(url=files.control().url))
    note(told_server(files, wish.name, present=True))
