"""Events as a Responses stream that Codex and the SDKs' helpers accept, and as a plain answer.

Texts that follow each other are parts of one message; a text after anything else begins another. An item
is done when the next one begins, or at the end: only then is known whether it was cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from shunt.inference import envelope
from shunt.inference.content import (
    Foreign,
    HostedCall,
    HostedResult,
    Part,
    Refusal,
    Seal,
    SealForm,
    Text,
    Thinking,
    ToolCall,
)
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
from shunt.inference.names import distinct_id
from shunt.inference.replay import replay
from shunt.inference.request import GenerateRequest
from shunt.inference.response import Answer, Stop
from shunt.inference.restoration import Restoration
from shunt.protocols.codec import Encoded
from shunt.protocols.openai_responses import client_tools, response_object, search
from shunt.protocols.openai_responses.content import NAME
from shunt.protocols.openai_responses.event_writer import EventWriter
from shunt.protocols.openai_responses.keep_alive import keep_alive
from shunt.protocols.openai_responses.output_items import (
    REFUSAL,
    TEXT,
    CallItem,
    CustomCallItem,
    Item,
    MessageItem,
    OutputItem,
    ReasoningItem,
    SearchItem,
    WholeItem,
    Words,
)

_SEARCHES: Final = (search.WEB_SEARCH, search.WEB_FETCH)
Growing = Words | ReasoningItem | CallItem | SearchItem
AnyItem = TypeVar("AnyItem", bound=OutputItem)


class ResponsesStreamEncoder:
    """One answer; never raises on a legal sequence of events."""

    def __init__(self, request: GenerateRequest, request_id: str) -> None:
        self.dropped: Sequence[str] = ()
        self.response = response_object.answering(request, request_id, 0)
        """The response as far as it is known."""
        self._request = request
        self._base = response_object.base_of(request_id)
        self._restoration = Restoration(request)
        self._events = EventWriter()
        self._count = 0
        """Items so far."""
        self._live: list[OutputItem] = []
        """Items that are not done, in order."""
        self._output: dict[int, Item] = {}
        """Items that are done, by their place."""
        self._growing: dict[int, Growing] = {}
        """What an open part of the answer has become, by the part's index."""
        self._call_ids: dict[str, int] = {}
        self._refused = False
        self._pings = 0
        self._begun = self._over = False

    def feed(self, event: Event) -> bytes:
        """Bytes to send for one event."""
        if self._over:
            return b""
        if type(event) is TextDelta and event.text:  # what most events are
            words = self._growing.get(event.index)
            if isinstance(words, Words):
                words.grow(event.text)
                return self._events.take()
        for each in self._restoration.events(event):
            handler = _HANDLERS.get(type(each))
            if handler is not None:
                handler(self, each)
        return self._events.take()

    # ── Beginning and end ─────────────────────────────────────────────────────────────────────────

    def begin(self, event: Started) -> None:
        """The vendor accepted the request."""
        self.response["created_at"] = event.created
        self._begin()

    def _begin(self) -> None:
        self._begun = True
        for name in ("response.created", "response.in_progress"):
            self._events.write(name, {"response": self.response})

    def ping(self, _event: Ping) -> None:
        """The vendor lives. Helpers want a response created before anything that is an event."""
        self._events.write_raw(keep_alive(self._pings if self._begun else 0))
        self._pings += 1

    def stop(self, event: Stopped) -> None:
        """Nothing more comes: say why the model declined, and end what is open."""
        if event.stop is Stop.REFUSAL and event.explanation and not self._refused:
            words = self._open_words(REFUSAL)
            words.grow(event.explanation)
            words.finish(event.explanation)
        ending = response_object.ended(event.stop, event.usage, declined=event.declined)
        cut = ending["status"] == "incomplete"
        for item in self._live:
            self._end(item, "incomplete" if cut and item.index == self._count - 1 else "completed")
        self._live.clear()
        self.response |= ending
        if event.tier:
            self.response["service_tier"] = event.tier

    def finish(self, _event: Finished) -> None:
        """The terminal event repeats the whole answer."""
        self._over = True
        self.response["output"] = self._done()
        self._events.write(f"response.{self.response['status']}", {"response": self.response})

    def fail(self, event: Failed) -> None:
        """The terminal event of a broken answer. Items that are open stay open: they are not done."""
        if not self._begun:
            self._begin()
        self._over = True
        self.response |= response_object.failed(event.failure)
        self.response |= {"incomplete_details": None, "output": self._done()}
        self._events.write("response.failed", {"response": self.response})

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────

    def start_part(self, event: PartStarted) -> None:
        """Calls and searches are shown at once; words when there are some."""
        match event.part:
            case ToolCall() as call if not self._is_client_call(call):
                kind = CustomCallItem if call.custom else CallItem
                self._growing[event.index] = self._opened(
                    kind(*self._next(), self._own_id(call.id), call.name, call.namespace)
                )
            case HostedCall(kind=kind) as hosted if kind in _SEARCHES:
                self._growing[event.index] = self._opened(SearchItem(*self._next(), hosted))
            case _:
                pass

    def grow(self, event: TextDelta | RefusalDelta | ThinkingDelta | ArgumentsDelta) -> None:
        """More words or arguments. Empty pieces say nothing."""
        if not event.text:
            return
        growing = self._growing.get(event.index)
        if growing is None:
            if isinstance(event, ArgumentsDelta):
                return  # of a call that is shown when it is whole
            growing = self._growing[event.index] = self._open_for(event)
        if not isinstance(growing, SearchItem):
            growing.grow(event.text)

    def finish_part(self, event: PartFinished) -> None:
        """A part is complete."""
        part, growing = event.part, self._growing.pop(event.index, None)
        match part, growing:
            case Text(), Words():
                growing.finish(part.text, part.citations)
            case Refusal(), Words():
                growing.finish(part.text)
            case Thinking(), _:
                self._finish_thinking(part, growing)
            case ToolCall(), CallItem():
                growing.finish(part.arguments)
            case HostedCall(), SearchItem():
                growing.finish(part)
            case _:
                self._show_whole(part)

    def _finish_thinking(self, part: Thinking, growing: Growing | None) -> None:
        sealed = _kept(part.seal) if self._request.include_encrypted and part.seal is not None else ""
        if growing is None and sealed:
            growing = self._opened(ReasoningItem(*self._next()))
        if isinstance(growing, ReasoningItem):
            growing.finish(part.text, sealed)

    def _show_whole(self, part: Part) -> None:
        """A part that does not grow here: it is an item by itself, or cannot be said."""
        match part:
            case ToolCall(id=call_id, name=name, arguments=arguments):
                known = client_tools.called(name, self._request)
                if known is not None:
                    facts = client_tools.call_item(known, self._own_id(call_id), arguments)
                    self._opened(WholeItem(*self._next(), facts))
            case HostedResult(call_id=call_id):
                for item in self._live:
                    if isinstance(item, SearchItem) and item.call_id == call_id:
                        item.find(part)
            case Foreign(protocol=protocol, raw=raw) if protocol == NAME:
                self._opened(WholeItem(*self._next(), dict(raw)))
            case HostedCall(kind=kind) | Foreign(type=kind):
                self.dropped = (*self.dropped, kind)
            case _:  # words of which there are none
                pass

    def _open_for(self, event: TextDelta | RefusalDelta | ThinkingDelta) -> Growing:
        if isinstance(event, ThinkingDelta):
            return self._opened(ReasoningItem(*self._next()))
        return self._open_words(REFUSAL if isinstance(event, RefusalDelta) else TEXT)

    def _open_words(self, kind: str) -> Words:
        last = self._live[-1] if self._live else None
        if not isinstance(last, MessageItem) or last.index != self._count - 1:
            last = self._opened(MessageItem(*self._next()))
        self._refused = self._refused or kind == REFUSAL
        return last.open(kind)

    # ── Items ─────────────────────────────────────────────────────────────────────────────────────

    def _next(self) -> tuple[EventWriter, int, str]:
        """What the next item is made with; those before it that are finished are done now."""
        for item in [item for item in self._live if item.may_end()]:
            self._live.remove(item)
            self._end(item, "completed")
        self._count += 1
        return self._events, self._count - 1, self._base

    def _opened(self, item: AnyItem) -> AnyItem:
        self._live.append(item)
        return item

    def _end(self, item: OutputItem, status: str) -> None:
        self._output[item.index] = item.done(status)

    def _done(self) -> list[Item]:
        return [item for _, item in sorted(self._output.items())]

    def _is_client_call(self, call: ToolCall) -> bool:
        return not call.namespace and client_tools.called(call.name, self._request) is not None

    def _own_id(self, call_id: str) -> str:
        """The call's id, unless the vendor used it before: helpers take two of one id for one."""
        return distinct_id(call_id or f"call_{self._base}_{self._count}", self._call_ids)


