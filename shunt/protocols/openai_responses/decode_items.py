"""The items of a client's `input`, as messages.

Items lie flat; here they are put together again: what the model produced in one run is one message of the
assistant, outputs that follow each other one message of the user. What only this protocol has becomes a
call and its result where the tool is offered, else it is kept as Foreign, with words for other vendors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference import envelope
from shunt.inference.arguments import as_text
from shunt.inference.content import (
    Document,
    Foreign,
    Image,
    Message,
    Part,
    Refusal,
    Role,
    SealForm,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from shunt.protocols.fields import Fields, wrong
from shunt.protocols.openai_responses import client_tools, item_words, search
from shunt.protocols.openai_responses.content import NAME, read_content

Raw = Mapping[str, Any]
Output = Text | Image | Document | Foreign

STORED: Final = (
    "`{field}` refers to an item that the vendor is to remember; the account that answers cannot look it up. "
    "Send the items themselves."
)

_PRODUCED: Final = frozenset({"compaction", "program", "mcp_list_tools"})
"""Items of the model's or the vendor's own making, beside calls; any other may be anybody's."""

_ROLES: Final = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.DEVELOPER,
}


class History:
    """Messages in the making."""

    def __init__(self, offered: frozenset[str]) -> None:
        """`offered` are the names of the tools that the request offers."""
        self.tools: list[tuple[list[Any], str]] = []
        """Tools that items add to the request's own, each list with the name of its field."""
        self.changed: list[str] = []
        """Names of what could not be taken as it stands."""
        self._offered = offered
        self._messages: list[Message] = []
        self._growing: list[Part] | None = None
        """The parts of the last message as long as more may join them: a run has one message, and a
        message made anew for each of its parts would take a long run its square."""
        self._answers: bool = False
        """The last message holds nothing but outputs."""
        self._calls: dict[str, str] = {}
        """Id of a call's item → id of the call: outputs of older clients name the item."""

    def take(self, raw: Any, field: str) -> None:
        """The next item. Raises InvalidRequest, naming `field`."""
        if isinstance(raw, str):
            self._say(Message(Role.USER, (Text(raw),)))
            return
        if not isinstance(raw, dict):
            raise wrong(field, "an object", raw)
        kind = Fields(raw, field).text("type")
        kind = kind or ("message" if "role" in raw else "item_reference" if "id" in raw else "")
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, raw, field)
        elif kind in client_tools.BY_CALL:
            self._client_call(raw, client_tools.BY_CALL[kind])
        elif kind in client_tools.BY_OUTPUT:
            self._client_output(raw, client_tools.BY_OUTPUT[kind], field)
        else:
            self._foreign(raw, kind or "item")

    def messages(self) -> tuple[Message, ...]:
        """All there are."""
        self._settle()
        return tuple(self._messages)

    # ── Where parts go ────────────────────────────────────────────────────────────────────────────

    def _say(self, message: Message, *, answers: bool = False) -> None:
        self._settle()
        self._messages.append(message)
        self._growing, self._answers = list(message.parts), answers

    def _settle(self) -> None:
        """Nothing joins the last message any more."""
        if self._growing is not None:
            self._messages[-1] = evolve(self._messages[-1], parts=tuple(self._growing))
            self._growing = None

    def _produce(self, *parts: Part, phase: str = "") -> None:
        """Add to what the assistant says in this run; another phase begins another message."""
        last = self._messages[-1] if self._messages else None
        joins = last is not None and last.role is Role.ASSISTANT and (not phase or last.phase in ("", phase))
        if last is not None and joins and self._growing is not None:
            self._growing += parts
            if phase and not last.phase:
                self._messages[-1] = evolve(last, phase=phase)
        else:
            self._say(Message(Role.ASSISTANT, parts, phase))

    def _answer(self, result: Part) -> None:
        """Add to the outputs of this run."""
        if self._answers and self._growing is not None:
            self._growing.append(result)
        else:
            self._say(Message(Role.USER, (result,)), answers=True)

    # ── Items ─────────────────────────────────────────────────────────────────────────────────────

    def message(self, raw: Raw, field: str) -> None:
        """A message. One whose role is new to us counts as the user's."""
        parts, role = read_content(raw.get("content"), f"{field}.content"), raw.get("role")
        known = _ROLES.get(role) if isinstance(role, str) else None
        if known is None:
            self.changed.append(f"{field}.role")
        if known is Role.ASSISTANT:
            phase = raw.get("phase")
            self._produce(*parts, phase=phase if isinstance(phase, str) else "")
        else:
            name = raw.get("name")
            self._say(Message(known or Role.USER, parts, name=name if isinstance(name, str) else ""))

    def reasoning(self, raw: Raw, _field: str) -> None:
        """Reasoning: its summary, or its words, and the seal that the vendor or we gave it."""
        summary, words = _joined(raw.get("summary")), _joined(raw.get("content"))
        sealed = raw.get("encrypted_content")
        seal = envelope.read(sealed, SealForm.ENCRYPTED) if isinstance(sealed, str) and sealed else None
        if summary or words or seal:
            self._produce(Thinking(summary or words, seal, summary=bool(summary)))

    def call(self, raw: Raw, field: str) -> None:
        """A call of a function or custom tool."""
        custom = raw.get("type") == "custom_tool_call"
        name, space = raw.get("name"), raw.get("namespace")
        if not isinstance(name, str) or not name:
            raise InvalidRequest(f"`{field}.name` is missing.", param=field)
        said = raw.get("input") if custom else raw.get("arguments")
        arguments = said if custom and isinstance(said, str) else as_text(said)
        self._produce(
            ToolCall(self._called(raw), name, arguments, custom, space if isinstance(space, str) else "")
        )

    def output(self, raw: Raw, field: str) -> None:
        """What came of a call."""
        custom = raw.get("type") == "custom_tool_call_output"
        parts, failed = _read_output(raw.get("output"), f"{field}.output")
        self._answer(ToolResult(self._answered(raw), parts, failed, custom))

    def web_search(self, raw: Raw, _field: str) -> None:
        """A search that the vendor made."""
        call = search.read_call(raw)
        self._produce(call, search.read_result(raw, call))

    def additional_tools(self, raw: Raw, field: str) -> None:
        """Tools that are told in the middle of the conversation."""
        tools = raw.get("tools")
        if isinstance(tools, list):
            self.tools.append((tools, f"{field}.tools"))

    def reference(self, _raw: Raw, field: str) -> None:
        """An item by its id."""
        raise InvalidRequest(STORED.format(field=field), param=field)

    def _client_call(self, raw: Raw, known: client_tools.ClientTool) -> None:
        arguments = as_text(known.arguments(raw))
        if known.name in self._offered:
            self._produce(ToolCall(self._called(raw), known.name, arguments))
        else:
            self._produce(Foreign(NAME, known.call, raw, f"[{known.name} was called with {arguments}]"))

    def _client_output(self, raw: Raw, known: client_tools.ClientTool, field: str) -> None:
        words = item_words.output_told(raw)
        tools = raw.get("tools")
        if known.name == "tool_search" and isinstance(tools, list):
            self.tools.append((tools, f"{field}.tools"))
            words = "Tools found: " + (", ".join(item_words.tool_names(tools)) or "none")
        if known.name in self._offered:
            self._answer(ToolResult(self._answered(raw), (Text(words),), raw.get("status") == "failed"))
        else:
            self._answer(Foreign(NAME, known.output, raw, f"[{known.name} returned]\n{words}"))

    def _foreign(self, raw: Raw, kind: str) -> None:
        """An item that only this protocol has, or that is new to us."""
        part = Foreign(NAME, kind, raw, item_words.told(raw, kind))
        if kind.endswith(("_output", "_response")):
            self._answer(part)
        elif kind.endswith(("_call", "_request")) or kind in _PRODUCED:
            self._produce(part)
        else:
            self._say(Message(Role.USER, (part,)))

    # ── Ids ───────────────────────────────────────────────────────────────────────────────────────

    def _called(self, raw: Raw) -> str:
        item, call = _id(raw, "id"), _id(raw, "call_id")
        if item and call:
            self._calls[item] = call
        return call or item

    def _answered(self, raw: Raw) -> str:
        item = _id(raw, "id")
        return _id(raw, "call_id") or self._calls.get(item, item)


