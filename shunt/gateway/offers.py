"""What each upstream is known to offer: lists of models, remembered, and how they are asked for and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.errors import UpstreamUnexpected
from shunt.gateway.attempt import Attempt
from shunt.inference.inbound import Inbound, Operation, Outline
from shunt.providers import provider_named
from shunt.wire.headers import Headers, get, replaced, without
from shunt.wire.json import peek

REMEMBERED: Final = 300.0
"""Seconds a vendor's list is trusted."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a list that are read."""
ANTHROPIC: Final = "anthropic-messages"
CODEX_VERSION: Final = b"client_version=0.169.0"
"""The ChatGPT backend lists the models of a version of Codex."""
_OF_A_BODY: Final = frozenset({b"content-type", b"content-length", b"content-encoding"})

Entry = Mapping[str, Any]


@frozen
class Shelf:
    """Accounts that see the same list: one provider at one address."""

    provider: str
    base_url: str


def shelf_of(account: Account) -> Shelf:
    """Where an account's models are listed."""
    return Shelf(account.provider, account.base_url)


@define(eq=False)
class Offers:
    """Lists of models by shelf. One object for the program's life."""

    _now: Callable[[], float]
    _known: dict[Shelf, tuple[float, Sequence[Entry]]] = field(factory=dict)

    def keep(self, shelf: Shelf, entries: Sequence[Entry]) -> None:
        """Remember a list."""
        self._known[shelf] = (self._now(), entries)

    def fresh(self, shelf: Shelf) -> bool:
        """Whether a list is known that need not be asked for again."""
        known = self._known.get(shelf)
        return known is not None and 0 <= self._now() - known[0] < REMEMBERED

    def entries(self, shelf: Shelf) -> Sequence[Entry]:
        """The list that was kept last; empty when there is none."""
        return self._known.get(shelf, (0.0, ()))[1]

    def names(self, account: Account) -> tuple[str, ...]:
        """Names of the models that an account's upstream offers, as far as is known; a stale list names too."""
        return tuple(str(entry["id"]) for entry in self.entries(shelf_of(account)))


def list_call(inbound: Inbound, provider_name: str) -> Inbound:
    """The call for a provider's list, on behalf of a client's request."""
    provider = provider_named(provider_name)
    query = b"limit=1000" if provider.protocol == ANTHROPIC else b""
    if provider_name == "codex":
        query = inbound.query if b"client_version=" in inbound.query else CODEX_VERSION
    return evolve(
        inbound,
        protocol=provider.protocol,
        operation=Operation.PASS,
        method="GET",
        path="/v1/models",
        query=query,
        headers=_headers(inbound.headers, provider.protocol),
        body=b"",
        outline=Outline(),
        conversation="",
        wait=0.0,
    )


async def read_list(attempt: Attempt) -> Sequence[Entry]:
    """The entries of a vendor's answer, each with an `id`. Raises UpstreamError."""
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
    document = peek(b"".join(got), dict) or {}
    entries = document.get("data")
    if not isinstance(entries, list):
        entries = document.get("models")
    if not isinstance(entries, list):
        raise UpstreamUnexpected("the answer to a request for the list of models holds no list")
    return [named for entry in entries if isinstance(entry, dict) and (named := _named(entry)) is not None]


def _named(entry: Entry) -> Entry | None:
    """The entry with its name as `id`: the ChatGPT backend calls it `slug`, some servers `name` alone."""
    found = next(
        (name for key in ("id", "slug", "name") if isinstance(name := entry.get(key), str) and name), None
    )
    return None if found is None else {**entry, "id": found}


def _headers(headers: Headers, protocol: str) -> Headers:
    """The client's headers for a call without a body; those of one vendor mean nothing to another."""
    kept = without(headers, _OF_A_BODY)
    if protocol != ANTHROPIC and get(kept, b"anthropic-version") is not None:
        kept = tuple(pair for pair in kept if not pair[0].lower().startswith(b"anthropic-"))
    return replaced(kept, b"accept-encoding", b"identity")
