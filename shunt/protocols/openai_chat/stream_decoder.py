"""A Chat Completions stream, from OpenAI or any server like it, as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shunt.errors import Kind
from shunt.inference.assembly import BROKEN_OFF, Assembly
from shunt.inference.content import Citation, Refusal, Text, Thinking
from shunt.inference.events import Event
from shunt.inference.failure import Failure
from shunt.inference.usage import Usage
from shunt.protocols.openai_chat import stops
from shunt.protocols.openai_chat.calls import Calls
from shunt.protocols.openai_chat.reasoning import ReasoningReader, carries
from shunt.protocols.openai_errors import decode_error
from shunt.protocols.openai_usage import read_usage
from shunt.wire import json

GIVEN_UP: Final = Failure(Kind.UPSTREAM, "The upstream gave up in the middle of its answer.")
NAMELESS: Final = Failure(Kind.UPSTREAM, "The upstream sent a tool call without the tool's name.")


class ChatStreamDecoder:
    """Takes one SSE event at a time; never raises.

    The end is `[DONE]`, or the end of the bytes after a finish reason. What a server says between its
    finish reason and its end is looked at for usage and errors only.
    """

    def __init__(self, *, whole: bool = False) -> None:
        """With `whole` it is given a plain answer, in which nothing is cut up."""
        self._whole = whole
        self._assembly = Assembly()
        self._calls = Calls(self._assembly, self._prepare_call)
        self._reasoning = ReasoningReader()
        self._text = self._thinking = self._refusal = -1
        self._told = 0
        """Characters of text so far."""
        self._before = 0
        """Characters of the text parts before the open one."""
        self._citations: list[Citation] = []
        self._usage = Usage()
        self._finish = ""
        self._tier = ""

    def feed(self, event: str, data: bytes) -> Sequence[Event]:
        """Take one event."""
        if self._assembly.over:
            return ()
        chunk = json.value(data)
        if isinstance(chunk, list) and chunk:
            chunk = chunk[0]  # Gemini's endpoint wraps its errors so
        if not isinstance(chunk, dict):
            if data.strip() == b"[DONE]":
                self._end()
        elif _is_error(event, chunk):
            self._assembly.fail(decode_error(200, (), data))
        else:
            self.take(chunk)
        return self._assembly.take()

    def close(self) -> Sequence[Event]:
        """The stream has ended."""
        if self._finish:
            self._end()
        else:
            self._assembly.fail(BROKEN_OFF)
        return self._assembly.take()

    def take(self, chunk: dict[str, Any]) -> None:
        """Take one chunk, or a whole answer, which differs only in a name."""
        if usage := chunk.get("usage"):
            self._count(usage)
        choice = _first_choice(chunk.get("choices"))
        if choice is None:
            if isinstance(groq := chunk.get("x_groq"), dict):
                self._count(groq.get("usage"))
            return
        if not self._assembly.begun:
            self._begin(chunk)
        if usage := choice.get("usage"):
            self._count(usage)
        if isinstance(tier := chunk.get("service_tier"), str):
            self._tier = tier
        if self._finish:
            return
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            self._grow(delta)
        if isinstance(finish := choice.get("finish_reason"), str) and finish:
            self._finish = finish

    def _begin(self, chunk: dict[str, Any]) -> None:
        answer_id, model = chunk.get("id"), chunk.get("model")
        created = json.count(chunk.get("created")) or 0
        self._assembly.begin(
            answer_id if isinstance(answer_id, str) else "",
            model if isinstance(model, str) else "",
            created=created,
        )
        self._calls.seed = f"{answer_id}|{created}"

    def _count(self, usage: Any) -> None:
        if (read := read_usage(usage)) != Usage():
            self._usage = read

    def _grow(self, delta: dict[str, Any]) -> None:
        if len(delta) == 1 and isinstance(
            delta.get("content"), str
        ):  # nearly every delta is no more than that
            if delta["content"]:
                self._say(delta["content"])
            return
        if carries(delta):
            self._think(self._reasoning.words(delta))
        if content := delta.get("content"):
            self._say(content)
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._refuse(refusal)
        if isinstance(entries := delta.get("tool_calls"), list):
            for entry in entries:
                self._calls.take(entry, alone=self._whole)
        if call := delta.get("function_call"):
            self._calls.take_legacy(call)
        if annotations := delta.get("annotations"):
            self._cite(annotations)

    def _think(self, words: str) -> None:
        if not words:
            return
        if self._thinking < 0:
            self._close_words()
            self._calls.settle()
            self._thinking = self._assembly.open(Thinking())
        self._assembly.grow(self._thinking, words)

    def _say(self, content: Any) -> None:
        """The content: a string, or parts as some servers write them even in answers."""
        if isinstance(content, str):
            if self._text < 0:
                self._close_words()
                self._calls.settle()
                self._before = self._told
                self._text = self._assembly.open(Text(""))
                self._show_citations()
            self._told += len(content)
            self._assembly.grow(self._text, content)
        elif isinstance(content, list):
            for part in content:
                self._say_part(part)

    def _say_part(self, part: Any) -> None:
        if isinstance(part, str) and part:
            self._say(part)
        elif isinstance(part, dict):
            if isinstance(text := part.get("text"), str) and text:
                self._say(text)
            elif thinking := part.get("thinking"):  # Mistral's: words, or parts with words in them
                pieces = thinking if isinstance(thinking, list) else [thinking]
                for piece in pieces:
                    words = piece.get("text") if isinstance(piece, dict) else piece
                    self._think(words if isinstance(words, str) else "")

    def _refuse(self, words: str) -> None:
        if self._refusal < 0:
            self._close_words()
            self._refusal = self._assembly.open(Refusal(""))
        self._assembly.grow(self._refusal, words)

    def _cite(self, annotations: Any) -> None:
        for annotation in annotations if isinstance(annotations, list) else ():
            if isinstance(annotation, dict) and annotation.get("type") == "url_citation":
                facts = annotation.get("url_citation")
                facts = facts if isinstance(facts, dict) else annotation
                if isinstance(url := facts.get("url"), str):
                    title = facts.get("title")
                    citation = Citation(
                        url=url,
                        title=title if isinstance(title, str) else "",
                        start=json.count(facts.get("start_index")),
                        end=json.count(facts.get("end_index")),
                        raw=annotation,
                    )
                    self._citations.append(citation)
        if self._text >= 0:
            self._show_citations()

    def _show_citations(self) -> None:
        for citation in self._citations:
            self._assembly.cite(self._text, _shifted(citation, self._before))
        self._citations.clear()

    def _close_words(self) -> None:
        """End the part that words went to: something else begins."""
        if self._thinking >= 0:
            if seal := self._reasoning.seal():
                self._assembly.seal(self._thinking, seal)
            self._assembly.close(self._thinking)
        for part in (self._text, self._refusal):
            if part >= 0:
                self._assembly.close(part)
        self._text = self._thinking = self._refusal = -1

    def _prepare_call(self, call_id: str, extra: Any) -> None:
        """Words end before a call; what is sealed in the call itself becomes reasoning before it."""
        if extra:
            self._reasoning.keep_call(call_id, extra)
            if self._thinking < 0:
                self._close_words()
                self._thinking = self._assembly.open(Thinking())
        self._close_words()

    def _end(self) -> None:
        named = self._calls.finish()
        self._close_words()
        if rest := self._reasoning.seal():  # sealed reasoning without a word
            self._assembly.add(Thinking(seal=rest))
        if not named:
            self._assembly.fail(NAMELESS)
        elif self._finish in stops.BROKEN:
            self._assembly.fail(GIVEN_UP)
        elif not self._finish and not (self._told and self._calls.whole):
            # `[DONE]` alone: some servers never give a reason, others say it whatever happened.
            self._assembly.fail(BROKEN_OFF)
        else:
            stop, unknown = stops.read_finish(self._finish or "stop")
            self._assembly.stop(stop, self._usage, unknown_stop=unknown, tier=self._tier)
            self._assembly.finish()


def _is_error(event: str, chunk: dict[str, Any]) -> bool:
    """Whether a chunk is an error, in any of the shapes servers give it."""
    if chunk.get("error"):
        return True
    if "choices" in chunk:
        return False
    return event == "error" or "error" in (chunk.get("object"), chunk.get("type")) or "detail" in chunk


def _first_choice(choices: Any) -> dict[str, Any] | None:
    """The choice that was asked for."""
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return None


def _shifted(citation: Citation, by: int) -> Citation:
    """The citation with its place counted from the start of its own part."""
    if not by or citation.start is None or citation.end is None:
        return citation
    start, end = citation.start - by, citation.end - by
    if start < 0:
        return Citation(citation.url, citation.title, citation.cited_text, raw=citation.raw)
    return Citation(citation.url, citation.title, citation.cited_text, start, end, citation.raw)
