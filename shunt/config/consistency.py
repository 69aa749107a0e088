"""Whether keys agree with each other: between accounts, between clients, and within one.

Works on the tables as written, so that one misread key does not hide what else is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from shunt.config.addresses import service_url, transport_problem
from shunt.config.misread import Misread, Problem
from shunt.config.names import folded
from shunt.config.spelling import quoted
from shunt.config.types import TABLES, keys_of
from shunt.config.values import unknown

Table = Mapping[str, Any]


def account_problems(accounts: Sequence[Table], known_providers: Collection[str]) -> Iterator[Problem]:
    """What is wrong with `[[accounts]]` beyond single values."""
    yield from _twice("accounts", accounts)
    for index, account in enumerate(accounts):
        provider, url = account.get("provider"), account.get("upstream_url")
        if isinstance(provider, str) and provider not in known_providers:
            yield Problem(("accounts", index, "provider"), unknown("provider", provider, known_providers))
        if account.get("api_key") and account.get("api_key_env"):
            yield Problem(
                ("accounts", index, "api_key_env"), "stands beside api_key; keep only one of the two"
            )
        if not isinstance(provider, str):
            continue
        if provider.endswith("-compatible") and not url:
            yield Problem(("accounts", index, "upstream_url"), "is missing; it says where this server is")
        if isinstance(url, str) and (said := _transport(url, provider)):
            yield Problem(("accounts", index, "upstream_url"), said)


def client_problems(clients: Sequence[Table]) -> Iterator[Problem]:
    """What is wrong with `[[clients]]` beyond single values."""
    yield from _twice("clients", clients)
    seen: dict[str, int] = {}
    for index, client in enumerate(clients):
        digest = client.get("key_sha256")
        if not isinstance(digest, str):
            continue
        first = seen.setdefault(digest.lower(), index)
        if first != index:
            yield Problem(
                ("clients", index, "key_sha256"),
                f"is also the key of {_called(clients[first], first)}; a key must tell who is calling",
            )


def endpoint_problems(endpoints: Table) -> Iterator[Problem]:
    """Vendors' addresses that would show a key or login on the way."""
    for key in keys_of(TABLES["endpoints"]):
        url = endpoints.get(key)
        if isinstance(url, str) and (said := _transport(url, "anthropic")):
            yield Problem(("endpoints", key), said)


def _twice(section: str, items: Sequence[Table]) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        written = item.get("name")
        if not isinstance(written, str):
            continue
        first = seen.setdefault(folded(written), index)
        if first != index:
            yield Problem(
                (section, index, "name"),
                f"{quoted(written)} is taken by {_called(items[first], first)}; names must differ in more than case",
            )


def _called(item: Table, index: int) -> str:
    written = item.get("name")
    place = f"number {index + 1}"
    return f"{place}, {quoted(written)}" if isinstance(written, str) else place


def _transport(url: str, provider: str) -> str | None:
    try:
        return transport_problem(service_url(url), provider) if url else None
    except Misread:
        return None  # already said of the value itself
