"""The models that the pool can serve now, in the caller's format.

Asked of each vendor (or server) once, through one of its accounts, and remembered for five
minutes. Entries keep the fields their vendor gave them where both sides speak its format, and say how
much the model takes where that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import trio
from attrs import define

from shunt.accounts.account import Account
from shunt.errors import NotFound, ShuntError
from shunt.gateway.exchange import Exchange, Means
from shunt.gateway.lifetime import Lifetime
from shunt.gateway.offers import ANTHROPIC, Entry, Shelf, list_call, read_list, shelf_of
from shunt.inference.inbound import Inbound
from shunt.models.catalogue import MODELS, Model, model_named
from shunt.models.rules import sizes_of
from shunt.providers import provider_named
from shunt.wire.json import count

WITHIN: Final = 10.0
"""Seconds all vendors together may take; what is late is missing from this answer."""
UNDATED: Final = "1970-01-01"
"""What the vendor's own lists say of models without a date of release."""
_ANTHROPIC_ITSELF: Final = "anthropic"
_PATTERN: Final = frozenset("*?[")
_CONTEXTS: Final = (
    "context_length",
    "context_window",
    "max_model_len",
    "max_context_length",
    "max_input_tokens",
)
"""What servers call the size of a model's context: OpenRouter, Groq and Codex, vLLM, LM Studio, Anthropic."""


@define(eq=False)
class Listing:
    """Knows what each vendor offers."""

    means: Means

    async def entries(self, inbound: Inbound, lifetime: Lifetime) -> list[Entry]:
        """All models that the caller's accounts may serve, each once, in the caller's format.

        Raises ShuntError when there is no account, or none of the vendors could be asked and nothing is known
        of what they offer: neither a catalogue nor names in the configuration.
        """
        groups = self._groups(inbound)
        if not groups:
            exchange = Exchange(self.means, inbound, lifetime, {})
            await exchange.run()  # raises what is to be told
        errors: list[ShuntError] = []
        with trio.move_on_after(WITHIN):
            async with trio.open_nursery() as nursery:
                for shelf, accounts in groups.items():
                    nursery.start_soon(self._learn, shelf, accounts, inbound, lifetime, errors.append)
        merged: dict[str, Entry] = {}
        for shelf, accounts in groups.items():
            for entry in self._offered(shelf, accounts):
                merged.setdefault(str(entry["id"]), entry)
        for name in self._mapped(groups):
            merged.setdefault(name, {"id": name})
        if not merged and errors:
            raise errors[0]
        return [
            _in_format(entry, inbound.protocol) for name, entry in merged.items() if _may_ask(inbound, name)
        ]

    def document(self, entries: list[Entry], protocol: str, query: bytes = b"") -> dict[str, Any]:
        """The list as the caller's protocol wraps it. Codex, which tells its version, reads `models`."""
        if protocol != ANTHROPIC:
            models = [entry for entry in entries if "slug" in entry]
            return {"object": "list", "data": entries} | ({"models": models} if _is_codex(query) else {})
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

    def _groups(self, inbound: Inbound) -> dict[Shelf, list[Account]]:
        groups: dict[Shelf, list[Account]] = {}
        for account in self.means.pool.accounts.values():
            allowed = inbound.pools is None or account.pool in inbound.pools
            named = not inbound.wanted_account or inbound.wanted_account == account.name
            theirs = inbound.logins or not account.subscription
            if allowed and named and theirs:
                groups.setdefault(shelf_of(account), []).append(account)
        return groups

    def _mapped(self, groups: Mapping[Shelf, list[Account]]) -> Iterator[str]:
        """Names that the owner's mapping serves here, where they are names and not patterns."""
        for name, targets in self.means.mappings().items():
            providers = [provider_named(shelf.provider) for shelf in groups]
            if not _PATTERN & set(name) and any({p.name, p.family} & set(targets) for p in providers):
                yield name

    async def _learn(
        self,
        shelf: Shelf,
        accounts: list[Account],
        inbound: Inbound,
        lifetime: Lifetime,
        failed: Callable[[ShuntError], None],
    ) -> None:
        if self.means.offers.fresh(shelf) or provider_named(shelf.provider).own_login:
            return  # a program on this machine has no list; what its vendor offers is known
        families = {account.name: "" for account in accounts}
        call = list_call(inbound, shelf.provider)
        try:
            attempt = await Exchange(self.means, call, lifetime, families).run()
            self.means.offers.keep(shelf, await read_list(attempt))
        except ShuntError as error:
            failed(error)

    def _offered(self, shelf: Shelf, accounts: list[Account]) -> list[Entry]:
        entries = self.means.offers.entries(shelf)
        own = provider_named(shelf.provider).own_login
        if not entries and (own or shelf.provider == _ANTHROPIC_ITSELF):
            # The vendor itself could not be asked: what is known of it beats an empty list.
            entries = [_known_entry(model) for model in MODELS]
        if not entries:
            # A server that could not be asked: what its owner named is what is known of it.
            named = (name for account in accounts for name in account.models if not _PATTERN & set(name))
            entries = [{"id": name} for name in dict.fromkeys(named)]
        return [entry for entry in entries if any(account.serves(str(entry["id"])) for account in accounts)]


def _known_entry(model: Model) -> Entry:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.title,
        "created_at": f"{model.released or UNDATED}T00:00:00Z",
    }


def _may_ask(inbound: Inbound, model: str) -> bool:
    """Whether the caller's key is for this model."""
    return not inbound.models or any(fnmatchcase(model, glob) for glob in inbound.models)


def _in_format(entry: Entry, protocol: str) -> Entry:
    """One entry as the caller's protocol writes it, with sizes; what its vendor said of it stays."""
    name = str(entry["id"])
    known = model_named(name)
    context, output = sizes_of(name)
    if protocol == ANTHROPIC:
        title = known.title if known is not None else str(entry.get("name") or name)
        made: dict[str, Any] = {
            "type": "model",
            "id": name,
            "display_name": title,
            "created_at": f"{UNDATED}T00:00:00Z",
        }
        sizes = {"max_input_tokens": _size(entry, context), "max_tokens": output or None}
        own = entry if entry.get("type") == "model" and "display_name" in entry else {}
    else:
        made = {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": str(entry.get("owned_by") or "system"),
        }
        sizes = {"context_length": _size(entry, context), "max_output_tokens": output or None}
        own = entry if "slug" in entry or (entry.get("object") == "model" and "owned_by" in entry) else {}
        if isinstance(created := entry.get("created"), int):
            made["created"] = created
    return made | {key: size for key, size in sizes.items() if size is not None} | dict(own)


def _size(entry: Entry, known: int) -> int | None:
    """Tokens of context: as the server itself says, in whichever words, else as is known of the model."""
    told = (count(entry.get(key)) for key in _CONTEXTS)
    return next(filter(None, told), None) or known or None


def _is_codex(query: bytes) -> bool:
    return b"client_version=" in query
