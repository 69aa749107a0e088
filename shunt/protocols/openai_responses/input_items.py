"""Items of a vendor's answer as they arrive: each tells the Assembly what is new in it.

What deltas left out is taken from the events and items that repeat the whole, and only what is missing of
it: some servers send no deltas, some no closing events, and the ChatGPT backend an empty list at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from shunt.inference.arguments import as_text
from shunt.inference.assembly import Assembly
from shunt.inference.content import Foreign, Refusal, Seal, SealForm, Text, Thinking, ToolCall
from shunt.protocols.openai_responses import item_words, search
from shunt.protocols.openai_responses.content import NAME, citations_of, read_citation

Raw = Mapping[str, Any]

BETWEEN: Final = "\n\n"
"""Between the parts of a summary."""


class ItemReader:
    """One item; this one is told when it is whole, being of a kind that only this protocol has."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.done = False

    def add(self, item: Raw, /) -> None:
        """The item was announced."""

    def grow(self, words: str, part: int, kind: str, /) -> None:
        """More of its content part, or of its arguments."""

    def fill(self, words: Any, part: int, kind: str, /) -> None:
        """All of a content part, or of the arguments."""

    def cite(self, annotation: Any, part: int, /) -> None:
        """A source for words of a content part."""

    def end_part(self, part: int, /) -> None:
        """A content part is complete."""

    def finish(self, item: Raw, /) -> None:
        """The whole item. Called once."""
        kind = _text(item, "type") or "item"
        self.assembly.add(Foreign(NAME, kind, item, item_words.told(item, kind)))


class MessageReader(ItemReader):
    """Texts and refusals."""

    KINDS: ClassVar[Mapping[str, type[Text | Refusal]]] = {
        "output_text": Text,
        "text": Text,
        "refusal": Refusal,
    }

    def __init__(self, assembly: Assembly) -> None:
        super().__init__(assembly)
        self._parts: dict[int, int] = {}
        """Number of the content part → index of the part it has become."""
        self._cited: dict[int, int] = {}
        self._ended: set[int] = set()

    def grow(self, words: str, part: int, kind: str, /) -> None:
        """More words of a content part."""
        if not words or part in self._ended:
            return
        if part not in self._parts:
            self._parts[part] = self.assembly.open(Refusal("") if kind == "refusal" else Text(""))
        self.assembly.grow(self._parts[part], words)

    def fill(self, words: Any, part: int, kind: str, /) -> None:
        """All words of a content part."""
        if isinstance(words, str) and part not in self._ended:
            held = self.assembly.held(self._parts[part]) if part in self._parts else ""
            if words.startswith(held):
                self.grow(words[len(held) :], part, kind)

    def cite(self, annotation: Any, part: int, /) -> None:
        """A source for words of a content part."""
        citation = read_citation(annotation)
        if citation is not None and part in self._parts:
            self._cited[part] = self._cited.get(part, 0) + 1
            self.assembly.cite(self._parts[part], citation)

    def end_part(self, part: int, /) -> None:
        """A content part is complete."""
        if part in self._parts and part not in self._ended:
            self.assembly.close(self._parts[part])
        self._ended.add(part)

    def finish(self, item: Raw, /) -> None:
        """The whole message."""
        content = item.get("content")
        for number, part in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(part, dict) or number in self._ended:
                continue
            kind = str(part.get("type"))
            self.fill(part.get("refusal" if kind == "refusal" else "text"), number, kind)
            for citation in citations_of(part.get("annotations"))[self._cited.get(number, 0) :]:
                if number in self._parts:
                    self.assembly.cite(self._parts[number], citation)
        for number in tuple(self._parts):
            self.end_part(number)


