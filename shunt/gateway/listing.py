"""The models that the pool can serve now, in the caller's format.

Asked of each vendor (or server) once, through one of its accounts, and remembered for five
minutes. Entries keep the fields their vendor gave them where both sides speak its format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import trio
from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.errors import NotFound, ShuntError, UpstreamUnexpected
from shunt.gateway.attempt import Attempt
from shunt.gateway.exchange import Exchange, Means
from shunt.gateway.lifetime import Lifetime
from shunt.inference.inbound import Inbound, Operation
from shunt.models.catalogue import MODELS, Model, model_named
from shunt.providers import provider_named
from shunt.wire.headers import replaced
from shunt.wire.json import peek

REMEMBERED: Final = 300.0
"""Seconds a vendor's list is trusted."""
WITHIN: Final = 10.0
"""Seconds all vendors together may take; what is late is missing from this answer."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a list that are read."""
ANTHROPIC: Final = "anthropic-messages"

UNDATED: Final = "1970-01-01"
"""What the vendor's own lists say of models without a date of release."""

Entry = Mapping[str, Any]


@frozen
class _Group:
    """Accounts that see the same list: one provider at one address."""

    provider: str
    base_url: str


@define(eq=False)
class Listing:
    """Knows what each vendor offers."""

    means: Means
    _known: dict[_Group, tuple[float, Sequence[Entry]]] = field(factory=dict)

    async def entries(self, inbound: Inbound, lifetime: Lifetime) -> list[Entry]:
        """All models that the caller's accounts may serve, each once, in the caller's format.

        Raises ShuntError when there is no account, or none of the vendors could be asked.
        """
        groups = self._groups(inbound)
        if not groups:
            exchange = Exchange(self.means, inbound, lifetime, {})
            await exchange.run()  # raises what is to be told
        errors: list[ShuntError] = []
        with trio.move_on_after(WITHIN):
            async with trio.open_nursery() as nursery:
                for group, accounts in groups.items():
                    nursery.start_soon(self._learn, group, accounts, inbound, lifetime, errors.append)
        merged: dict[str, Entry] = {}
        for group, accounts in groups.items():
            for entry in self._offered(group, accounts):
                merged.setdefault(str(entry["id"]), entry)
        if not merged and errors:
            raise errors[0]
        return [_in_format(entry, inbound.protocol) for entry in merged.values()]

    def document(self, entries: list[Entry], protocol: str) -> dict[str, Any]:
        """The list as the caller's protocol wraps it."""
        if protocol != ANTHROPIC:
            return {"object": "list", "data": entries}
        ids = [entry["id"] for entry in entries]
        return {
            "data": entries,
            "has_more": False,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
        }

    def one(self, entries: list[Entry], name: str) -> Entry:
        """The entry of one model. Raises NotFound."""
        for entry in entries:
            if entry["id"] == name:
                return entry
        raise NotFound(f'no account here offers a model "{name}"')

    def _groups(self, inbound: Inbound) -> dict[_Group, list[Account]]:
        groups: dict[_Group, list[Account]] = {}
        for account in self.means.pool.accounts.values():
            allowed = inbound.pools is None or account.pool in inbound.pools
            named = not inbound.wanted_account or inbound.wanted_account == account.name
            if allowed and named:
                groups.setdefault(_Group(account.provider, account.base_url), []).append(account)
        return groups

    async def _learn(
        self,
        group: _Group,
        accounts: list[Account],
        inbound: Inbound,
        lifetime: Lifetime,
        failed: Callable[[ShuntError], None],
    ) -> None:
        known = self._known.get(group)
        if known is not None and 0 <= self.means.now() - known[0] < REMEMBERED:
            return
        call = evolve(
            inbound,
            protocol=provider_named(group.provider).protocol,
            operation=Operation.PASS,
            path="/v1/models",
            query=b"limit=1000" if provider_named(group.provider).protocol == ANTHROPIC else b"",
            headers=replaced(inbound.headers, b"accept-encoding", b"identity"),
            conversation="",
            wait=0.0,
        )
        families = {account.name: "" for account in accounts}
        try:
            attempt = await Exchange(self.means, call, lifetime, families).run()
            self._known[group] = (self.means.now(), await _read(attempt))
        except ShuntError as error:
            failed(error)

    def _offered(self, group: _Group, accounts: list[Account]) -> list[Entry]:
        _, entries = self._known.get(group, (0.0, ()))
        if not entries and provider_named(group.provider).default_url is not None:
            # The vendor itself could not be asked: what is known of it beats an empty list.
            entries = [_known_entry(model) for model in MODELS]
        return [entry for entry in entries if any(account.serves(str(entry["id"])) for account in accounts)]


async def _read(attempt: Attempt) -> Sequence[Entry]:
    """The entries of a vendor's answer."""
    if not attempt.served or attempt.body is None:
        raise UpstreamUnexpected(f"the list of models was answered with {attempt.status}")
    got = list(attempt.body.head)
    size = sum(map(len, got))
    while attempt.body.source is not None and size < LARGEST:
        chunk = await attempt.body.source.next()
        if chunk is None:
            break
        got.append(chunk)
        size += len(chunk)
    document = peek(b"".join(got), dict)
    entries = (document or {}).get("data")
    if not isinstance(entries, list):
        raise UpstreamUnexpected("the answer to a request for the list of models holds no list")
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def _known_entry(model: Model) -> Entry:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.title,
        "created_at": f"{model.released or UNDATED}T00:00:00Z",
    }


def _in_format(entry: Entry, protocol: str) -> Entry:
    """One entry as the caller's protocol writes it; an entry that already is stays whole."""
    name = str(entry["id"])
    known = model_named(name)
    if protocol == ANTHROPIC:
        if entry.get("type") == "model" and "display_name" in entry:
            return entry
        title = known.title if known is not None else name
        return {"type": "model", "id": name, "display_name": title, "created_at": f"{UNDATED}T00:00:00Z"}
    if entry.get("object") == "model" and "owned_by" in entry:
        return entry
    made: dict[str, Any] = {
        "id": name,
        "object": "model",
        "created": int(entry.get("created") or 0),
        "owned_by": str(entry.get("owned_by") or "system"),
    }
    if known is not None:
        made["context_length"] = known.context
    return made
