"""A stream of the Messages API, read into events. Lenient with what is new, strict with what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from shunt.errors import Kind
from shunt.inference.assembly import BROKEN_OFF, Assembly
from shunt.inference.content import HostedCall, Part, SealForm, Text, Thinking, ToolCall
from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.errors import decode_error
from shunt.protocols.anthropic_messages.read_answer import read_citation, read_part, sealed, word
from shunt.protocols.anthropic_messages.read_blocks import read_hosted_call
from shunt.protocols.anthropic_messages.stops import read_explanation, read_stop
from shunt.protocols.anthropic_messages.usage import read_usage
from shunt.wire import json

GARBLED: Final = Failure(Kind.UPSTREAM, "The upstream sent an event that is not JSON.")
_DONE: Final = b"[DONE]"
"""The end of OpenAI's streams, which some servers add to this one too."""
_IMPLIED: Final[dict[str, Part]] = {"text_delta": Text(""), "thinking_delta": Thinking()}
"""The block that a delta belongs to whose start was left out."""


class _Block:
    """A block that is open."""

    __slots__ = ("given", "input", "part", "raw")

    def __init__(self, part: int, raw: dict[str, Any], given: Part) -> None:
        self.part = part
        """Index in the Assembly."""
        self.raw = raw
        self.given = given
        """What was known of it at its start."""
        self.input: list[str] = []
        """JSON of a hosted tool's input."""


class MessagesStreamDecoder:
    """For one answer."""

    def __init__(self) -> None:
        self._assembly = Assembly()
        self._blocks: dict[Any, _Block] = {}
        self._id = ""
        self._usage = Usage()
        self._tier = ""
        self._stop: dict[str, Any] = {}
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {
            "message_start": self._message_start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
            "ping": self._ping,
        }

    def feed(self, event: str, data: bytes) -> Sequence[Event]:
        """Take one event. Its type is read from the data, which every server sends."""
        assembly = self._assembly
        if assembly.over or not data.strip() or data.strip() == _DONE:
            return assembly.take()
        fields = json.value(data)
        if not isinstance(fields, dict):
            assembly.fail(decode_error(200, (), data) if event == "error" else GARBLED)
        elif event == "error" or fields.get("type") == "error" or _is_bare_error(fields):
            assembly.fail(decode_error(200, (), data))
        elif handler := self._handlers.get(word(fields.get("type")) or event):
            handler(fields)
        return assembly.take()

    def close(self) -> Sequence[Event]:
        """The stream has ended: in failure, unless `message_stop` was seen."""
        if not self._assembly.over:
            self._assembly.fail(BROKEN_OFF)
        return self._assembly.take()

    def _message_start(self, fields: dict[str, Any]) -> None:
        message = fields.get("message")
        if not isinstance(message, dict):
            message = {}
        self._id = word(message.get("id"))
        self._read_usage(message.get("usage"))
        self._assembly.begin(self._id, word(message.get("model")), self._usage)

    def _block_start(self, fields: dict[str, Any]) -> None:
        index, raw = _index(fields), fields.get("content_block")
        self._end_block(index)
        if not isinstance(raw, dict):
            return
        part = read_part(raw, self._id, len(self._blocks))
        if part is None:
            return
        if isinstance(part, ToolCall):
            # Only some servers give the input here; for the others it is an empty object.
            part = ToolCall(part.id, part.name, "" if not raw.get("input") else part.arguments)
        elif isinstance(part, HostedCall) and not raw.get("input"):
            part = HostedCall(part.id, part.kind, "", raw=part.raw)
        self._blocks[index] = _Block(self._assembly.open(part), raw, part)

    def _block_delta(self, fields: dict[str, Any]) -> None:
        index, delta = _index(fields), fields.get("delta")
        if not isinstance(delta, dict):
            return
        kind = word(delta.get("type"))
        block = self._blocks.get(index)
        if block is None:
            if kind not in _IMPLIED:
                return
            implied = _IMPLIED[kind]
            block = self._blocks[index] = _Block(self._assembly.open(implied), {}, implied)
        given = block.given
        if kind == "text_delta" and isinstance(given, Text):
            self._assembly.grow(block.part, word(delta.get("text")))
        elif kind == "thinking_delta" and isinstance(given, Thinking):
            self._assembly.grow(block.part, word(delta.get("thinking")))
        elif kind == "input_json_delta":
            self._input(block, word(delta.get("partial_json")))
        elif kind == "signature_delta":
            if (seal := sealed(delta.get("signature"), SealForm.SIGNATURE)) is not None:
                self._assembly.seal(block.part, seal)
        elif kind == "citations_delta" and isinstance(delta.get("citation"), dict):
            self._assembly.cite(block.part, read_citation(delta["citation"]))

    def _input(self, block: _Block, piece: str) -> None:
        if isinstance(block.given, ToolCall):
            self._assembly.grow(block.part, piece)
        elif piece:
            block.input.append(piece)

    def _block_stop(self, fields: dict[str, Any]) -> None:
        self._end_block(_index(fields))

    def _end_block(self, index: Any) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        whole = block.given
        if isinstance(whole, HostedCall) and block.input:
            arguments = "".join(block.input)
            found = json.value(arguments.encode("utf-8", "replace"))
            whole = read_hosted_call({**block.raw, "input": found if found is not None else arguments})
        elif isinstance(whole, HostedCall):
            whole = read_hosted_call(block.raw)
        self._assembly.close(block.part, whole)

    def _message_delta(self, fields: dict[str, Any]) -> None:
        self._read_usage(fields.get("usage"))
        delta = fields.get("delta")
        if isinstance(delta, dict):
            self._stop |= {name: value for name, value in delta.items() if value is not None}

    def _message_stop(self, _: dict[str, Any]) -> None:
        if not self._assembly.begun:
            self._assembly.fail(BROKEN_OFF)
            return
        for index in tuple(self._blocks):
            self._end_block(index)
        stop, unknown = read_stop(self._stop.get("stop_reason"))
        self._assembly.stop(
            stop,
            self._usage,
            stop_sequence=word(self._stop.get("stop_sequence")),
            explanation=read_explanation(self._stop.get("stop_details")),
            unknown_stop=unknown,
            tier=self._tier,
        )
        self._assembly.finish()

    def _ping(self, _: dict[str, Any]) -> None:
        self._assembly.ping()

    def _read_usage(self, usage: Any) -> None:
        self._usage = read_usage(usage, self._usage)
        if isinstance(usage, dict):
            self._tier = word(usage.get("service_tier")) or self._tier


def _index(fields: dict[str, Any]) -> Any:
    """The block's number; one that is missing or no number is told apart only by being so."""
    index = fields.get("index")
    return index if isinstance(index, (int, str)) else None


def _is_bare_error(fields: dict[str, Any]) -> bool:
    """Some gateways send an error without a type."""
    return "type" not in fields and "error" in fields
