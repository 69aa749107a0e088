"""The messages of a Chat request, read."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.arguments import as_text
from shunt.inference.content import Message, Part, Refusal, Role, Text, Thinking, ToolCall, ToolResult
from shunt.protocols.fields import wrong
from shunt.protocols.openai_chat.parts import read_content
from shunt.protocols.openai_chat.reasoning import read_thinking

Fields = Mapping[str, Any]

_ROLES: Final = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.DEVELOPER}
"""Any other role is taken for the user's: newer clients have more of them."""
_LEADING: Final = (Role.SYSTEM, Role.DEVELOPER)


def decode_messages(messages: Sequence[Any]) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """The leading system and developer texts, and the conversation after them.

    Raises InvalidRequest, naming the place, for what cannot be understood.
    """
    reader = _Conversation()
    for n, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong(f"messages[{n}]", "an object", message)
        reader.add(message, f"messages[{n}]", n)
    reader.settle()
    return tuple(reader.instructions), tuple(reader.messages)


class _Conversation:
    def __init__(self) -> None:
        self.instructions: list[Text] = []
        self.messages: list[Message] = []
        self._custom: set[str] = set()
        """Ids of the calls of custom tools."""
        self._functions: defaultdict[str, deque[str]] = defaultdict(deque)
        """By name: made-up ids of `function_call`s that wait for their result."""
        self._run: list[ToolResult] = []
        """Results in a row, the last message in the making."""

    def add(self, message: Fields, where: str, n: int) -> None:
        role = message.get("role")
        if role == "tool":
            self._add_result(self._result(message, where))
        elif role == "function":
            self._add_result(self._function_result(message, where, n))
        else:
            self.settle()
            self._add(message, _ROLES.get(role, Role.USER) if isinstance(role, str) else Role.USER, where, n)

    def _add(self, message: Fields, role: Role, where: str, n: int) -> None:
        parts = self._marked(read_content(message.get("content"), f"{where}.content"))
        if role in _LEADING and not self.messages:
            self.instructions += [part for part in parts if isinstance(part, Text)]
            return
        if role is Role.ASSISTANT:
            parts = (*self._thinking(message, where), *parts, *self._rest(message, where, n))
        name = message.get("name")
        self.messages.append(Message(role, parts, name=name if isinstance(name, str) else ""))

    def _marked(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Parts whose results know whether their call was a custom tool's."""
        return tuple(
            evolve(part, custom=True)
            if isinstance(part, ToolResult) and part.call_id in self._custom
            else part
            for part in parts
        )

    def _thinking(self, message: Fields, where: str) -> list[Thinking]:
        blocks = message.get("thinking_blocks")  # LiteLLM's way to carry Anthropic's
        if isinstance(blocks, list):
            found = read_content(blocks, f"{where}.thinking_blocks")
            return [part for part in found if isinstance(part, Thinking)]
        return read_thinking(message)

    def _rest(self, message: Fields, where: str, n: int) -> list[Part]:
        """What an assistant's message holds beside its content."""
        parts: list[Part] = []
        if isinstance(refusal := message.get("refusal"), str) and refusal:
            parts.append(Refusal(refusal))
        if message.get("audio"):
            raise InvalidRequest(f"`{where}.audio` cannot be translated for another vendor.", param=where)
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise wrong(f"{where}.tool_calls", "an array", calls)
        parts += [self._call(call, f"{where}.tool_calls[{k}]", f"{n}_{k}") for k, call in enumerate(calls)]
        if isinstance(function := message.get("function_call"), dict) and not calls:
            call = self._call({"function": function}, f"{where}.function_call", str(n))
            self._functions[call.name].append(call.id)
            parts.append(call)
        return parts

    def _call(self, call: Any, where: str, made: str) -> ToolCall:
        if not isinstance(call, dict):
            raise wrong(where, "an object", call)
        custom = isinstance(call.get("custom"), dict)
        inner = call["custom"] if custom else call.get("function")
        facts = inner if isinstance(inner, dict) else call
        name, call_id = facts.get("name"), call.get("id")
        if not isinstance(name, str) or not name:
            raise InvalidRequest(f"`{where}` names no function.", param=where)
        # Ids are made from the place, which a growing history keeps.
        call_id = call_id if isinstance(call_id, str) and call_id else f"call_{made}"
        if custom:
            self._custom.add(call_id)
            text = facts.get("input")
            return ToolCall(call_id, name, text if isinstance(text, str) else as_text(text), custom=True)
        return ToolCall(call_id, name, as_text(facts.get("arguments")))

    def _result(self, message: Fields, where: str) -> ToolResult:
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            raise wrong(f"{where}.tool_call_id", "a string", call_id)
        return ToolResult(
            call_id,
            read_content(message.get("content"), f"{where}.content"),
            is_error=message.get("is_error") is True,
            custom=call_id in self._custom,
        )

    def _function_result(self, message: Fields, where: str, n: int) -> ToolResult:
        """A result that names its function: it belongs to the first call of it that has none."""
        name = message.get("name")
        waiting = self._functions.get(name) if isinstance(name, str) else None
        call_id = waiting.popleft() if waiting else f"call_without_{n}"
        return ToolResult(call_id, read_content(message.get("content"), f"{where}.content"))

    def _add_result(self, result: ToolResult) -> None:
        """Results in a row are one turn, also after a turn that was nothing but results."""
        if not self._run and self.messages and _is_results(self.messages[-1]):
            self._run = [part for part in self.messages.pop().parts if isinstance(part, ToolResult)]
        self._run.append(result)

    def settle(self) -> None:
        """End a row of results."""
        if self._run:
            self.messages.append(Message(Role.USER, tuple(self._run)))
            self._run = []


def _is_results(message: Message) -> bool:
    return (
        message.role is Role.USER
        and bool(message.parts)
        and all(isinstance(part, ToolResult) for part in message.parts)
    )