_HANDLERS: Final[dict[type, Callable[[ResponsesStreamEncoder, Any], None]]] = {
    Started: ResponsesStreamEncoder.begin,
    PartStarted: ResponsesStreamEncoder.start_part,
    TextDelta: ResponsesStreamEncoder.grow,
    RefusalDelta: ResponsesStreamEncoder.grow,
    ThinkingDelta: ResponsesStreamEncoder.grow,
    ArgumentsDelta: ResponsesStreamEncoder.grow,
    PartFinished: ResponsesStreamEncoder.finish_part,
    Stopped: ResponsesStreamEncoder.stop,
    Finished: ResponsesStreamEncoder.finish,
    Failed: ResponsesStreamEncoder.fail,
    Ping: ResponsesStreamEncoder.ping,
}
"""Seals and citations are taken from the whole part."""


def _kept(seal: Seal) -> str:
    """A seal as the client is to keep it: one that says no origin came in this protocol's own field."""
    return envelope.wrap(seal) if seal.origin or seal.form is not SealForm.ENCRYPTED else seal.payload


def encode_answer(answer: Answer, request: GenerateRequest, request_id: str) -> Encoded:
    """A plain answer: what a stream of the same would end with."""
    encoder = ResponsesStreamEncoder(request, request_id)
    for event in replay(answer):
        encoder.feed(event)
    return Encoded(encoder.response, tuple(encoder.dropped))
