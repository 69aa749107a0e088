"""A request in the words of whichever provider it goes to.

Where the provider speaks the client's protocol the bytes stay as they are (only a mapped model's name
is spliced in). Where it does not, the request is decoded once and encoded for that provider.
"""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import trio
from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.errors import InvalidRequest
from shunt.inference.envelope import MARK
from shunt.inference.inbound import Inbound, Operation
from shunt.inference.request import GenerateRequest
from shunt.models.mapping import Mappings, mapped_model
from shunt.models.rules import rules_for
from shunt.protocols import codec_named, protocol_named
from shunt.protocols.codec import Target
from shunt.providers import provider_named
from shunt.providers.base import Provider
from shunt.wire import headers as header
from shunt.wire import json
from shunt.wire.encoding import decoded
from shunt.wire.headers import Headers
from shunt.wire.lossless_edit import splice_model

LARGE: Final = 1024 * 1024
"""Bytes above which a body is translated in a thread, so that nobody else's stream stops meanwhile."""
LARGEST: Final = 256 * 1024 * 1024
"""Decoded bytes of a compressed body; the server has checked it against its own, lower limit."""
THREADS: Final = trio.CapacityLimiter(2)
VENDORS: Final = ("anthropic", "openai", "codex")
TRAVELLING: Final = frozenset({b"user-agent", b"x-request-id", b"traceparent", b"tracestate"})
"""Headers that mean the same to every vendor. All others belong to the client's own protocol."""


@frozen
class Rendition:
    """The request as one account gets it."""

    inbound: Inbound
    ask: GenerateRequest | None = None
    """What was asked, when it had to be put into other words; None when the bytes passed as they were."""
    dropped: tuple[str, ...] = ()
    """Fields that could not be said and matter."""
    origin: str = ""
    """Whose opaque reasoning the answer holds."""
    account: str = ""
    """Fingerprint of the account that it is bound to."""


@define(eq=False)
class Wording:
    """One request's renditions."""

    _inbound: Inbound
    _mappings: Mappings
    _ask: GenerateRequest | None = field(default=None, init=False)

    async def for_account(self, account: Account) -> Rendition:
        """The request as `account` gets it. Raises InvalidRequest for what cannot be said there."""
        provider = provider_named(account.provider)
        inbound = self._inbound
        if inbound.operation not in (Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT):
            return Rendition(inbound)
        model = mapped_model(self._mappings, inbound.outline.model, provider.name, provider.family)
        if inbound.protocol in provider.protocols and MARK.encode() not in inbound.body:
            return Rendition(self._with_model(model), origin=origin_of(account, provider))
        if len(inbound.body) > LARGE:
            return await trio.to_thread.run_sync(
                partial(self._render, account, provider, model), limiter=THREADS
            )
        return self._render(account, provider, model)

    def ask(self) -> GenerateRequest:
        """The request, decoded. Raises InvalidRequest."""
        if self._ask is None:
            document = json.decode_object(self._plain())
            self._ask = codec_named(self._inbound.protocol).decode_request(document)
        return self._ask

    def _render(self, account: Account, provider: Provider, model: str) -> Rendition:
        spoken = spoken_by(provider, self._inbound.protocol)
        origin, fingerprint = origin_of(account, provider), fingerprint_of(account)
        vendor = vendor_of(provider)
        target = Target(
            model=model, rules=rules_for(model, vendor), vendor=vendor, origin=origin, account=fingerprint
        )
        encoded = codec_named(spoken).encode_request(self.ask(), target)
        body = json.encode(encoded.document)
        inbound = evolve(
            self._inbound,
            protocol=spoken,
            path=protocol_named(spoken).path,
            query=self._inbound.query if spoken == self._inbound.protocol else b"",
            headers=self._headers(spoken),
            body=body,
            outline=evolve(self._inbound.outline, model=model),
        )
        return Rendition(inbound, self.ask(), encoded.dropped, origin, fingerprint)

    def _headers(self, spoken: str) -> Headers:
        """The client's headers, as far as another vendor understands them."""
        if spoken == self._inbound.protocol:
            return header.without(self._inbound.headers, {b"content-encoding"})
        kept = tuple(pair for pair in self._inbound.headers if pair[0].lower() in TRAVELLING)
        accept = b"text/event-stream" if self._inbound.outline.stream else b"application/json"
        return ((b"content-type", b"application/json"), (b"accept", accept), *kept)

    def _with_model(self, model: str) -> Inbound:
        inbound = self._inbound
        if model == inbound.outline.model:
            return inbound
        body = splice_model(self._plain(), model)
        if body is None:
            raise InvalidRequest("the request names no model")
        return evolve(
            inbound,
            body=body,
            headers=header.without(inbound.headers, {b"content-encoding"}),
            outline=evolve(inbound.outline, model=model),
        )

    def _plain(self) -> bytes:
        """The body without its content codings."""
        encoding = header.text(self._inbound.headers, b"content-encoding")
        if not encoding:
            return self._inbound.body
        plain = decoded(self._inbound.body, encoding, LARGEST)
        if plain is None:
            raise InvalidRequest(f"the content encoding {encoding[:40]} cannot be read here")
        return plain


def spoken_by(provider: Provider, protocol: str) -> str:
    """The protocol in which this provider is asked, for a client of `protocol`."""
    return protocol if protocol in provider.protocols else provider.protocol


def vendor_of(provider: Provider) -> str:
    """The family whose rules for models hold."""
    return provider.family if provider.name in VENDORS else "compatible"


def origin_of(account: Account, provider: Provider) -> str:
    """Who can read the opaque reasoning that comes from this account."""
    if provider.name in VENDORS:
        return provider.family
    return urlsplit(account.base_url).hostname or provider.name


def fingerprint_of(account: Account) -> str:
    """A name for the account that tells a client nothing about it."""
    return sha256(account.name.encode()).hexdigest()[:12]
