"""Which accounts can carry a call at all: protocol, route and kind of credential."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from shunt.accounts.account import Account
from shunt.inference.inbound import Inbound
from shunt.pool import AccountPool
from shunt.providers import provider_named

REMEMBERED = 256
"""Answers kept; a client uses a handful of routes and models."""


@define(eq=False)
class Carriers:
    """Remembers per (protocol, method, path, model) which accounts can carry it."""

    pool: AccountPool
    _known: dict[tuple[str, str, str, str], Mapping[str, str]] = field(factory=dict)
    _accounts: Mapping[str, Account] | None = None

    def for_call(self, inbound: Inbound) -> Mapping[str, str]:
        """Account name → model family its per-model limits are kept by."""
        accounts = self.pool.accounts
        if accounts is not self._accounts:  # the configuration changed
            self._known.clear()
            self._accounts = accounts
        key = (inbound.protocol, inbound.method, inbound.path, inbound.outline.model)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = {
                name: provider_named(account.provider).model_family(inbound.outline.model)
                for name, account in accounts.items()
                if carries(account, inbound)
            }
        return found


def carries(account: Account, inbound: Inbound) -> bool:
    """Whether this account's provider speaks the protocol and offers the route."""
    provider = provider_named(account.provider)
    if provider.protocol != inbound.protocol:
        return False
    return any(
        route.matches(inbound.method, inbound.path) and not (route.api_key_only and account.subscription)
        for route in provider.routes
    )
