"""A stream of the Messages API out of events, for a client.

What comes out is what the official SDKs accept and Claude Code stores: one block open at a time, numbered
from 0 without gaps; a text block only when there is a word to show; arguments only as far as they are JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shunt.errors import Kind
from shunt.inference.content import (
    Citation,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    SealForm,
    Text,
    Thinking,
    ToolCall,
)
from shunt.inference.events import (
    ArgumentsDelta,
    CitationAdded,
    Event,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    RefusalDelta,
    SealGiven,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
)
from shunt.inference.failure import Failure
from shunt.inference.names import wire_id
from shunt.inference.partial_json import PartialObject
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Stop
from shunt.inference.restoration import Restoration
from shunt.inference.sequence import Sequence
from shunt.inference.usage import Usage
from shunt.protocols.anthropic_messages.errors import encode_stream_error
from shunt.protocols.anthropic_messages.show_parts import (
    CITATIONS,
    SEARCH,
    show,
    show_citation,
    show_hosted_call,
    show_thinking,
    shown_seal,
    tool_name,
)
from shunt.protocols.anthropic_messages.stops import write_stop
from shunt.protocols.anthropic_messages.usage import write_usage
from shunt.protocols.anthropic_messages.write_answer import counted, envelope, message_id, missed
from shunt.wire import json, sse

PING: Final = sse.encode("ping", b'{"type": "ping"}')
BROKEN_CALL: Final = Failure(
    Kind.UPSTREAM, "The model wrote arguments for a tool that are not JSON. Asking again usually helps."
)

_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%s}\n\n'
_STOP: Final = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
_END: Final = sse.encode("message_stop", b'{"type":"message_stop"}')
_THINKING: Final = {"type": "thinking", "thinking": "", "signature": ""}
"""How such a block begins: clients add to both fields."""
_WORDS: Final = (TextDelta, ThinkingDelta)
_CUT: Final = frozenset({Stop.MAX_TOKENS, Stop.CONTEXT_WINDOW, Stop.REFUSAL, Stop.PAUSE})
"""Ends at which a call may be incomplete; clients do not run it then."""
_WRAPPED: Final = ('{"input":"', '"}')


class MessagesStreamEncoder:
    """For one client's request."""

    def __init__(self, request: GenerateRequest, request_id: str) -> None:
        self.dropped: list[str] = []
        self._model = request.model
        self._request_id = request_id
        self._restoration = Restoration(request)
        self._sequence = Sequence()
        self._index = 0
        """Number of the block that is open, or comes next."""
        self._open = False
        self._blank = ""
        """White space before the first word of a text, which alone makes no block."""
        self._cited: list[Citation] = []
        """Sources of a text that has no words yet."""
        self._calling = False
        """Whether the open block is a call."""
        self._arguments: PartialObject | None = None
        """Of the open call, unless it is a custom tool's."""
        self._begun = False
        """Whether the open call has shown some of its arguments."""
        self._cut = False
        """A call ended before its arguments did."""
        self._searches = 0
        self._searching = ""
        """Id of a web search whose result has not been shown."""
        self._over = False
        self._tell: dict[type, Callable[[Any], bytes]] = {
            TextDelta: self._words,
            RefusalDelta: self._words,
            ThinkingDelta: self._thinking,
            ArgumentsDelta: self._more_arguments,
            CitationAdded: self._citation,
            SealGiven: self._nothing,
            PartStarted: self._part_started,
            PartFinished: self._part_finished,
            Ping: self._ping,
            Started: self._started,
            Stopped: self._stopped,
            Finished: self._finished,
            Failed: self._failed,
        }

    def feed(self, event: Event) -> bytes:
        """Bytes to send for one event; often none."""
        if isinstance(event, _WORDS) and event.index == self._sequence.live and not self._over:
            return self._tell[type(event)](
                event
            )  # what most events are: nothing to restore, nothing to wait for
        told = bytearray()
        for restored in self._restoration.events(event):
            for one in self._sequence.events(restored):
                if not self._over:
                    told += self._tell[type(one)](one)
        return bytes(told)

    def _started(self, event: Started) -> bytes:
        message = {
            **envelope(message_id(event.id, self._request_id), self._model),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(event.usage or Usage()),
        }
        return _event("message_start", message=message)

    def _part_started(self, event: PartStarted) -> bytes:
        part = event.part
        shown = self._missing_result(part)
        self._blank, self._cited = "", []
        if isinstance(part, ToolCall):
            self._calling, self._begun = True, False
            self._arguments = None if part.custom else PartialObject()
            shown += self._begin(
                {"type": "tool_use", "id": wire_id(part.id), "name": tool_name(part), "input": {}}
            )
            if part.custom:
                shown += self._json(_WRAPPED[0])
        elif isinstance(part, HostedCall) and (block := show_hosted_call(part)) is not None:
            shown += self._begin(block)
        return shown

    def _words(self, event: TextDelta | RefusalDelta) -> bytes:
        text = event.text
        begun = b""
        if not self._open:
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return b""
            begun = self._begin({"type": "text", "text": ""}) + b"".join(map(self._cite, self._cited))
        return begun + self._delta(b'{"type":"text_delta","text":%s}', text) if text else b""

    def _thinking(self, event: ThinkingDelta) -> bytes:
        if not event.text:
            return b""
        begun = b"" if self._open else self._begin(_THINKING)
        return begun + self._delta(b'{"type":"thinking_delta","thinking":%s}', event.text)

    def _more_arguments(self, event: ArgumentsDelta) -> bytes:
        piece = event.text
        if self._arguments is None:  # a custom tool's text, which needs quoting
            return self._json(json.encode(piece).decode()[1:-1])
        if not self._begun:  # white space alone is broken JSON to the SDK
            piece = piece.lstrip()
            self._begun = bool(piece)
        return self._json(piece) if self._arguments.feed(piece) else self._fail(BROKEN_CALL)

    def _citation(self, event: CitationAdded) -> bytes:
        if self._open:
            return self._cite(event.citation)
        self._cited.append(event.citation)
        return b""

    def _part_finished(self, event: PartFinished) -> bytes:
        part = event.part
        match part:
            case Text() | Refusal():
                return self._end()
            case Thinking():
                return self._end_thinking(part)
            case ToolCall():
                return self._end_call(part)
            case HostedCall():
                return self._end_hosted(part)
            case _:
                return self._whole(part)

    def _end_thinking(self, part: Thinking) -> bytes:
        begun = b""
        if not self._open:  # no words: what is sealed is all there is
            block = show_thinking(part)
            if block is None or block["type"] != "thinking":
                return self._begun_and_ended(block)
            begun = self._begin(_THINKING)
        seal = shown_seal(part.seal, SealForm.SIGNATURE)
        signed = self._delta(b'{"type":"signature_delta","signature":%s}', seal) if seal else b""
        return begun + signed + self._end()

    def _end_call(self, part: ToolCall) -> bytes:
        if part.custom:
            return self._json(_WRAPPED[1]) + self._end()
        self._cut = self._cut or (self._arguments is not None and not self._arguments.complete)
        return self._end()

    def _end_hosted(self, part: HostedCall) -> bytes:
        if not self._open:
            self.dropped.append(missed(part))
            return b""
        if part.kind == SEARCH:
            self._searches += 1
            self._searching = part.id
        shown = show(part)
        return self._json(json.encode(shown["input"]).decode() if shown else "{}") + self._end()

    def _whole(self, part: Part) -> bytes:
        """A part that is told at once."""
        if isinstance(part, HostedResult) and part.call_id == self._searching:
            self._searching = ""
        block = show(part)
        if block is None:
            self.dropped.append(missed(part))
        return self._begun_and_ended(block)

    def _missing_result(self, part: Part | None) -> bytes:
        """An empty result for a web search that showed none: clients and vendor want the two together."""
        if not self._searching or (isinstance(part, HostedResult) and part.call_id == self._searching):
            return b""
        return self._whole(HostedResult(self._searching, SEARCH))

    def _stopped(self, event: Stopped) -> bytes:
        if self._cut and event.stop not in _CUT:
            return self._fail(BROKEN_CALL)
        if event.unknown_stop:
            self.dropped.append("stop_reason")
        shown = self._missing_result(None)
        delta = write_stop(event.stop, event.stop_sequence, event.explanation)
        usage = write_usage(counted(event.usage, self._searches))
        return shown + _event("message_delta", delta=delta, usage=usage)

    def _finished(self, _: Finished) -> bytes:
        self._over = True
        return _END

    def _failed(self, event: Failed) -> bytes:
        return self._fail(event.failure)

    def _fail(self, failure: Failure) -> bytes:
        # Half a call is not closed: a client that closes the block itself might run it.
        closed = b"" if self._calling else self._end()
        self._over = True
        return closed + encode_stream_error(failure)

    def _ping(self, _: Ping) -> bytes:
        return PING

    def _nothing(self, _: SealGiven) -> bytes:
        return b""  # the whole seal comes with the end of its part

    def _begin(self, block: dict[str, Any]) -> bytes:
        self._open = True
        return _event("content_block_start", index=self._index, content_block=block)

    def _end(self) -> bytes:
        self._calling = False
        if not self._open:
            return b""
        self._open = False
        self._index += 1
        return _STOP % (self._index - 1)

    def _begun_and_ended(self, block: dict[str, Any] | None) -> bytes:
        return b"" if block is None else self._begin(block) + self._end()

    def _cite(self, citation: Citation) -> bytes:
        shown = show_citation(citation)
        if shown is None:
            self.dropped.append(CITATIONS)
            return b""
        return _DELTA % (self._index, b'{"type":"citations_delta","citation":%s}' % json.encode(shown))

    def _json(self, piece: str) -> bytes:
        return self._delta(b'{"type":"input_json_delta","partial_json":%s}', piece) if piece else b""

    def _delta(self, shape: bytes, text: str) -> bytes:
        return _DELTA % (self._index, shape % json.encode(text))


def _event(kind: str, **fields: Any) -> bytes:
    return sse.encode(kind, json.encode({"type": kind, **fields}))
