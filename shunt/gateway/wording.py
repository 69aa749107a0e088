"""A request in the words of whichever provider it goes to.

Where the provider speaks the client's protocol the bytes stay as they are (only a mapped model's name
is spliced in). Where it does not, the request is decoded once and encoded for that provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

import trio
from attrs import define, evolve, field, frozen

from shunt.accounts.account import Account
from shunt.errors import InvalidRequest
from shunt.gateway.threads import in_thread
from shunt.inference.content import Message, Part, Role
from shunt.inference.envelope import MARK
from shunt.inference.inbound import Inbound, Operation
from shunt.inference.request import GenerateRequest
from shunt.models.mapping import Mappings
from shunt.models.naming import Naming, served
from shunt.models.rules import rules_for
from shunt.protocols import codec_named, protocol_named
from shunt.protocols.codec import Encoded, Target
from shunt.providers import provider_named
from shunt.providers.base import Provider
from shunt.routing.affinity import SESSION_HEADERS
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
MESSAGES: Final = "anthropic-messages"
VENDORS: Final = ("anthropic", "openai", "codex")
REASONING_REFUSED: Final = re.compile(
    rb"""invalid[^"]{0,20}signature | thinking[^"]{0,40}bound\ to\ a\ different | bound\ to\ a\ different\ conversation
    | invalid_encrypted_content | encrypted\ content\ [^"]{0,40}(?:verified|decrypted)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words with which vendors refuse reasoning that is another account's, or of an edited conversation."""
MODEL_REFUSED: Final = re.compile(
    rb"""model_not_found | "message"\s*:\s*"model:\  | not\ a\ valid\ model
    | (?:unknown|no\ such|invalid|unsupported)\ model
    | \bmodel\b.{0,120}?\ (?:not\ found|does\ not\ exist|is\ not\ (?:supported|available|loaded))""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words with which upstreams say that they have no such model."""
_MARKED: Final = MARK.encode()
_BETAS: Final = re.compile(rb'"betas"\s*:')
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

    def without(self, fields: Sequence[str]) -> Rendition:
        """With the report of what its upstream was told and could not do, in that one's words, put into the client's."""
        if not fields:
            return self
        if self.ask is not None:
            names = {theirs: name for name, theirs in codec_named(self.inbound.protocol).words.items()}
            fields = self.ask.left_out(names.get(field, field) for field in fields)
        return evolve(self, dropped=tuple(dict.fromkeys((*self.dropped, *fields))))


@define(eq=False)
class Wording:
    """One request's renditions."""

    _inbound: Inbound
    _mappings: Mappings
    _listed: Callable[[Account], Sequence[str]] = lambda _: ()
    """Names of the models that an account's upstream is known to offer."""
    refused: bool = False
    """An upstream has said that it has no model of the name it was asked for."""
    _ask: GenerateRequest | None = field(default=None, init=False)

    async def for_account(self, account: Account) -> Rendition:
        """The request as `account` gets it. Raises InvalidRequest for what cannot be said there."""
        provider = provider_named(account.provider)
        inbound = self._inbound
        if inbound.operation not in (Operation.GENERATE, Operation.COUNT_TOKENS, Operation.COMPACT):
            return Rendition(inbound)
        named = self.named(account, provider)
        native = inbound.protocol in provider.protocols
        if native and not provider.adapts and not named.steers and not _has_asides(inbound.body):
            return Rendition(self._with_model(named.model), origin=origin_of(account, provider))
        render = partial(self._adapt if native else self._translate, account, provider, named)
        if len(inbound.body) > LARGE:
            return await in_thread(render, THREADS)
        return render()

    def named(self, account: Account, provider: Provider) -> Naming:
        """The model to ask this account for, and how it is to run."""
        families = (provider.name, provider.family)
        listed = self._listed(account)
        return served(self._mappings, self._inbound.wanted_model, families, listed, refused=self.refused)

    def ask(self) -> GenerateRequest:
        """The request, decoded. Raises InvalidRequest."""
        if self._ask is None:
            document = json.decode_object(self._plain())
            self._ask = self._keyed(codec_named(self._inbound.protocol).decode_request(document))
        return self._ask

    def _keyed(self, ask: GenerateRequest) -> GenerateRequest:
        """The request with a key for the vendor's prompt cache: the client's own, else its session's id."""
        if ask.cache_key and ask.protocol != MESSAGES:
            return ask
        return evolve(ask, cache_key=session_of(self._inbound.headers) or ask.cache_key)

    def resumed(self, account: Account, parts: Sequence[Part]) -> Rendition:
        """The request again, with what a paused turn has said so far. Raises InvalidRequest."""
        provider, ask = provider_named(account.provider), self.ask()
        said = Message(Role.ASSISTANT, tuple(parts))
        longer = evolve(ask, messages=(*ask.messages, said))
        return self._translate(account, provider, self.named(account, provider), longer)

    def forget_reasoning(self) -> bool:
        """Leave the reasoning of earlier turns out from now on; whether there was any."""
        strip = codec_named(self._inbound.protocol).without_reasoning
        document = json.peek(self._plain(), dict)
        bare = strip(document) if strip is not None and document is not None else None
        if bare is None:
            return False
        self._inbound = self._with_body(json.encode(bare), self._inbound.outline.model)
        self._ask = None
        return True

    def _adapt(self, account: Account, provider: Provider, named: Naming) -> Rendition:
        """The client's own protocol, made fit for this upstream, all else left as it is."""
        origin, fingerprint = origin_of(account, provider), fingerprint_of(account)
        codec, target = codec_named(self._inbound.protocol), self._target(account, provider, named.model)
        encoded: Encoded | None = None
        needed: Headers = ()
        if codec.adapt_request is not None:
            encoded = codec.adapt_request(json.decode_object(self._plain()), target)
        if named.steers and codec.steered is not None:
            before = json.decode_object(self._plain()) if encoded is None else encoded.document
            after = codec.steered(before, target, named.effort, fast=named.fast)
            encoded = Encoded(after | {"model": named.model}, encoded.dropped if encoded is not None else ())
            needed = codec.needed_headers(after) if codec.needed_headers is not None else ()
        if encoded is None:
            return Rendition(self._with_model(named.model), origin=origin, account=fingerprint)
        inbound = self._with_body(json.encode(encoded.document), named.model)
        for name, value in (*needed, *encoded.headers):
            inbound = evolve(inbound, headers=header.with_tokens(inbound.headers, name, (value,)))
        return Rendition(inbound, None, encoded.dropped, origin, fingerprint)

    def _translate(
        self, account: Account, provider: Provider, named: Naming, ask: GenerateRequest | None = None
    ) -> Rendition:
        ask = ask or self.ask()
        spoken = protocol_named(provider.protocol)
        codec, model = codec_named(spoken.name), named.model
        encoded = codec.encode_request(_steered(ask, named), self._target(account, provider, model))
        needed = codec.needed_headers(encoded.document) if codec.needed_headers is not None else ()
        inbound = evolve(
            self._inbound,
            protocol=spoken.name,
            path=spoken.path,
            query=b"",
            headers=self._foreign_headers() + needed,
            body=json.encode(encoded.document),
            outline=evolve(
                self._inbound.outline, model=model, session=ask.cache_key or self._inbound.conversation
            ),
        )
        origin, fingerprint = origin_of(account, provider), fingerprint_of(account)
        return Rendition(inbound, ask, encoded.dropped, origin, fingerprint)

    def _target(self, account: Account, provider: Provider, model: str) -> Target:
        vendor = vendor_of(provider)
        return Target(
            model=model,
            rules=rules_for(model, vendor),
            vendor=vendor,
            origin=origin_of(account, provider),
            account=fingerprint_of(account),
            compact=self._inbound.operation is Operation.COMPACT,
        )

    def _foreign_headers(self) -> Headers:
        """The client's headers, as far as another vendor understands them."""
        kept = tuple(pair for pair in self._inbound.headers if pair[0].lower() in TRAVELLING)
        accept = b"text/event-stream" if self._inbound.outline.stream else b"application/json"
        return ((b"content-type", b"application/json"), (b"accept", accept), *kept)

    def _with_model(self, model: str) -> Inbound:
        """The very bytes, with the model's name spliced in where it is another one."""
        if model == self._inbound.outline.model:
            return self._inbound
        body = splice_model(self._plain(), model)
        if body is None:
            raise InvalidRequest("the request names no model")
        return self._with_body(body, model)

    def _with_body(self, body: bytes, model: str) -> Inbound:
        """The same request with another body, which is not compressed."""
        inbound = self._inbound
        headers = header.without(inbound.headers, {b"content-encoding"})
        return evolve(inbound, body=body, headers=headers, outline=evolve(inbound.outline, model=model))

    def _plain(self) -> bytes:
        """The body without its content codings."""
        encoding = header.text(self._inbound.headers, b"content-encoding")
        if not encoding:
            return self._inbound.body
        plain = decoded(self._inbound.body, encoding, LARGEST)
        if plain is None:
            raise InvalidRequest(f"the content encoding {encoding[:40]} cannot be read here")
        return plain


def _steered(ask: GenerateRequest, named: Naming) -> GenerateRequest:
    """The request with the effort and the speed that the model's name asks for."""
    if named.effort is not None:
        ask = evolve(ask, reasoning=evolve(ask.reasoning, effort=named.effort, budget=None, adaptive=False))
    return evolve(ask, tier="fast") if named.fast else ask


def _has_asides(body: bytes) -> bool:
    """Whether something may have to be taken out of a body of the upstream's own protocol.

    Two plain searches: one expression for both took ten times as long, 4 ms for a long conversation of 300 kB and most
    of a second for the longest, in which nobody else was served.
    """
    return _MARKED in body or (b'"betas"' in body and _BETAS.search(body) is not None)


def refuses_model(status: int, body: bytes) -> bool:
    """Whether an upstream says that it has no model of this name."""
    return status in (400, 404) and MODEL_REFUSED.search(body) is not None


def session_of(headers: Headers) -> str:
    """The session that a client's headers name; empty when they name none."""
    return next(filter(None, (header.text(headers, name) for name in SESSION_HEADERS)), "")


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


def refuses_reasoning(status: int, body: bytes) -> bool:
    """Whether a vendor refused a request because of the opaque reasoning in its history."""
    return status == 400 and REASONING_REFUSED.search(body) is not None