def _id(raw: Raw, name: str) -> str:
    found = raw.get(name)
    return found if isinstance(found, str) else ""


def _joined(parts: Any) -> str:
    """The words of summary or reasoning parts, a blank line between them."""
    found = parts if isinstance(parts, list) else []
    texts = (part.get("text") if isinstance(part, dict) else part for part in found)
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def _read_output(output: Any, field: str) -> tuple[tuple[Output, ...], bool]:
    """What a tool returned, and whether it says that the tool failed."""
    if isinstance(output, dict) and isinstance(output.get("success"), bool):
        # How Codex once wrote it.
        parts, _ = _read_output(output.get("content"), field)
        return parts, output["success"] is False
    if output is None or isinstance(output, (str, list)):
        parts = tuple(_output_part(part) for part in read_content(output, field))
        return parts, False
    return (Text(as_text(output)),), False


def _output_part(part: Part) -> Output:
    if isinstance(part, (Text, Image, Document, Foreign)):
        return part
    return Text(part.text if isinstance(part, Refusal) else "")


_READERS: Final[dict[str, Callable[[History, Raw, str], None]]] = {
    "message": History.message,
    "reasoning": History.reasoning,
    "function_call": History.call,
    "custom_tool_call": History.call,
    "function_call_output": History.output,
    "custom_tool_call_output": History.output,
    "web_search_call": History.web_search,
    "additional_tools": History.additional_tools,
    "item_reference": History.reference,
}
