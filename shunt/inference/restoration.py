"""Calls in an answer, back in the client's own terms.

For the upstream, names were shortened, namespaces joined to names, and custom tools made functions. All
of that is undone from the client's request alone. Every encoder of answers begins with it.
"""

from __future__ import annotations

from attrs import evolve

from shunt.inference.arguments import unwrapped
from shunt.inference.content import ToolCall
from shunt.inference.events import ArgumentsDelta, Event, PartFinished, PartStarted
from shunt.inference.names import original_names
from shunt.inference.request import GenerateRequest, Tool
from shunt.inference.response import Answer


class Restoration:
    """For the answer to one request."""

    def __init__(self, request: GenerateRequest) -> None:
        self._names = original_names(request)
        self._custom = {
            (tool.namespace, tool.name) for tool in request.tools if isinstance(tool, Tool) and tool.custom
        }
        self._unwrapping: set[int] = set()

    def answer(self, answer: Answer) -> Answer:
        """A whole answer."""
        parts = (self._restored(part) if isinstance(part, ToolCall) else part for part in answer.parts)
        return evolve(answer, parts=tuple(parts))

    def events(self, event: Event) -> tuple[Event, ...]:
        """The events for one event. A custom tool's text comes at its end: it is wrapped in JSON."""
        match event:
            case PartStarted(index=index, part=ToolCall() as call):
                named = self._named(call)
                if self._is_wrapped(named):
                    self._unwrapping.add(index)
                    named = evolve(named, custom=True)
                return (PartStarted(index, named),)
            case ArgumentsDelta(index=index) if index in self._unwrapping:
                return ()
            case PartFinished(index=index, part=ToolCall() as call):
                restored = self._restored(call)
                if index in self._unwrapping:
                    self._unwrapping.remove(index)
                    return ArgumentsDelta(index, restored.arguments), PartFinished(index, restored)
                return (PartFinished(index, restored),)
            case _:
                return (event,)

    def _named(self, call: ToolCall) -> ToolCall:
        namespace, name = self._names.get((call.namespace, call.name), (call.namespace, call.name))
        return evolve(call, namespace=namespace, name=name)

    def _is_wrapped(self, named: ToolCall) -> bool:
        return not named.custom and (named.namespace, named.name) in self._custom

    def _restored(self, call: ToolCall) -> ToolCall:
        named = self._named(call)
        if self._is_wrapped(named):
            return evolve(named, custom=True, arguments=unwrapped(named.arguments))
        return named
