"""Which accounts can carry a call at all: protocol, route and kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field

from shunt.accounts.account import Account
from shunt.inference.inbound import Inbound, Operation
from shunt.models.mapping import Mappings
from shunt.models.naming import served
from shunt.pool import AccountPool
from shunt.protocols import protocol_named
from shunt.providers import provider_named

REMEMBERED = 256
"""Answers kept; a client uses a handful of routes and models."""


@define(eq=False)
class Carriers:
    """Remembers per (protocol, method, path, model) which accounts can carry it."""

    pool: AccountPool
    mappings: Callable[[], Mappings] = dict
    """The `[models]` table in force."""
    _known: dict[tuple[str, str, str, str], Mapping[str, str]] = field(factory=dict)
    _accounts: Mapping[str, Account] | None = None

    def for_call(self, inbound: Inbound) -> Mapping[str, str]:
        """Account name → model family its per-model limits are kept by."""
        accounts = self.pool.accounts
        if accounts is not self._accounts:  # the configuration changed
            self._known.clear()
            self._accounts = accounts
        key = (inbound.protocol, inbound.method, inbound.path, inbound.wanted_model)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = {
                name: self._family(account, inbound.wanted_model)
                for name, account in accounts.items()
                if carries(account, inbound)
            }
        return found

    def _family(self, account: Account, model: str) -> str:
        provider = provider_named(account.provider)
        return provider.model_family(served(self.mappings(), model, (provider.name, provider.family)).model)


def carries(account: Account, inbound: Inbound) -> bool:
    """Whether this account's provider can be asked this, in its own words if need be."""
    provider = provider_named(account.provider)
    path = inbound.path
    if inbound.protocol not in provider.protocols:
        if inbound.operation is not Operation.GENERATE:
            return False  # only requests for an answer are translated
        path = protocol_named(provider.protocol).path
    return provider.carries(inbound.method, path, api_key=not account.subscription)
