from __future__ import annotations

from typing import Any

import pytest

from shunt.config.consistency import account_problems, client_problems, endpoint_problems
from shunt.config.misread import Problem

PROVIDERS = ("anthropic", "anthropic-compatible")


def account(**keys: Any) -> dict[str, Any]:
    return {"name": "a", "provider": "anthropic", **keys}


@pytest.mark.parametrize(
    ("accounts", "paths"),
    [
        ([account(), account(name="b")], []),
        ([account(api_key="k"), account(name="b", api_key="k")], []),
        ([account(), account()], [("accounts", 1, "name")]),
        ([account(name="Zoe\u0308"), account(name="ZO\u00cb")], [("accounts", 1, "name")]),
        ([account(name=1), account(name=1)], []),
        ([account(provider="antropic")], [("accounts", 0, "provider")]),
        ([account(provider=1)], []),
        ([account(api_key="k", api_key_env="K")], [("accounts", 0, "api_key_env")]),
        ([account(api_key="k", api_key_env="")], []),
        ([account(upstream_url="http://gateway.example")], [("accounts", 0, "upstream_url")]),
        ([account(upstream_url="nonsense")], []),
        ([account(provider="anthropic-compatible")], [("accounts", 0, "upstream_url")]),
        ([account(provider="anthropic-compatible", upstream_url="http://nas:4000")], []),
    ],
)
def test_accounts(accounts: list[dict[str, Any]], paths: list[tuple[str | int, ...]]) -> None:
    """Accounts have names of their own, known providers, one source of a key, and a safe address."""
    assert [problem.path for problem in account_problems(accounts, PROVIDERS)] == paths


def test_clients_are_told_apart() -> None:
    """Two clients have neither the same name nor the same key."""
    found = client_problems(
        [{"name": "a", "key_sha256": "AB"}, {"name": "A", "key_sha256": "ab"}, {"key_sha256": 1}, {}]
    )
    assert [problem.path for problem in found] == [("clients", 1, "name"), ("clients", 1, "key_sha256")]


def test_vendors_are_reached_safely() -> None:
    """A moved vendor address keeps logins off plain http, except on this machine."""
    found = list(
        endpoint_problems({"anthropic_url": "http://127.0.0.1:1", "openai_token_url": "http://10.0.0.1"})
    )
    assert [problem.path for problem in found] == [("endpoints", "openai_token_url")]
    assert isinstance(found[0], Problem)
