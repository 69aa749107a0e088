"""Items of an answer as they are streamed: each is added, grows, and is done.

Clients' stream helpers fail on anything that is out of order, so every item keeps its own: whatever it is
told, its events come as `added`, the parts and deltas between, and `done` with the whole item.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Final

from shunt.inference.content import Citation, HostedCall, HostedResult
from shunt.protocols.openai_responses import search
from shunt.protocols.openai_responses.content import write_annotation
from shunt.protocols.openai_responses.event_writer import EventWriter, delta_head

Item = dict[str, Any]

TEXT: Final = "output_text"
REFUSAL: Final = "refusal"
IN_PROGRESS: Final = "in_progress"


class OutputItem(ABC):
    """One item; `index` is its place in the output."""

    PREFIX: ClassVar[str]
    """What the ids of such items begin with."""

    def __init__(self, events: EventWriter, index: int, base: str) -> None:
        self.index = index
        self.id = f"{self.PREFIX}_{base}_{index}"
        self.events = events
        self.place = {"item_id": self.id, "output_index": index}
        self.finished = False
        """Whether nothing more can come for it, as far as the item itself knows."""

    def may_end(self) -> bool:
        """Whether the item can be done now."""
        return self.finished

    @abstractmethod
    def whole(self, status: str, /) -> Item:
        """The item as it is now; after `finished`, all of it."""

    def add(self) -> None:
        """Announce the item."""
        self.events.write(
            "response.output_item.added", {"output_index": self.index, "item": self.whole(IN_PROGRESS)}
        )

    def done(self, status: str) -> Item:
        """End the item and return it."""
        item = self.whole(status)
        self.events.write("response.output_item.done", {"output_index": self.index, "item": item})
        return item


class Words:
    """A content part of a message: text, or a refusal."""

    def __init__(self, events: EventWriter, place: dict[str, Any], number: int, kind: str) -> None:
        self.part: Item = _words(kind, "", [])
        self.finished = False
        self._events, self._kind = events, kind
        self._place = {**place, "content_index": number}
        extra: dict[str, Any] = {"logprobs": []} if kind == TEXT else {}
        self._head = delta_head(f"response.{kind}.delta", {**self._place, **extra})
        events.write("response.content_part.added", {**self._place, "part": self.part})

    def grow(self, words: str) -> None:
        """More words."""
        self._events.delta(self._head, words)

    def finish(self, words: str, citations: Iterable[Citation] = ()) -> None:
        """The part is complete, and these are all of its words."""
        found = (write_annotation(citation, len(words)) for citation in citations)
        annotations = [annotation for annotation in found if annotation is not None]
        for number, annotation in enumerate(annotations):
            self._events.write(
                "response.output_text.annotation.added",
                {**self._place, "annotation_index": number, "annotation": annotation},
            )
        self.part = _words(self._kind, words, annotations)
        said = {"text": words, "logprobs": []} if self._kind == TEXT else {"refusal": words}
        self._events.write(f"response.{self._kind}.done", {**self._place, **said})
        self._events.write("response.content_part.done", {**self._place, "part": self.part})
        self.finished = True


class MessageItem(OutputItem):
    """What the model says."""

    PREFIX = "msg"

    def __init__(self, events: EventWriter, index: int, base: str) -> None:
        super().__init__(events, index, base)
        self._parts: list[Words] = []
        self.add()

    def may_end(self) -> bool:
        """Whether all of its parts are complete."""
        return all(part.finished for part in self._parts)

    def open(self, kind: str) -> Words:
        """Begin another content part."""
        part = Words(self.events, self.place, len(self._parts), kind)
        self._parts.append(part)
        return part

    def whole(self, status: str, /) -> Item:
        """The item as it is now."""
        content = [part.part for part in self._parts]
        return {"type": "message", "id": self.id, "status": status, "role": "assistant", "content": content}


class ReasoningItem(OutputItem):
    """What the model thought, as a summary of one part."""

    PREFIX = "rs"

    def __init__(self, events: EventWriter, index: int, base: str) -> None:
        super().__init__(events, index, base)
        self._summary: list[Item] = []
        self._encrypted = ""
        self._place = {**self.place, "summary_index": 0}
        self._head = b""
        self.add()

    def grow(self, words: str) -> None:
        """More words."""
        if not self._head:
            self._head = delta_head("response.reasoning_summary_text.delta", self._place)
            self.events.write("response.reasoning_summary_part.added", {**self._place, "part": _summary("")})
        self.events.delta(self._head, words)

    def finish(self, words: str, encrypted: str) -> None:
        """All the words there were, and the proof of them that the client is to keep."""
        if self._head:
            part = _summary(words)
            self.events.write("response.reasoning_summary_text.done", {**self._place, "text": words})
            self.events.write("response.reasoning_summary_part.done", {**self._place, "part": part})
            self._summary = [part]
        self._encrypted = encrypted
        self.finished = True

    def whole(self, _status: str, /) -> Item:
        """The item as it is now."""
        item = {"type": "reasoning", "id": self.id, "summary": self._summary}
        return item | ({"encrypted_content": self._encrypted} if self._encrypted else {})


class CallItem(OutputItem):
    """A call of a function, with JSON arguments."""

    PREFIX = "fc"
    TYPE: ClassVar[str] = "function_call"
    FIELD: ClassVar[str] = "arguments"
    STEM: ClassVar[str] = "response.function_call_arguments"

    def __init__(
        self, events: EventWriter, index: int, base: str, call_id: str, name: str, namespace: str
    ) -> None:
        super().__init__(events, index, base)
        self._facts: Item = {"call_id": call_id, "name": name}
        if namespace:
            self._facts["namespace"] = namespace
        self._arguments = ""
        self._head = delta_head(f"{self.STEM}.delta", self.place)
        self.add()

    def grow(self, piece: str) -> None:
        """More of the arguments."""
        self.events.delta(self._head, piece)

    def finish(self, arguments: str) -> None:
        """All of the arguments."""
        self._arguments = arguments
        self.events.write(f"{self.STEM}.done", {**self.place, self.FIELD: arguments})
        self.finished = True

    def whole(self, status: str, /) -> Item:
        """The item as it is now."""
        return {
            "type": self.TYPE,
            "id": self.id,
            "status": status,
            **self._facts,
            self.FIELD: self._arguments,
        }


class CustomCallItem(CallItem):
    """A call of a custom tool, with free text."""

    PREFIX = "ctc"
    TYPE = "custom_tool_call"
    FIELD = "input"
    STEM = "response.custom_tool_call_input"


class SearchItem(OutputItem):
    """A search that the vendor makes."""

    PREFIX = "ws"

    def __init__(self, events: EventWriter, index: int, base: str, call: HostedCall) -> None:
        super().__init__(events, index, base)
        self.call_id = call.id
        self._call = call
        self._result: HostedResult | None = None
        self.add()
        for stage in (IN_PROGRESS, "searching"):
            events.write(f"response.{search.CALL}.{stage}", self.place)

    def finish(self, call: HostedCall) -> None:
        """What was searched for."""
        self._call = call
        self.finished = True

    def find(self, result: HostedResult) -> None:
        """What was found."""
        self._result = result

    def done(self, status: str) -> Item:
        """End the item and return it."""
        self.events.write(f"response.{search.CALL}.completed", self.place)
        return super().done(status)

    def whole(self, status: str, /) -> Item:
        """The item as it is now."""
        return search.write_call(self._call, self.id, status, self._result)


class WholeItem(OutputItem):
    """An item without anything between its beginning and its end."""

    PREFIX = "item"

    def __init__(self, events: EventWriter, index: int, base: str, facts: Item) -> None:
        super().__init__(events, index, base)
        self._facts = facts
        self.finished = True
        self.add()

    def whole(self, status: str, /) -> Item:
        """The item."""
        item = {"id": self.id, **self._facts}
        return item | ({"status": status} if "status" in item else {})


def _words(kind: str, words: str, annotations: list[Item]) -> Item:
    if kind == REFUSAL:
        return {"type": REFUSAL, "refusal": words}
    return {"type": TEXT, "text": words, "annotations": annotations, "logprobs": []}


def _summary(words: str) -> Item:
    return {"type": "summary_text", "text": words}
