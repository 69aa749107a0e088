"""API keys that the configuration holds or points at."""

from __future__ import annotations

from collections.abc import Mapping

from shunt.accounts.credential import ApiKey
from shunt.accounts.secret import Secret
from shunt.config.types import Config


def configured_keys(config: Config, environ: Mapping[str, str]) -> dict[str, ApiKey]:
    """API keys by account name: written down, or in the variable that `api_key_env` names.

    A variable that is not set gives no key; the account then has none until it is.
    """
    keys: dict[str, ApiKey] = {}
    for account in config.accounts:
        key = account.api_key or Secret(environ.get(account.api_key_env, "").strip())
        if key:
            keys[account.name] = ApiKey(key)
    return keys


def missing_variables(config: Config, environ: Mapping[str, str]) -> dict[str, str]:
    """Account name → variable, for accounts whose `api_key_env` names a variable that is not set."""
    return {
        account.name: account.api_key_env
        for account in config.accounts
        if account.api_key_env and not environ.get(account.api_key_env, "").strip()
    }
