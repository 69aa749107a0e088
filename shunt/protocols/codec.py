"""How a protocol is taken apart and put together: to and from the shared vocabulary, one way each.

Three protocols need these few functions each, and no protocol knows another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from typing import Protocol as Shape

from attrs import field, frozen

from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.request import Effort, GenerateRequest
from shunt.inference.response import Answer
from shunt.models.rules import ModelRules
from shunt.wire.headers import Headers

Document = dict[str, Any]
"""A JSON object."""


@frozen
class Target:
    """What a request is written for: facts about the upstream that change what it accepts."""

    model: str
    """Model name to send."""
    rules: ModelRules
    """What this model takes and refuses."""
    vendor: str
    """Provider family: `anthropic`, `openai`, `codex`, or `compatible`."""
    origin: str
    """Where opaque reasoning must come from to be sent back: a Seal's `origin`."""
    account: str = ""
    """Fingerprint of the account: a Seal bound to another one is not sent."""
    compact: bool = False
    """The call only shortens a conversation (Responses' `/compact`)."""


@frozen
class Encoded:
    """A request body for an upstream, and what had to be left out."""

    document: Document = field(repr=False)
    dropped: tuple[str, ...] = ()
    """Names of fields (in the client's words where known) that were left out and matter."""
    headers: Headers = ()
    """Headers, lists of tokens, that say what a field of the body said."""


class StreamDecoder(Shape):
    """Events of one protocol's stream. Fed one SSE event at a time; never raises on any input."""

    def feed(self, event: str, data: bytes) -> Sequence[Event]:
        """Take one event: its name (may be empty) and its data."""

    def close(self) -> Sequence[Event]:
        """The stream has ended: Failed, unless the protocol's own end was seen."""


class StreamEncoder(Shape):
    """One protocol's stream out of events. Its output is what the official SDKs' helpers accept."""

    @property
    def dropped(self) -> Sequence[str]:
        """What could not be said in this protocol so far."""

    def feed(self, event: Event) -> bytes:
        """Bytes to send for one event; often none."""


class Gathering(Shape):
    """A stream's plain answer in the making. Fed one SSE event at a time; never raises on any input."""

    def feed(self, event: str, data: bytes) -> None:
        """Take one event: its name (may be empty) and its data."""

    def result(self) -> Document | Failure:
        """The answer, once the stream has ended."""


class Steer(Shape):
    """How a body is told effort and speed."""

    def __call__(
        self, document: Mapping[str, Any], target: Target, effort: Effort | None, *, fast: bool
    ) -> Document:
        """The body with these in the words that the model takes; everything else as it is."""


@frozen
class Codec:
    """One protocol's functions."""

    decode_request: Callable[[Mapping[str, Any]], GenerateRequest]
    """Raises InvalidRequest, naming the field, for what cannot be understood."""
    encode_request: Callable[[GenerateRequest, Target], Encoded]
    """Raises InvalidRequest for what cannot be expressed and changes the meaning."""
    decode_answer: Callable[[Mapping[str, Any]], Answer]
    """A plain (non-stream) answer. Raises UpstreamUnexpected when it is none."""
    encode_answer: Callable[[Answer, GenerateRequest, str], Encoded]
    """A plain answer for the client; the third argument is our request id."""
    stream_decoder: Callable[[], StreamDecoder]
    stream_encoder: Callable[[GenerateRequest, str], StreamEncoder]
    """For the client's request; the second argument is our request id."""
    words: Mapping[str, str]
    """What it calls fields of GenerateRequest, where it has other names for them."""
    adapt_request: Callable[[Mapping[str, Any], Target], Encoded | None] | None = None
    """A client's own body made fit for an upstream of this same protocol, all else left as it is; None when
    its bytes can pass. For upstreams that are stricter than the protocol, and bodies with our envelopes.
    Raises InvalidRequest."""
    without_reasoning: Callable[[Mapping[str, Any]], Document | None] | None = None
    """A client's own body without the reasoning in its history, for a vendor that refused it; None when there
    is none to leave out."""
    gathering: Callable[[], Gathering] | None = None
    """Makes the plain answer of a stream of this same protocol, for clients that did not ask for a stream."""
    steered: Steer | None = None
    """A client's own body with the effort and the speed that the model's name asked for."""
    needed_headers: Callable[[Mapping[str, Any]], Headers] | None = None
    """Headers that a request written here needs for what is in it (a client's own brings its own)."""
