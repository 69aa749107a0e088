"""From what the program prints to the Messages stream that a client expects. Pure.

With `--include-partial-messages` the program prints the vendor's own stream events, one JSON line each;
they are passed on as they are. What differs: the prefix that tools have as an MCP server's is taken
off again, the program's tool for structured output becomes the text it stands for, and one client
request is answered by exactly one message, whatever the program would do next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from shunt.upstream.claude_code.plan import PREFIX, Block
from shunt.upstream.claude_code.textual_calls import Piece, TextualCalls
from shunt.wire import json, sse

STRUCTURED: Final = "StructuredOutput"
"""The program's tool that carries an answer with a schema."""
_INTERNAL: Final = ("parent_tool_use_id",)


@frozen
class Ended:
    """The program ended a turn without a message: it could not, or would not."""

    status: int
    """HTTP status the vendor gave; 0 when the program did not say."""
    kind: str
    """The program's word for the error, such as `rate_limit` or `authentication_failed`."""
    text: str
    """What it told the person."""


@define(eq=False)
class Narration:
    """One message of an answer, as it comes."""

    aliases: Mapping[str, str]
    """Tool name as the model uses it → the client's own."""
    started: bool = False
    finished: bool = False
    ended: Ended | None = None
    stop_reason: str = ""
    calls: list[str] = field(factory=list)
    """Ids of the calls that the program hands to us, in order."""
    strangers: bool = False
    """A tool was called that the client did not offer: the program answers that by itself."""
    content: list[Block] = field(factory=list)
    """What was said, as blocks, for the digest of the conversation."""
    characters: int = 0
    """Of text, thinking and arguments so far."""
    limits: list[Mapping[str, Any]] = field(factory=list)
    """`rate_limit_info` as told."""
    _index: int = 0
    """Of the next block the client sees."""
    _kinds: dict[int, str] = field(factory=dict)
    """What the program's open blocks are: `pass`, `text`, `schema`."""
    _places: dict[int, int] = field(factory=dict)
    """The program's index → the client's."""
    _finder: TextualCalls = field(init=False)
    _open_text: int | None = None
    _error: str = ""
    _structured: bool = False
    _textual: bool = False

    def __attrs_post_init__(self) -> None:
        self._finder = TextualCalls(frozenset(self.aliases.values()))

    def feed(self, message: Mapping[str, Any]) -> Iterator[bytes]:
        """Take one line of the program; yields events of the client's stream."""
        kind = message.get("type")
        if any(message.get(name) for name in _INTERNAL):
            return
        if kind == "stream_event" and not self.finished:
            event = message.get("event")
            if isinstance(event, dict):
                yield from self._event(event)
        elif kind == "rate_limit_event":
            info = message.get("rate_limit_info")
            if isinstance(info, dict):
                self.limits.append(info)
        elif kind == "assistant":
            self._error = str(message.get("error") or self._error)
            self._note_synthetic(message.get("message"))
        elif kind == "result" and not self.finished:
            self._result(message)

    def _note_synthetic(self, message: object) -> None:
        """Errors are told as a message of a model called `<synthetic>`."""
        if not isinstance(message, dict) or message.get("model") != "<synthetic>":
            return
        texts = [block.get("text", "") for block in message.get("content") or () if isinstance(block, dict)]
        self.ended = Ended(0, self._error, " ".join(texts))

    def _result(self, message: Mapping[str, Any]) -> None:
        status = message.get("api_error_status")
        text = message.get("result") or "; ".join(map(str, message.get("errors") or ()))
        before = self.ended
        self.ended = Ended(
            status if isinstance(status, int) else 0,
            (before.kind if before else "") or str(message.get("subtype") or ""),
            str(text or (before.text if before else "")),
        )

    # ── the message ───────────────────────────────────────────────────────────────────────────

    def _event(self, event: dict[str, Any]) -> Iterator[bytes]:
        kind = event.get("type")
        if kind == "message_start":
            if self.started:
                return  # the program asked again by itself
            self.started = True
            yield _written(event)
        elif not self.started:
            return
        elif kind == "content_block_start":
            yield from self._begin(event)
        elif kind == "content_block_delta":
            yield from self._delta(event)
        elif kind == "content_block_stop":
            yield from self._end(event)
        elif kind == "message_delta":
            yield from self._close_text()
            yield _written(self._with_stop(event))
        elif kind == "message_stop":
            self.finished = True
            yield _written(event)
        elif kind in ("ping", "error"):
            yield _written(event)

    def _begin(self, event: dict[str, Any]) -> Iterator[bytes]:
        index, block = event.get("index", 0), dict(event.get("content_block") or {})
        if block.get("type") == "text":
            self._kinds[index] = "text"
            if block.get("text"):
                yield from self._text(str(block["text"]))
            return
        yield from self._close_text()
        if block.get("type") == "tool_use":
            name = str(block.get("name"))
            if name == STRUCTURED:
                self._kinds[index], self._structured = "schema", True
                yield from self._open()
                return
            if name in self.aliases:
                self.calls.append(str(block.get("id")))
            else:
                self.strangers = True
            block["name"] = self.aliases.get(name, name.removeprefix(PREFIX))
        self._kinds[index], self._places[index] = "pass", self._index
        self._index += 1
        self.content.append(block)
        yield _written({**event, "index": self._places[index], "content_block": block})

    def _delta(self, event: dict[str, Any]) -> Iterator[bytes]:
        index, delta = event.get("index", 0), event.get("delta") or {}
        kind = self._kinds.get(index)
        said = delta.get("text") or delta.get("partial_json") or delta.get("thinking") or ""
        self.characters += len(said)
        if kind == "text" and delta.get("type") == "text_delta":
            yield from self._text(str(said))
        elif kind == "schema":
            self._say(str(said))
            yield _written(_delta_event(self._open_text, str(said)))
        elif kind == "pass":
            if delta.get("type") == "input_json_delta":
                block = self.content[self._places[index]]
                block["_json"] = block.get("_json", "") + str(said)
            yield _written({**event, "index": self._places[index]})
        elif kind == "text":  # citations
            yield from self._open()
            yield _written({**event, "index": self._open_text})

    def _end(self, event: dict[str, Any]) -> Iterator[bytes]:
        index = event.get("index", 0)
        kind = self._kinds.pop(index, None)
        if kind == "pass":
            block = self.content[self._places[index]]
            if (text := block.pop("_json", "")) and block.get("type") == "tool_use":
                block["input"] = json.value(text.encode()) if text.strip() else {}
            yield _written({**event, "index": self._places[index]})
        elif kind in ("text", "schema"):
            yield from self._pieces(self._finder.close())
            yield from self._close_text()

    def _with_stop(self, event: dict[str, Any]) -> dict[str, Any]:
        delta = dict(event.get("delta") or {})
        if self._structured and not self.calls:
            delta["stop_reason"] = "end_turn"
        if self._textual and delta.get("stop_reason") == "end_turn":
            delta["stop_reason"] = "tool_use"
        self.stop_reason = str(delta.get("stop_reason") or "")
        return {**event, "delta": delta}

    # ── text, and calls that a model wrote as text ────────────────────────────────────────────

    def _text(self, text: str) -> Iterator[bytes]:
        yield from self._pieces(self._finder.feed(text))

    def _pieces(self, pieces: Iterator[Piece]) -> Iterator[bytes]:
        for piece in pieces:
            if piece.name:
                yield from self._close_text()
                yield from self._written_call(piece)
            elif piece.text:
                yield from self._open()
                self._say(piece.text)
                yield _written(_delta_event(self._open_text, piece.text))

    def _written_call(self, piece: Piece) -> Iterator[bytes]:
        self._textual = True
        block = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
        place, self._index = self._index, self._index + 1
        self.content.append({**block, "input": dict(piece.input)})
        yield _written({"type": "content_block_start", "index": place, "content_block": block})
        partial = {"type": "input_json_delta", "partial_json": json.encode(dict(piece.input)).decode()}
        yield _written({"type": "content_block_delta", "index": place, "delta": partial})
        yield _written({"type": "content_block_stop", "index": place})

    def _say(self, text: str) -> None:
        self.content[-1]["text"] += text

    def _open(self) -> Iterator[bytes]:
        if self._open_text is not None:
            return
        self._open_text, self._index = self._index, self._index + 1
        self.content.append({"type": "text", "text": ""})
        empty = {"type": "text", "text": ""}
        yield _written({"type": "content_block_start", "index": self._open_text, "content_block": empty})

    def _close_text(self) -> Iterator[bytes]:
        if self._open_text is None:
            return
        yield _written({"type": "content_block_stop", "index": self._open_text})
        self._open_text = None


def _delta_event(index: int | None, text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


def _written(event: Mapping[str, Any]) -> bytes:
    return sse.encode(str(event.get("type")), json.encode(event))
