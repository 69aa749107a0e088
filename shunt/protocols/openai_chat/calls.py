"""Tool calls in the making: fragments of a Chat stream put to the calls they belong to.

Official servers number the calls, and give id and name once. Others leave the number out, or set it to 0
for all; repeat id and name in every chunk, or leave them empty; send arguments as an object.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from shunt.inference.arguments import as_text
from shunt.inference.assembly import Assembly
from shunt.inference.content import ToolCall
from shunt.wire import json

LEGACY: Final = -1
"""Number of the one call that the older `function_call` field can hold."""


class _Call:
    __slots__ = ("custom", "done", "extra", "id", "kept", "length", "name", "part")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.extra: Any = None
        """What the server wants back with the call."""
        self.done = False
        """Closed, because its arguments are whole."""
        self.kept = ""
        """Arguments that came before the call could be opened."""
        self.length = 0
        """Characters of arguments so far."""
        self.part = -1


class Calls:
    """The calls of one answer."""

    def __init__(self, assembly: Assembly, prepare: Callable[[str, Any], None]) -> None:
        """`prepare` is called with a call's id and extra content before it is opened: others make way."""
        self._assembly = assembly
        self._prepare = prepare
        self._calls: list[_Call] = []
        self._numbered: dict[int, _Call] = {}
        self.seed = ""
        """What ids are made of where the server gives none: the answer's own id and time."""

    def take(self, entry: Any) -> None:
        """One entry of `tool_calls`."""
        if not isinstance(entry, dict):
            return
        custom = isinstance(entry.get("custom"), dict)
        facts = entry["custom"] if custom else entry.get("function")
        facts = facts if isinstance(facts, dict) else entry
        name = _text(facts.get("name"))
        call = self._found(entry.get("index"), _text(entry.get("id")), name)
        call.custom = call.custom or custom
        call.extra = call.extra or entry.get("extra_content")
        self._add(call, name, facts.get("input") if custom else facts.get("arguments"))

    def take_legacy(self, entry: Any) -> None:
        """A `function_call`, of which an answer has at most one."""
        if isinstance(entry, dict):
            name = _text(entry.get("name"))
            self._add(self._found(LEGACY, "", name), name, entry.get("arguments"))

    def settle(self) -> None:
        """Something else begins: close the calls that are whole."""
        for call in self._calls:
            if call.part >= 0 and not call.custom and not call.done and self._is_whole(call):
                call.done = True
                self._assembly.close(call.part)

    def finish(self) -> bool:
        """Open what still waits for its id. False when a call has arguments and no name."""
        for call in self._calls:
            if call.part < 0 and call.name:
                self._open(call)
        return all(call.part >= 0 or not call.kept for call in self._calls)

    @property
    def whole(self) -> bool:
        """Whether no call is known to be cut off."""
        return all(
            call.part >= 0 and (call.custom or not call.length or self._is_whole(call))
            for call in self._calls
        )

    def _found(self, index: Any, call_id: str, name: str) -> _Call:
        """The call that a fragment belongs to; a new one when it belongs to none."""
        numbered = isinstance(index, int) and not isinstance(index, bool)
        call = self._numbered.get(index) if numbered else self._unnumbered(call_id, name)
        # Some servers number every call 0: another id with a name of its own is another call.
        if call is None or (numbered and call_id and name and call.id and call.id != call_id):
            call = _Call()
            self._calls.append(call)
        if numbered:
            self._numbered[index] = call
        call.id = call.id or call_id
        return call

    def _unnumbered(self, call_id: str, name: str) -> _Call | None:
        if call_id:
            return next((call for call in self._calls if call.id == call_id), None)
        last = self._calls[-1] if self._calls else None
        # Without number and id, a name after whole arguments can only begin another call.
        return None if last is not None and name and last.name and self._is_whole(last) else last

    def _add(self, call: _Call, name: str, arguments: Any) -> None:
        piece = arguments if isinstance(arguments, str) else as_text(arguments) if arguments else ""
        call.name = call.name or name
        if call.part < 0 and call.name and (call.id or piece):
            self._open(call)
        if not piece or (not call.length and piece == "{}") or self._is_repeated(call, piece):
            return  # some servers say `{}` first, or everything again at the end
        call.length += len(piece)
        if call.part < 0:
            call.kept += piece
        else:
            self._assembly.grow(call.part, piece)

    def _open(self, call: _Call) -> None:
        taken = {other.id for other in self._calls if other.part >= 0}
        if not call.id or call.id in taken:
            call.id = self._made_id(self._calls.index(call))
        self.settle()
        self._prepare(call.id, call.extra)
        call.part = self._assembly.open(ToolCall(call.id, call.name, call.kept, call.custom))
        call.kept = ""

    def _is_repeated(self, call: _Call, piece: str) -> bool:
        return len(piece) > 2 and len(piece) == call.length and piece == self._held(call)

    def _is_whole(self, call: _Call) -> bool:
        held = self._held(call)
        if call.done or not held.rstrip().endswith("}"):
            return call.done
        return isinstance(json.value(held.encode("utf-8", "replace")), dict)

    def _held(self, call: _Call) -> str:
        return self._assembly.held(call.part) if call.part >= 0 else call.kept

    def _made_id(self, ordinal: int) -> str:
        digest = sha256(f"{self.seed}|{ordinal}".encode("utf-8", "replace")).hexdigest()
        return f"call_{digest[:24]}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
