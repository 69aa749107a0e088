"""Accounts, from configuration."""

from __future__ import annotations

import pytest

from shunt.config.types import AccountConfig, EndpointsConfig
from shunt.errors import ConfigError
from shunt.providers.accounts import account_from, keyless

ENDPOINTS = EndpointsConfig(anthropic_url="https://gw.example/base/")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("", "https://gw.example/base"), ("http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1")],
)
def test_an_account_goes_to_its_own_address_or_the_vendors(url: str, expected: str) -> None:
    """Without a trailing slash."""
    config = AccountConfig(name="a", provider="anthropic", upstream_url=url)
    assert account_from(config, ENDPOINTS, subscription=True).base_url == expected


def test_every_wish_is_taken_over() -> None:
    """Pool, priority, models, concurrency, headers, proxy, kind of credential."""
    config = AccountConfig(
        name="a",
        provider="anthropic",
        priority=3,
        pool="work",
        models=("claude-*",),
        headers={"X-Org": "o"},
        proxy="http://127.0.0.1:1",
        max_concurrent=2,
    )
    account = account_from(config, ENDPOINTS, subscription=False)
    assert (account.priority, account.pool, account.models, account.max_concurrent) == (
        3,
        "work",
        ("claude-*",),
        2,
    )
    assert (account.headers, account.proxy, account.subscription) == (
        ((b"X-Org", b"o"),),
        "http://127.0.0.1:1",
        False,
    )


def test_a_stranger_without_an_address_is_refused() -> None:
    """The message names account and key."""
    with pytest.raises(ConfigError, match=r"account a: .*upstream_url"):
        account_from(AccountConfig(name="a", provider="anthropic-compatible"), ENDPOINTS, subscription=False)


def test_servers_that_ask_for_no_key_get_along_without_one() -> None:
    """A local server's account has an empty key; a vendor's has none, nor one whose variable is not set."""
    ollama = AccountConfig(name="o", provider="ollama")
    named = AccountConfig(name="n", provider="ollama", api_key_env="OLLAMA_KEY")
    vendor = AccountConfig(name="v", provider="openrouter")
    found = keyless((ollama, named, vendor))
    assert list(found) == ["o"]
    assert not found["o"].key
