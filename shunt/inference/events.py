"""A streamed answer as events, in no protocol's words.

Grammar: Started, then parts, then Stopped, then Finished; or Failed at any point (also as the very first
event), which is the end. A part is PartStarted, deltas of its index, PartFinished. Indexes are dense from
0 in order of PartStarted, but parts may overlap: some vendors interleave the arguments of parallel calls.
All parts are finished before Stopped. Ping may stand anywhere before the end; nothing follows the end.

What grows (Text, Thinking, Refusal, ToolCall) starts empty: PartStarted holds no words, citations, seal or
arguments, only a call's id, name, namespace and `custom`. Everything else comes in deltas, and PartFinished
holds exactly the sum of them: an encoder may work from the deltas or wait for the whole, never both.
Deltas may be empty, and so may a part be: an encoder must not show an empty text. A finished ToolCall
that is not `custom` has at least `{}` as its arguments; they may still be broken JSON, or cut off.
Every other part has no deltas; an encoder reads it at PartFinished (PartStarted of a HostedCall may lack
its input, and says that the vendor's tool is running).

A decoder that builds its events with `assembly.Assembly` keeps all of this by construction. An encoder
for a protocol that allows one open part at a time reads them through `sequence.Sequence`.
"""

from __future__ import annotations

from attrs import frozen

from shunt.inference.content import Citation, Part, Seal
from shunt.inference.failure import Failure
from shunt.inference.response import Stop
from shunt.inference.usage import Usage


@frozen
class Started:
    """The vendor accepted the request. First event of every stream that is not refused."""

    id: str
    model: str
    usage: Usage | None = None
    """What is known of the input already."""
    created: int = 0


@frozen
class PartStarted:
    """A part begins. `part` is empty where it grows: an empty Text, a ToolCall with id and name."""

    index: int
    part: Part


@frozen
class TextDelta:
    """More words of a Text part."""

    index: int
    text: str


@frozen
class ThinkingDelta:
    """More words of a Thinking part."""

    index: int
    text: str


@frozen
class SealGiven:
    """The seal of a Thinking part, or the next piece of a signature that comes in pieces.

    Payloads of the pieces add up; whoever needs the whole takes it from PartFinished.
    """

    index: int
    seal: Seal


@frozen
class ArgumentsDelta:
    """More of a ToolCall's arguments (JSON text, or a custom tool's free text)."""

    index: int
    text: str


@frozen
class RefusalDelta:
    """More words of a Refusal part."""

    index: int
    text: str


@frozen
class CitationAdded:
    """A source for words of a Text part."""

    index: int
    citation: Citation


@frozen
class PartFinished:
    """A part is complete; `part` is the whole of it."""

    index: int
    part: Part


@frozen
class Stopped:
    """Why the model stopped, and the final usage."""

    stop: Stop
    usage: Usage
    stop_sequence: str = ""
    explanation: str = ""
    unknown_stop: str = ""
    tier: str = ""
    """Service tier the answer was given at, in the vendor's word."""
    declined: bool = False
    """The refusal is the model's own, at the end of its turn: nothing was cut."""


@frozen
class Finished:
    """The protocol's own end was seen. Without it a stream is broken."""


@frozen
class Failed:
    """The stream ended with an error, or broke."""

    failure: Failure


@frozen
class Ping:
    """The vendor lives and has nothing to say yet."""


Event = (
    Started
    | PartStarted
    | TextDelta
    | ThinkingDelta
    | SealGiven
    | ArgumentsDelta
    | RefusalDelta
    | CitationAdded
    | PartFinished
    | Stopped
    | Finished
    | Failed
    | Ping
)
