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
from shunt.inference.names import distinct_id
from shunt.wire import json

LEGACY: Final = -1
"""Number of the one call that the older `function_call` field can hold."""


class _Call:
    __slots__ = ("blank", "custom", "done", "ends", "extra", "id", "kept", "length", "name", "part")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.extra: Any = None
        """What the server wants back with the call."""
        self.done = False
        """Closed, because its arguments are whole."""
        self.blank = False
        """Its arguments were said to be `{}`, which may be all, or only the beginning."""
        self.ends = False
        """Its arguments end as an object does."""
        self.kept = ""
        """Arguments that came before the call could be opened, or all of a closed one."""
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
        self._taken: dict[str, int] = {}
        """Ids that were shown."""
        self.seed = ""
        """What ids are made of where the server gives none: the answer's own id and time."""

    def take(self, entry: Any, *, alone: bool = False) -> None:
        """One entry of `tool_calls`; where these are not cut up, each with a name is a call `alone`."""
        if not isinstance(entry, dict):
            return
        custom = isinstance(entry.get("custom"), dict)
        facts = entry["custom"] if custom else entry.get("function")
        facts = facts if isinstance(facts, dict) else entry
        name = _text(facts.get("name"))
        piece = _piece(facts.get("input") if custom else facts.get("arguments"))
        call_id = _text(entry.get("id"))
        call = self._new(call_id) if alone and name else self._found(entry.get("index"), call_id, name, piece)
        call.custom = call.custom or custom
        call.extra = call.extra or entry.get("extra_content")
        self._add(call, name, piece)

    def take_legacy(self, entry: Any) -> None:
        """A `function_call`, of which an answer has at most one."""
        if isinstance(entry, dict):
            name, piece = _text(entry.get("name")), _piece(entry.get("arguments"))
            call = self._numbered.get(LEGACY) or self._new("")
            self._numbered[LEGACY] = call
            self._add(call, name, piece)

    def settle(self) -> None:
        """Something else begins: close the calls that are whole."""
        for call in self._calls:
            if call.part >= 0 and not call.custom and not call.done and self._is_whole(call):
                call.kept, call.done = self._held(call), True
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

    def _found(self, index: Any, call_id: str, name: str, piece: str) -> _Call:
        """The call that a fragment belongs to; a new one when it belongs to none."""
        numbered = isinstance(index, int) and not isinstance(index, bool)
        call = self._numbered.get(index) if numbered else self._unnumbered(call_id, name)
        if call is None or self._begins_another(call, call_id, name, piece):
            call = self._new(call_id)
        if numbered:
            self._numbered[index] = call
        call.id = call.id or call_id
        return call

    def _new(self, call_id: str) -> _Call:
        call = _Call()
        call.id = call_id
        self._calls.append(call)
        return call

    def _begins_another(self, call: _Call, call_id: str, name: str, piece: str) -> bool:
        """Whether a named fragment that seems to be this call's is not.

        Some servers number every call 0, or give all of them one id. Others say the name again with every
        piece.
        """
        if not name or not call.name:
            return False
        if call_id and call.id and call.id != call_id:
            return True
        whole = self._is_whole(call)
        if name != call.name:
            return whole or call.blank
        return whole and not call.custom and bool(piece.strip()) and piece != self._held(call)

    def _unnumbered(self, call_id: str, name: str) -> _Call | None:
        if call_id:
            return next((call for call in reversed(self._calls) if call.id == call_id), None)
        last = self._calls[-1] if self._calls else None
        # Without number and id, a name after whole arguments can only begin another call.
        return None if last is not None and name and last.name and self._is_whole(last) else last

    def _add(self, call: _Call, name: str, piece: str) -> None:
        call.name = call.name or name
        if call.part < 0 and call.name and (call.id or piece):
            self._open(call)
        call.blank = call.blank or piece == "{}"
        if not piece or (not call.length and piece == "{}") or self._is_repeated(call, piece):
            return  # some servers say `{}` first, or everything again at the end
        call.length += len(piece)
        if said := piece.rstrip():
            call.ends = said.endswith("}")
        if call.part < 0:
            call.kept += piece
        else:
            self._assembly.grow(call.part, piece)

    def _open(self, call: _Call) -> None:
        # Also what is kept for the call goes by the id that the client is shown.
        shown = distinct_id(call.id or self._made_id(self._calls.index(call)), self._taken)
        self.settle()
        self._prepare(shown, call.extra)
        call.part = self._assembly.open(ToolCall(shown, call.name, call.kept, call.custom))
        call.kept = ""

    def _is_repeated(self, call: _Call, piece: str) -> bool:
        again = len(piece) > 2 and len(piece) == call.length and not call.custom
        return again and piece == self._held(call) and self._is_whole(call)

    def _is_whole(self, call: _Call) -> bool:
        if call.done or not call.ends:  # joining what is held for each piece would cost its square
            return call.done
        held = self._held(call)
        return isinstance(json.value(held.encode("utf-8", "replace")), dict)

    def _held(self, call: _Call) -> str:
        return call.kept if call.done or call.part < 0 else self._assembly.held(call.part)

    def _made_id(self, ordinal: int) -> str:
        digest = sha256(f"{self.seed}|{ordinal}".encode("utf-8", "replace")).hexdigest()
        return f"call_{digest[:24]}"


def _piece(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else as_text(arguments) if arguments else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
