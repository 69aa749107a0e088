"""A Responses stream, from OpenAI, the ChatGPT backend or any server like them, as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from msgspec import Raw, Struct

from shunt.errors import Kind, UpstreamUnexpected
from shunt.inference.assembly import BROKEN_OFF, Assembly
from shunt.inference.collect import collect
from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.response import Answer, Stop
from shunt.inference.usage import Usage
from shunt.protocols.openai_errors import decode_error
from shunt.protocols.openai_responses import search
from shunt.protocols.openai_responses.input_items import ItemReader, reader_of
from shunt.protocols.openai_usage import read_usage
from shunt.wire import json

NAMELESS: Final = Failure(Kind.UPSTREAM, "The upstream sent a tool call without the tool's name.")
CANCELLED: Final = Failure(Kind.UPSTREAM, "The upstream cancelled its answer.")

_REASONS: Final = {
    "max_output_tokens": Stop.MAX_TOKENS,
    "content_filter": Stop.REFUSAL,
}
"""`incomplete_details.reason` → stop; the answer stays cut for any other."""

_COMPLETE: Final = frozenset({"completed", "incomplete"})

_SIGNS: Final = ("codex.", "keepalive", "ping")
"""Beginnings of events that only say that the vendor lives."""


class _Event(Struct):
    """The fields of all events that matter here; others stay unread."""

    type: str = ""
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    item_id: str | None = None
    delta: str | None = None
    text: str | None = None
    refusal: str | None = None
    input: str | None = None
    arguments: Raw = Raw()
    item: Raw = Raw()
    annotation: Raw = Raw()
    response: Raw = Raw()


class ResponsesStreamDecoder:
    """Takes one SSE event at a time; never raises.

    The end is the terminal event. What it repeats is used only for what had not come before.
    """

    def __init__(self) -> None:
        self._assembly = Assembly()
        self._items: dict[int, ItemReader] = {}
        """By output index."""
        self._places: dict[str, int] = {}
        """Id of an item → its place, for servers that leave the index out or use one twice."""
        self._shared: set[str] = set()
        """Ids that several items have: only the index tells those apart."""
        self._last = 0
        """Place of the item that the last event was about."""
        self._searches = 0
        self._nameless = False

    def feed(self, event: str, data: bytes) -> Sequence[Event]:
        """Take one event."""
        if self._assembly.over:
            return ()
        found = _read(data)
        if found is not None:
            self._take(found.type or event, found, data)
        return self._assembly.take()

    def close(self) -> Sequence[Event]:
        """The stream has ended."""
        self._assembly.fail(BROKEN_OFF)
        return self._assembly.take()

    def take_response(self, response: Mapping[str, Any]) -> Sequence[Event]:
        """A whole answer, which is what a stream ends with."""
        self._begin(response)
        self._end(response, "")
        return self._assembly.take()

    def _take(self, name: str, event: _Event, data: bytes) -> None:
        handler = _HANDLERS.get(name)
        if handler is not None:
            handler(self, event)
        elif name == "error" or (not name and _is_error(data)):
            self._assembly.fail(_told_failure(data))
        elif name.startswith(_SIGNS):
            self._assembly.ping()

    # ── The response ──────────────────────────────────────────────────────────────────────────────

    def created(self, event: _Event) -> None:
        """The vendor accepted the request."""
        response = json.value(event.response)
        self._begin(response if isinstance(response, dict) else {})

    def waiting(self, _event: _Event) -> None:
        """It is still there."""
        self._assembly.ping()

    def failed(self, event: _Event) -> None:
        """It gave up, and says why."""
        response = json.value(event.response)
        error = response.get("error") if isinstance(response, dict) else None
        self._assembly.fail(_failure(error) if error else CANCELLED)

    def completed(self, event: _Event) -> None:
        """The end. An answer without its response object is no answer."""
        response = json.value(event.response)
        if isinstance(response, dict):
            self._begin(response)
            self._end(response, event.type)
        else:
            self._assembly.fail(BROKEN_OFF)

    def _begin(self, response: Mapping[str, Any]) -> None:
        answer_id, model = response.get("id"), response.get("model")
        self._assembly.begin(
            answer_id if isinstance(answer_id, str) else "",
            model if isinstance(model, str) else "",
            created=json.count(response.get("created_at")) or 0,
        )

    def _end(self, response: Mapping[str, Any], name: str) -> None:
        """Take what is new in the whole response, and close the answer."""
        told = name.rpartition(".")[2]
        status = told if told in _COMPLETE else str(response.get("status") or "completed")
        if response.get("error") or status == "failed":
            error = response.get("error")
            self._assembly.fail(_failure(error) if error else CANCELLED)
            return
        if status not in _COMPLETE:
            self._assembly.fail(CANCELLED if status == "cancelled" else BROKEN_OFF)
            return
        self._take_output(response.get("output"))
        stop, unknown = _stop(response) if status == "incomplete" else (Stop.END_TURN, "")
        if self._nameless and stop is not Stop.MAX_TOKENS:
            self._assembly.fail(NAMELESS)
            return
        tier = response.get("service_tier")
        tier = tier if isinstance(tier, str) else ""
        self._assembly.stop(stop, self._usage(response), unknown_stop=unknown, tier=tier)
        self._assembly.finish()

    def _take_output(self, output: Any) -> None:
        """Finish the items that were not: by their ids, else in the order in which they came."""
        came = sorted(self._items)
        for number, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                place = came[number] if number < len(came) else max(self._items, default=-1) + 1
                item_id = str(item.get("id"))
                known = None if item_id in self._shared else self._places.get(item_id)
                self._finish_item(place if known is None else known, item)

    def _usage(self, response: Mapping[str, Any]) -> Usage:
        read = read_usage(response.get("usage"))
        tools = response.get("tool_usage")
        counted = tools.get("web_search") if isinstance(tools, dict) else None
        searches = json.count(counted.get("num_requests")) if isinstance(counted, dict) else None
        return Usage(
            read.input,
            read.cache_read,
            read.cache_write_5m,
            read.cache_write_1h,
            read.output,
            read.reasoning,
            self._searches if searches is None else searches,
        )

    # ── Items ─────────────────────────────────────────────────────────────────────────────────────

    def item_added(self, event: _Event) -> None:
        """An item begins."""
        item = json.value(event.item)
        if isinstance(item, dict):
            place = self._new_place(event.output_index, item.get("id"))
            reader = self._items.get(place) or self._reader(place, str(item.get("type")))
            reader.add(item)

    def item_done(self, event: _Event) -> None:
        """An item is whole."""
        item = json.value(event.item)
        if not isinstance(item, dict):
            return
        item_id, place = item.get("id"), self._place(event.output_index, item.get("id"))
        reader = self._items.get(place)
        if reader is not None and reader.done and item_id not in self._places:
            place = self._new_place(event.output_index, item_id)
        self._finish_item(place, item)

    def part_done(self, event: _Event) -> None:
        """A content part is complete; its words came before."""
        if (
            item := self._items.get(self._place(event.output_index, event.item_id))
        ) is not None and not item.done:
            item.end_part(event.content_index or 0)

    def cited(self, event: _Event) -> None:
        """A source for words that came before."""
        if (
            item := self._items.get(self._place(event.output_index, event.item_id))
        ) is not None and not item.done:
            item.cite(json.value(event.annotation), event.content_index or 0)

    def _finish_item(self, place: int, item: dict[str, Any]) -> None:
        kind = str(item.get("type"))
        reader = self._items.get(place) or self._reader(place, kind)
        if reader.done:
            return
        reader.done = True
        self._searches += search.is_search(item)
        if kind.endswith("tool_call") or kind == "function_call":
            self._nameless |= not item.get("name")
        reader.finish(item)

    def _grow(self, event: _Event, form: _Form) -> None:
        if event.delta and (item := self._open_item(event, form)) is not None:
            item.grow(event.delta, self._number(event, form), form.kind)

    def _fill(self, event: _Event, form: _Form) -> None:
        if (item := self._open_item(event, form)) is not None:
            given = getattr(event, form.field)
            words = json.value(given) if isinstance(given, Raw) else given
            item.fill(words, self._number(event, form), form.kind)

    def _open_item(self, event: _Event, form: _Form) -> ItemReader | None:
        place = self._place(event.output_index, event.item_id)
        item = self._items.get(place) or self._reader(place, form.item)
        return None if item.done else item

    def _number(self, event: _Event, form: _Form) -> int:
        return (event.summary_index if form.kind == "summary" else event.content_index) or 0

    def _reader(self, place: int, kind: str) -> ItemReader:
        self._assembly.begin()
        reader = self._items[place] = reader_of(kind, self._assembly)
        return reader

    def _place(self, index: int | None, item_id: Any) -> int:
        """Where the item is that an event is about: by its id, its index, or because it was the last."""
        known = None
        if isinstance(item_id, str):
            shared = item_id in self._shared and index in self._items
            known = index if shared else self._places.get(item_id)
        place = known if known is not None else index if index is not None else self._last
        self._last = place
        return place

    def _new_place(self, index: int | None, item_id: Any) -> int:
        """Where an item goes that is announced: not where another is."""
        named = isinstance(item_id, str) and bool(item_id)
        place = self._places.get(item_id) if named else None
        if place is not None and index is not None and index != place and index not in self._items:
            self._shared.add(item_id)
            place = None
        if place is None:
            place = index
            others = named and index in self._places.values()
            if place is None or others or (place in self._items and self._items[place].done):
                place = max(self._items, default=-1) + 1
        if named:
            self._places[item_id] = place
        self._last = place
        return place


@frozen
class _Form:
    """What a pair of events, `….delta` and `….done`, speaks of."""

    item: str
    """Type of the item, should it not have been announced."""
    kind: str
    """Which of its contents."""
    field: str
    """Where the closing event has all of it."""


_FORMS: Final = {
    "response.output_text": _Form("message", "output_text", "text"),
    "response.refusal": _Form("message", "refusal", "refusal"),
    "response.reasoning_summary_text": _Form("reasoning", "summary", "text"),
    "response.reasoning_summary": _Form("reasoning", "summary", "text"),
    "response.reasoning_text": _Form("reasoning", "words", "text"),
    "response.reasoning": _Form("reasoning", "words", "text"),
    "response.function_call_arguments": _Form("function_call", "", "arguments"),
    "response.custom_tool_call_input": _Form("custom_tool_call", "", "input"),
}

Handler = Callable[[ResponsesStreamDecoder, _Event], None]


def _growing(form: _Form) -> Handler:
    return lambda decoder, event: decoder._grow(event, form)  # noqa: SLF001 - its own table


def _filling(form: _Form) -> Handler:
    return lambda decoder, event: decoder._fill(event, form)  # noqa: SLF001 - its own table


_HANDLERS: Final[dict[str, Handler]] = {
    "response.created": ResponsesStreamDecoder.created,
    "response.in_progress": ResponsesStreamDecoder.waiting,
    "response.queued": ResponsesStreamDecoder.waiting,
    "response.output_item.added": ResponsesStreamDecoder.item_added,
    "response.output_item.done": ResponsesStreamDecoder.item_done,
    "response.content_part.done": ResponsesStreamDecoder.part_done,
    "response.output_text.annotation.added": ResponsesStreamDecoder.cited,
    "response.completed": ResponsesStreamDecoder.completed,
    "response.incomplete": ResponsesStreamDecoder.completed,
    "response.done": ResponsesStreamDecoder.completed,
    "response.failed": ResponsesStreamDecoder.failed,
    "response.cancelled": ResponsesStreamDecoder.failed,
    **{f"{stem}.delta": _growing(form) for stem, form in _FORMS.items()},
    **{f"{stem}.done": _filling(form) for stem, form in _FORMS.items()},
}
"""All other events are ignored: what they tell comes again, whole, with the item."""


def decode_answer(document: Mapping[str, Any]) -> Answer:
    """Read a plain answer. Raises UpstreamUnexpected when it is none."""
    if not isinstance(document.get("output"), list) and document.get("status") is None:
        raise UpstreamUnexpected("The upstream's answer is no response.")
    result = collect(ResponsesStreamDecoder().take_response(document))
    if isinstance(result, Failure):
        raise UpstreamUnexpected(result.message)
    return result


def _read(data: bytes) -> _Event | None:
    """An event's fields; None for what is no event. A field of an odd type counts as missing."""
    found = json.peek(data, _Event)
    if found is not None:
        return found
    document = json.value(data)
    if not isinstance(document, dict):
        return None
    event = _Event()
    for name, kind in _TYPES.items():
        value = document.get(name)
        if isinstance(value, kind) and not isinstance(value, bool):
            setattr(event, name, value)
    for name in ("arguments", "item", "annotation", "response"):
        if document.get(name) is not None:
            setattr(event, name, Raw(json.encode(document[name])))
    return event


_TYPES: Final[dict[str, type]] = {
    "type": str,
    "output_index": int,
    "content_index": int,
    "summary_index": int,
    "item_id": str,
    "delta": str,
    "text": str,
    "refusal": str,
    "input": str,
}


def _failure(error: Any) -> Failure:
    return decode_error(200, (), json.encode({"error": error}))


def _told_failure(data: bytes) -> Failure:
    """The failure of an error event; some say which status they would have been."""
    document = json.value(data)
    status = json.count(document.get("status")) if isinstance(document, dict) else None
    return decode_error(status if status is not None and 400 <= status < 600 else 200, (), data)


def _is_error(data: bytes) -> bool:
    document = json.value(data)
    return isinstance(document, dict) and bool(document.get("error") or document.get("detail"))


def _stop(response: Mapping[str, Any]) -> tuple[Stop, str]:
    """Why an answer is incomplete, and the reason itself when it is none we know."""
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if not isinstance(reason, str) or reason in _REASONS:
        return _REASONS.get(str(reason), Stop.MAX_TOKENS), ""
    return Stop.MAX_TOKENS, reason
