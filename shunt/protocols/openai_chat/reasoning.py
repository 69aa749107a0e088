"""Reasoning in Chat's messages, where it is no part of the protocol and every server has its own words.

Words stand in `reasoning_content` (DeepSeek, Kimi, vLLM, llama.cpp) or `reasoning` (OpenRouter, Groq, Ollama),
sealed pieces in OpenRouter's `reasoning_details` or, with Gemini, in the `extra_content` of a call. Servers that
think between tool calls want all of that back. What came from such a server is sealed `SealForm.PLAIN`; the
payload is a JSON object that says how to give it back: the `field` of the words, the `details`, and the `calls`
with their extra content by id.

Towards clients, words go into `reasoning_content` and seals, in our envelope, into `reasoning_details`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from shunt.inference import envelope
from shunt.inference.content import Seal, SealForm, Thinking
from shunt.inference.names import wire_id
from shunt.wire import json

FIELDS: Final = ("reasoning_content", "reasoning")
DETAILS: Final = "reasoning_details"
_GAP: Final = "\n\n"
_PLACE: Final = re.compile(r"words-(\d{1,9})-(\d{1,9})-([0-9a-f]{16})")
_WORDS: Final = ("text", "summary")
_GROWING: Final = frozenset({*_WORDS, "data"})
"""Strings of a detail that come in pieces."""
_MOST: Final = 512
"""Details kept of one answer."""


def carries(fields: Mapping[str, Any]) -> bool:
    """Whether a message or delta has any reasoning in it."""
    return bool(fields.get("reasoning_content") or fields.get("reasoning") or fields.get(DETAILS))


class ReasoningReader:
    """Reads the reasoning of an answer, whole or in deltas."""

    def __init__(self) -> None:
        self._field = ""
        self._details: dict[Any, dict[str, Any]] = {}
        self._calls: dict[str, Any] = {}

    def words(self, delta: Mapping[str, Any]) -> str:
        """The words of a delta. Servers that fill several fields say the same in each."""
        details = delta.get(DETAILS)
        told = self._detailed(details) if isinstance(details, list) else ""
        for field in FIELDS:
            if isinstance(text := delta.get(field), str) and text:
                self._field = self._field or field
                return text
        return told

    def keep_call(self, call_id: str, extra: Any) -> None:
        """Remember the extra content of a call: what the model thought before it, sealed."""
        self._calls[call_id] = extra

    def seal(self) -> Seal | None:
        """How to give back what has been read since the last call; None when nothing was."""
        facts = {"field": self._field, "details": list(self._details.values()), "calls": self._calls}
        said = {name: fact for name, fact in facts.items() if fact}
        self._field, self._details, self._calls = "", {}, {}
        return Seal("", SealForm.PLAIN, json.encode(said).decode()) if said else None

    def _detailed(self, entries: list[Any]) -> str:
        """Add up details; return their words."""
        told = ""
        for entry in entries:
            if not isinstance(entry, dict):
                continue
            kind = entry.get("type")
            key = (str(entry.get("index", len(self._details))), str(kind))
            if key not in self._details and len(self._details) >= _MOST:
                continue
            known = self._details.setdefault(key, {})
            for name, value in entry.items():
                if name in _GROWING and isinstance(value, str) and isinstance(known.get(name), str):
                    known[name] += value
                elif value is not None or name not in known:
                    known[name] = value
            told += next((entry[name] for name in _WORDS if isinstance(entry.get(name), str)), "")
        return told


def given_back(thinking: Thinking, message: dict[str, Any], origin: str) -> dict[str, Any]:
    """Put reasoning into an assistant message for the server that made it, and leave it out for others.

    Returns the extra content of later calls of the message, by their ids as they are sent.
    """
    seal = thinking.seal
    if seal is None or seal.form is not SealForm.PLAIN or not seal.origin or seal.origin != origin:
        return {}
    facts = json.value(seal.payload.encode("utf-8", "replace"))
    if not isinstance(facts, dict):
        return {}
    field, details, calls = facts.get("field"), facts.get("details"), facts.get("calls")
    if thinking.text:
        name = field if field in FIELDS else "reasoning"
        message[name] = message.get(name, "") + thinking.text
    if isinstance(details, list):
        message.setdefault(DETAILS, []).extend(details)
    return {wire_id(call): extra for call, extra in calls.items()} if isinstance(calls, dict) else {}


def plain_seal(origin: str) -> Seal:
    """The seal of words that a client holds in plain sight: they go where such words are read."""
    return Seal(origin, SealForm.PLAIN, '{"field":"reasoning_content"}')


class ReasoningWriter:
    """Writes the reasoning of an answer for a client: all words in one text, seals beside it.

    Words of several parts are set apart by an empty line. A seal's `id` says which words it proves, and
    a digest of them: clients that keep details keep ids, and may drop fields they do not know.
    """

    def __init__(self) -> None:
        self._length = 0
        self._starts: dict[int, int] = {}
        self._sealed = 0

    def words(self, part: int, words: str) -> str:
        """Words to add to `reasoning_content` for more words of a part."""
        if not words:
            return ""
        gap = ""
        if part not in self._starts:
            gap = _GAP if self._length else ""
            self._starts[part] = self._length + len(gap)
        self._length += len(gap) + len(words)
        return gap + words

    def detail(self, part: int, thinking: Thinking) -> dict[str, Any] | None:
        """An entry of `reasoning_details` for a part that is complete; None when nobody sealed it."""
        if thinking.seal is None or not thinking.seal.origin:
            return None
        index, self._sealed = self._sealed, self._sealed + 1
        start = self._starts.get(part, self._length)
        return {
            "type": "reasoning.encrypted",
            "index": index,
            "id": f"words-{start}-{start + len(thinking.text)}-{_digest(thinking.text)}",
            "data": envelope.wrap(thinking.seal),
        }


def read_thinking(message: Mapping[str, Any]) -> list[Thinking]:
    """The reasoning that an assistant message of a client's history holds, with the seals it kept."""
    text: str = next((said for name in FIELDS if isinstance(said := message.get(name), str) and said), "")
    entries = message.get(DETAILS)
    sealed = [
        found
        for entry in (entries if isinstance(entries, list) else ())
        if (found := _sealed(entry, text)) is not None
    ]
    if sealed or not text:
        return sealed
    return [Thinking(text)]


def _sealed(entry: Any, text: str) -> Thinking | None:
    """The part that an entry of ours proves; None when the words are not there as they were."""
    if not isinstance(entry, dict):
        return None
    data, place = entry.get("data"), entry.get("id")
    found = _PLACE.fullmatch(place) if isinstance(place, str) else None
    seal = envelope.unwrap(data) if isinstance(data, str) else None
    if seal is None or found is None:
        return None
    words = text[int(found[1]) : int(found[2])]
    return Thinking(words, seal) if _digest(words) == found[3] else None


def _digest(words: str) -> str:
    return sha256(words.encode("utf-8", "replace")).hexdigest()[:16]
