"""Events as a Chat Completions stream that OpenAI's own helpers can read.

They crash on a gap in tool indexes, double what is repeated (role, id, name), and want every entry of a list
in a delta numbered. So: the role first and once, calls numbered in their order, sources all in one chunk.
The finish reason is held until the end is certain: an error after it would look like success.
"""

from __future__ import annotations

from collections.abc import Sequence as Several
from typing import Any, Final

from shunt.inference.content import Text, Thinking, ToolCall
from shunt.inference.events import (
    ArgumentsDelta,
    Event,
    Failed,
    Finished,
    PartFinished,
    PartStarted,
    Ping,
    RefusalDelta,
    Started,
    Stopped,
    TextDelta,
    ThinkingDelta,
)
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Stop
from shunt.inference.restoration import Restoration
from shunt.inference.sequence import Sequence
from shunt.protocols.openai_chat import answer_words as words
from shunt.protocols.openai_chat.errors import encode_stream_error
from shunt.protocols.openai_chat.reasoning import ReasoningWriter
from shunt.protocols.openai_chat.stops import FINISH
from shunt.wire import json, sse

_COMMENT: Final = sse.comment("keep-alive")
_DONE: Final = b"data: [DONE]\n\n"


class ChatStreamEncoder:
    """The stream for the client of one request."""

    def __init__(self, request: GenerateRequest, request_id: str) -> None:
        self._dropped: list[str] = []
        self.dropped: Several[str] = self._dropped
        self._request = request
        self._id = words.answer_id(request_id)
        self._restoration = Restoration(request)
        self._sequence = Sequence()
        self._form = words.CallForm(request)
        self._reasoning = ReasoningWriter()
        self._head = b""
        self._tail = b',"usage":null}\n\n' if request.include_usage else b"}\n\n"
        self._calls: dict[int, tuple[int, ToolCall]] = {}
        """Open calls by their part: ordinal, and the call as it began."""
        self._count = 0
        self._base = 0
        """Code points of the text parts that are complete."""
        self._annotations: list[dict[str, Any]] = []
        self._refused = False
        self._stopped: Stopped | None = None

    def feed(self, event: Event) -> bytes:
        """Bytes to send for one event."""
        if type(event) is TextDelta and event.index == self._sequence.live and event.text:
            return self._chunk(b'{"content":' + json.encode(event.text) + b"}")  # what most events are
        if isinstance(event, (Ping, Failed)):
            return _COMMENT if isinstance(event, Ping) else encode_stream_error(event.failure)
        return b"".join(
            self._told(ordered)
            for restored in self._restoration.events(event)
            for ordered in self._sequence.events(restored)
        )

    def _told(self, event: Event) -> bytes:
        told = b""
        match event:
            case TextDelta(text=text) if text:
                told = self._chunk(b'{"content":' + json.encode(text) + b"}")
            case ArgumentsDelta(text=text) if text:
                told = self._arguments(event)
            case ThinkingDelta(index=index, text=text) if text:
                told = self._delta({"reasoning_content": self._reasoning.words(index, text)})
            case RefusalDelta(text=text) if text:
                self._refused = True
                told = self._delta({"refusal": text})
            case PartStarted(index=index, part=ToolCall() as call):
                told = self._call(index, call)
            case PartFinished():
                told = self._finished(event)
            case Started():
                self._head = self._opened(event)
                told = self._delta({"role": "assistant", "content": ""})
            case Stopped():
                self._stopped = event
            case Finished() if self._stopped is not None:
                told = self._end(self._stopped)
            case _:  # seals come with their finished part; hosted tools are nobody's business here
                pass
        return told

    def _opened(self, started: Started) -> bytes:
        """What every chunk begins with."""
        fields = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": started.created,
            "model": self._request.model,
        }
        return b"data: " + json.encode(fields)[:-1] + b',"choices":[{"index":0,"delta":'

    def _chunk(self, delta: bytes, finish: bytes = b"null") -> bytes:
        return b"".join((self._head, delta, b',"finish_reason":', finish, b"}]", self._tail))

    def _delta(self, fields: dict[str, Any]) -> bytes:
        return self._chunk(json.encode(fields))

    def _call(self, index: int, call: ToolCall) -> bytes:
        ordinal = self._count
        self._count += 1
        self._calls[index] = ordinal, call
        if not self._form.legacy:
            return self._delta({"tool_calls": [{"index": ordinal, **self._form.fields(call, "")}]})
        if ordinal:
            self._dropped.append("tool_calls")  # there is room for one function call
            return b""
        return self._delta({"function_call": {"name": words.call_name(call), "arguments": ""}})

    def _arguments(self, event: ArgumentsDelta) -> bytes:
        ordinal, call = self._calls[event.index]
        shown = self._form.is_custom(call)
        if call.custom and not shown:
            return b""  # free text that has to be wrapped comes at its end
        return self._argument_delta(ordinal, event.text, custom=shown)

    def _argument_delta(self, ordinal: int, piece: str, *, custom: bool) -> bytes:
        if custom:
            return self._delta({"tool_calls": [{"index": ordinal, "custom": {"input": piece}}]})
        if not self._form.legacy:
            return self._delta({"tool_calls": [{"index": ordinal, "function": {"arguments": piece}}]})
        return b"" if ordinal else self._delta({"function_call": {"arguments": piece}})

    def _finished(self, event: PartFinished) -> bytes:
        match event.part:
            case Text() as text:
                self._annotations += words.url_citations(text, self._base)
                self._base += len(text.text)
                if words.has_other_sources(text.citations):
                    self._dropped.append("citations")
            case Thinking() as thinking if found := self._reasoning.detail(event.index, thinking):
                return self._delta({"reasoning_details": [found]})
            case ToolCall() as call:
                ordinal, _ = self._calls.pop(event.index)
                if call.custom and not self._form.is_custom(call):
                    return self._argument_delta(ordinal, self._form.arguments(call), custom=False)
            case _:
                pass
        return b""

    def _end(self, stopped: Stopped) -> bytes:
        finish = FINISH[stopped.stop]
        if stopped.stop is Stop.TOOL_USE and self._form.legacy and self._count:
            finish = "function_call"
        chunks = []
        if self._annotations:
            chunks.append(self._delta({"annotations": self._annotations}))
        if stopped.stop is Stop.REFUSAL and stopped.explanation and not self._refused:
            chunks.append(self._delta({"refusal": stopped.explanation}))
        if stopped.unknown_stop:
            self._dropped.append("stop_reason")
        chunks.append(self._chunk(b"{}", json.encode(finish)))
        if self._request.include_usage:
            usage = json.encode(words.usage_fields(stopped.usage))
            opening = self._head.removesuffix(b'{"index":0,"delta":')
            chunks.append(opening + b'],"usage":' + usage + b"}\n\n")
        chunks.append(_DONE)
        return b"".join(chunks)
