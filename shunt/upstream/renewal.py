"""Which token endpoint renews an account's login, through which proxy, and when.

Decided 2026-11: renewals of accounts that share an OAuth client start at least five seconds apart,
also those a request waits for. Vendors have answered sibling renewals within seconds by revoking every
login involved, and a few seconds in a rare case are cheaper than that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import trio
from attrs import define, field, frozen

from shunt.accounts.account import Account
from shunt.accounts.credential import Login
from shunt.config.logins import LoginsConfig
from shunt.config.types import EndpointsConfig
from shunt.providers import provider_named
from shunt.upstream.oauth import TokenEndpoint

SPACING: Final = 5.0
"""Seconds between two starts, plus up to one of jitter."""


@frozen
class Renewal:
    """How one account's logins are renewed."""

    client_id: str
    """Accounts that share it are not renewed at the same moment."""
    renew: Callable[[Login], Awaitable[Login]] = field(repr=False)
    """Spends the refresh token. Raises ReauthRequired or RefreshFailed."""


@frozen
class Renewals:
    """Finds it for an account by name."""

    endpoint: TokenEndpoint
    accounts: Callable[[], Mapping[str, Account]]
    """The accounts as configured now."""
    endpoints: Callable[[], EndpointsConfig]
    logins: Callable[[], LoginsConfig] = LoginsConfig

    def __call__(self, name: str) -> Renewal | None:
        """Return how the account's logins are renewed; None for an unknown one, or without logins."""
        account = self.accounts().get(name)
        kind = provider_named(account.provider).login if account else None
        if account is None or kind is None:
            return None
        kind = kind.configured(self.logins())
        url = kind.token_url(self.endpoints())
        return Renewal(
            kind.client_id, partial(self.endpoint.refresh, kind=kind, url=url, proxy=account.proxy)
        )


@define(eq=False)
class Siblings:
    """Lets accounts that share an OAuth client be renewed one after the other."""

    _jitter: Callable[[], float]
    _free_at: dict[str, float] = field(factory=dict)
    """Trio's clock, by client id."""

    async def wait(self, client_id: str) -> None:
        """Wait for this renewal's turn."""
        clock = trio.current_time()
        start = max(clock, self._free_at.get(client_id, clock))
        self._free_at[client_id] = start + SPACING + self._jitter()
        await trio.sleep_until(start)
