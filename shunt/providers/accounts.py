"""From an account as configured to an account that calls can be built for."""

from __future__ import annotations

from collections.abc import Iterable

from shunt.accounts.account import Account
from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.config.types import AccountConfig, EndpointsConfig
from shunt.errors import ConfigError
from shunt.providers import provider_named


def account_from(config: AccountConfig, endpoints: EndpointsConfig, *, subscription: bool) -> Account:
    """Resolve where the account's calls go; `subscription` says whether its credential is a login.

    Raises ConfigError when the provider has no address of its own and the account names none.
    """
    provider = provider_named(config.provider)
    if provider.own_login and not config.api_key and not config.api_key_env:
        subscription = True
    url = config.upstream_url or (provider.default_url(endpoints) if provider.default_url else "")
    if not url:
        raise ConfigError(
            f"account {config.name}: provider {config.provider} needs an upstream_url, the address of the server"
        )
    return Account(
        name=config.name,
        provider=config.provider,
        base_url=url.rstrip("/"),
        subscription=subscription,
        pool=config.pool,
        priority=config.priority,
        models=config.models,
        max_concurrent=config.max_concurrent,
        headers=tuple(
            (name.encode("ascii"), value.encode("ascii")) for name, value in config.headers.items()
        ),
        proxy=config.proxy,
        config_dir=config.config_dir,
    )


def keyless(accounts: Iterable[AccountConfig]) -> dict[str, ApiKey]:
    """The empty key of every account whose server asks for none and that names none.

    It gives way to a key that is configured or stored. A variable that is named and not set is a mistake,
    not a wish to go without.
    """
    return {
        account.name: ApiKey(Secret(""))
        for account in accounts
        if provider_named(account.provider).key_optional and not account.api_key_env
    }