class ReasoningReader(ItemReader):
    """Reasoning: a summary in parts, or the words themselves; servers that send both say it twice."""

    def __init__(self, assembly: Assembly) -> None:
        super().__init__(assembly)
        self._index = -1
        self._kind = ""
        self._words: dict[int, int] = {}
        """Number of the part → how many of its characters were told."""

    def grow(self, words: str, part: int, kind: str, /) -> None:
        """More words of a summary part, or of the reasoning."""
        if not words or kind != (self._kind or kind):
            return
        if self._index < 0:
            self._kind = kind
            self._index = self.assembly.open(Thinking(summary=kind == "summary"))
        elif part not in self._words:
            self.assembly.grow(self._index, BETWEEN)
        self._words[part] = self._words.get(part, 0) + len(words)
        self.assembly.grow(self._index, words)

    def fill(self, words: Any, part: int, kind: str, /) -> None:
        """All words of a part: what is missing can be told only while no later part has begun."""
        if isinstance(words, str) and part >= max(self._words, default=0):
            self.grow(words[self._words.get(part, 0) :], part, kind)

    def finish(self, item: Raw, /) -> None:
        """The whole item, with the seal."""
        for kind, field in (("summary", "summary"), ("words", "content")):
            parts = item.get(field)
            for number, part in enumerate(parts if isinstance(parts, list) else ()):
                self.fill(part.get("text") if isinstance(part, dict) else part, number, kind)
        sealed = item.get("encrypted_content")
        if isinstance(sealed, str) and sealed:
            if self._index < 0:
                self._index = self.assembly.open(Thinking())
            self.assembly.seal(self._index, Seal("", SealForm.ENCRYPTED, sealed))
        self.assembly.close(self._index)


class CallReader(ItemReader):
    """A call of a function or custom tool. It is opened when its id and name are known."""

    def __init__(self, assembly: Assembly, *, custom: bool) -> None:
        super().__init__(assembly)
        self._custom = custom
        self._index = -1
        self._kept = ""

    def add(self, item: Raw, /) -> None:
        """The item was announced; arguments in it are repeated by what follows."""
        call_id = _text(item, "call_id") or _text(item, "id")
        name = _text(item, "name")
        if self._index < 0 and call_id and name:
            call = ToolCall(call_id, name, self._kept, self._custom, _text(item, "namespace"))
            self._index = self.assembly.open(call)

    def grow(self, words: str, _part: int, _kind: str, /) -> None:
        """More of the arguments."""
        if self._index < 0:
            self._kept += words
        else:
            self.assembly.grow(self._index, words)

    def fill(self, words: Any, part: int, kind: str, /) -> None:
        """All of the arguments."""
        whole = words if isinstance(words, str) else as_text(words) if words else ""
        held = self.assembly.held(self._index) if self._index >= 0 else self._kept
        if whole.startswith(held):
            self.grow(whole[len(held) :], part, kind)

    def finish(self, item: Raw, /) -> None:
        """The whole call."""
        self.add(item)
        self.fill(item.get("input" if self._custom else "arguments"), 0, "")
        self.assembly.close(self._index)


class SearchReader(ItemReader):
    """A search by the vendor: a call and what it found."""

    def __init__(self, assembly: Assembly) -> None:
        super().__init__(assembly)
        self._index = -1

    def add(self, item: Raw, /) -> None:
        """The vendor begins to search."""
        if self._index < 0:
            self._index = self.assembly.open(search.read_call(item))

    def finish(self, item: Raw, /) -> None:
        """The search is over."""
        self.add(item)
        call = search.read_call(item)
        self.assembly.close(self._index, call)
        self.assembly.add(search.read_result(item, call))


def reader_of(kind: str, assembly: Assembly) -> ItemReader:
    """The reader for an item of this type."""
    match kind:
        case "message":
            return MessageReader(assembly)
        case "reasoning":
            return ReasoningReader(assembly)
        case "function_call":
            return CallReader(assembly, custom=False)
        case "custom_tool_call":
            return CallReader(assembly, custom=True)
        case search.CALL:
            return SearchReader(assembly)
        case _:
            return ItemReader(assembly)


def _text(item: Raw, name: str) -> str:
    found = item.get(name)
    return found if isinstance(found, str) else ""
