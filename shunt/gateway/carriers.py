"""Which accounts can carry a call at all: protocol, route and kind of credential."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import define, field

from shunt.accounts.account import Account
from shunt.inference.inbound import Inbound, Operation
from shunt.models.families import maker_of
from shunt.models.mapping import Mappings
from shunt.models.naming import served
from shunt.pool import AccountPool
from shunt.protocols import protocol_named
from shunt.providers import provider_named

_Call = tuple[str, str, str, str, frozenset[str] | None, bool]
"""Protocol, method, path, model, the pools that the caller may use, and whether an account was named."""
REMEMBERED = 256
"""Answers kept; a client uses a handful of routes and models."""


@define(eq=False)
class Carriers:
    """Remembers per (protocol, method, path, model) which accounts can carry it."""

    pool: AccountPool
    mappings: Callable[[], Mappings] = dict
    """The `[models]` table in force."""
    _known: dict[_Call, Mapping[str, str]] = field(factory=dict)
    _accounts: Mapping[str, Account] | None = None

    def for_call(self, inbound: Inbound) -> Mapping[str, str]:
        """Account name → model family its per-model limits are kept by.

        A vendor's own account carries no model of another vendor while there is an account that does: its refusal would
        reach the client. Whoever names the account gets what was asked for.
        """
        accounts = self.pool.accounts
        if accounts is not self._accounts:  # the configuration changed
            self._known.clear()
            self._accounts = accounts
        named = bool(inbound.wanted_account or self.pool.state.pinned)
        key = (inbound.protocol, inbound.method, inbound.path, inbound.wanted_model, inbound.pools, named)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._carry(inbound, accounts.values(), named=named)
        return found

    def _carry(self, inbound: Inbound, accounts: Iterable[Account], *, named: bool) -> Mapping[str, str]:
        able = [
            (account, self._model(account, inbound.wanted_model))
            for account in accounts
            if carries(account, inbound)
        ]
        at_home = [pair for pair in able if not is_foreign(*pair)]
        if not named and any(
            inbound.pools is None or account.pool in inbound.pools for account, _ in at_home
        ):
            able = at_home
        return {account.name: provider_named(account.provider).model_family(model) for account, model in able}

    def _model(self, account: Account, model: str) -> str:
        provider = provider_named(account.provider)
        return served(self.mappings(), model, (provider.name, provider.family)).model


def is_foreign(account: Account, model: str) -> bool:
    """Whether a model is plainly another vendor's; the owner may say otherwise with a list of models."""
    home, maker = provider_named(account.provider).maker, maker_of(model)
    return bool(home and maker and home != maker and not account.models)


def carries(account: Account, inbound: Inbound) -> bool:
    """Whether this account's provider can be asked this, in its own words if need be."""
    provider = provider_named(account.provider)
    path = inbound.path
    if inbound.protocol not in provider.protocols:
        if inbound.operation is not Operation.GENERATE:
            return False  # only requests for an answer are translated
        path = protocol_named(provider.protocol).path
    return provider.carries(inbound.method, path, api_key=not account.subscription)
