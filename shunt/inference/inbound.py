"""One request as it came in, with the few facts about its body that routing needs."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from shunt.wire.headers import Headers


class Operation(StrEnum):
    """What a route asks for."""

    GENERATE = "generate"
    """A model's answer: Messages, Chat Completions, Responses."""
    COUNT_TOKENS = "count tokens"
    COMPACT = "compact"
    BATCHES = "batches"
    PASS = "pass"  # noqa: S105 - a route's name, not a password
    """Any other call on a provider's allow-list, passed through as it is."""


@frozen
class Outline:
    """Facts read from a body without building the rest of it."""

    model: str = ""
    """Model name exactly as the client wrote it."""
    stream: bool = False
    session: str = ""
    """Session id the body names (`metadata.user_id`, `prompt_cache_key`), empty if none."""
    opening: bytes = b""
    """SHA-256 over the first user text: tells conversations apart that share a session id."""
    fingerprint: bytes = b""
    """SHA-256 over system text, NUL, first user text, NUL, sorted tool names."""
    chained: bool = False
    """The body refers to state that only one account holds (`previous_response_id`, file ids)."""


@frozen
class Inbound:
    """A client's request. Body, path and query are exactly the bytes that came."""

    id: str
    """Our request id, `req_…`."""
    protocol: str
    """Name of the client's protocol in `protocols.PROTOCOLS`."""
    operation: Operation
    method: str
    path: str
    """The vendor's path, `/v1/…`, with the alias prefix completed."""
    query: bytes
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    """As received; may be compressed per `content-encoding`."""
    outline: Outline
    arrived_at: float
    """Epoch seconds."""
    client: str = ""
    """Name of the client key that was used, empty for the machine's own user without a key."""
    pools: frozenset[str] | None = None
    """Pools this client may use; None means all."""
    logins: bool = True
    """Whether it may use subscription logins: they are for the person who owns them."""
    models: tuple[str, ...] = ()
    """Patterns of the models this client may ask for; empty means all."""
    local: bool = True
    """Whether the caller is on this machine (a tunnel is not)."""
    wanted_account: str = ""
    """`x-shunt-account`: this account or an error."""
    wait: float | None = None
    """`x-shunt-wait` in seconds; None leaves it to `routing.wait`."""
    model: str = ""
    """The model that the owner has put in place of every other; empty when the client's own holds."""
    conversation: str = ""
    """Key under which the conversation sticks to an account; empty when there is none."""

    @property
    def wanted_model(self) -> str:
        """The model to be served, by the name it was asked for."""
        return self.model or self.outline.model
