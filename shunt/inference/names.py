"""Names of tools and ids of calls that every vendor takes, and the way back to the client's own.

Vendors take letters, digits, `_` and `-`, up to 64 characters (Anthropic: 128 for names). What does not
fit is replaced and marked with a hash of the original, so that the result is the same in every request
of a conversation, whatever else the request names. Nothing is remembered: the client's request holds all
the names, and the map is made from it again when the answer comes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Part, ToolCall, ToolReference, ToolResult
from shunt.inference.request import GenerateRequest, HostedTool, Tool, ToolChoice

MESSAGES_LONGEST: Final = 128
OPENAI_LONGEST: Final = 64
ID_LONGEST: Final = 64

Name = tuple[str, str]
"""A tool as the client knows it: namespace (often empty) and name."""

_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGITS: Final = 10
"""Hexadecimal digits of the hash; after `_`."""

MOST: Final = 10_000
"""Tools of one request. All have to be told apart, for the request and again for its answer; vendors take a
few hundred at most."""


def fitted(request: GenerateRequest, longest: int, *, flat: bool = True) -> GenerateRequest:
    """The request with names and ids that the target takes: tools, calls, results, references, choice.

    `longest` is a name's limit there. `flat` targets know no namespaces: `ns` and `name` become
    `ns__name`. Others keep the namespace, and names are fitted within it. Raises InvalidRequest for more than
    MOST of them.
    """
    names = wire_names(request, longest, flat=flat)
    if len(names) > MOST:
        raise InvalidRequest(f"More than {MOST:,} tools cannot be put into another vendor's words.")
    return evolve(
        request,
        tools=tuple(_fitted_tool(tool, names, flat=flat) for tool in request.tools),
        messages=tuple(_fitted_message(message, names, flat=flat) for message in request.messages),
        tool_choice=_fitted_choice(request.tool_choice, request, names),
    )


def wire_names(request: GenerateRequest, longest: int, *, flat: bool = True) -> dict[Name, str]:
    """Every tool the request names, and what it is called at the target; no two alike.

    Names that fit are kept; those that do not, or that are another's too once joined, get a hash. A
    hosted tool keeps its name in any case.
    """
    names: dict[Name, str] = {}
    # Plain names first: a namespace must not take the name that a tool has by itself.
    known = sorted(set(_known(request)), key=lambda name: (name[0] != "", name))
    taken = {("", tool.name or tool.kind) for tool in request.tools if isinstance(tool, HostedTool)}
    fitting = [(name, _joined(name, flat=flat)) for name in known]
    for name, wanted in fitting:
        if _fits(wanted, longest) and (_room(name, flat=flat), wanted) not in taken:
            names[name] = wanted
            taken.add((_room(name, flat=flat), wanted))
    for name, wanted in fitting:
        salt = "\0".join(name)
        while name not in names:
            hashed = _hashed(wanted, salt, longest)
            if (_room(name, flat=flat), hashed) not in taken:
                names[name] = hashed
                taken.add((_room(name, flat=flat), hashed))
            salt += "\0"
    return names


def original_names(request: GenerateRequest) -> dict[Name, Name]:
    """What every namespace and name that a target may use in its answer means to the client.

    Good for all targets at once; what stands for itself is left out.
    """
    originals = {}
    for longest, flat in ((MESSAGES_LONGEST, True), (OPENAI_LONGEST, True), (OPENAI_LONGEST, False)):
        for name, wire in wire_names(request, longest, flat=flat).items():
            originals[_room(name, flat=flat), wire] = name
    return {wire: name for wire, name in originals.items() if wire != name}


def wire_id(call_id: str) -> str:
    """A call's id in a form that every vendor takes; always the same for the same id."""
    return call_id if _fits(call_id, ID_LONGEST) else _hashed(call_id, call_id, ID_LONGEST)


def distinct_id(call_id: str, taken: dict[str, int]) -> str:
    """The id of another call of an answer, unlike those that are `taken`, to which it is added.

    Vendors use one twice, and clients take two calls of one id for one. Empty stays empty. `taken` has how often an
    id was asked for: thousands of one id are not counted through for each.
    """
    own = call_id
    while own in taken:
        taken[call_id] += 1
        own = f"{call_id}_{taken[call_id]}"
    if own:
        taken[own] = 1
    return own


def _known(request: GenerateRequest) -> Iterator[Name]:
    """Every tool that the request offers, forces, or remembers."""
    for tool in request.tools:
        if isinstance(tool, Tool):
            yield tool.namespace, tool.name
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                yield part.namespace, part.name
    if request.tool_choice is not None and request.tool_choice.name and not request.tool_choice.hosted:
        yield _chosen(request.tool_choice.name, _offered(request))


def _offered(request: GenerateRequest) -> dict[str, Name]:
    """The offered tool that each bare name means: one without namespace, else the first of that name."""
    offered: dict[str, Name] = {}
    for tool in request.tools:
        if isinstance(tool, Tool):
            name = tool.namespace, tool.name
            for bare in (name[1], _joined(name, flat=True)):
                offered[bare] = min(name, offered.get(bare, name))
    return offered


def _chosen(name: str, offered: Mapping[str, Name]) -> Name:
    return offered.get(name, ("", name))


def _fitted_tool(tool: Tool | HostedTool, names: Mapping[Name, str], *, flat: bool) -> Tool | HostedTool:
    if isinstance(tool, HostedTool):
        return tool
    return evolve(tool, name=names[tool.namespace, tool.name], namespace="" if flat else tool.namespace)


def _fitted_message(message: Message, names: Mapping[Name, str], *, flat: bool) -> Message:
    return evolve(message, parts=tuple(_fitted_part(part, names, flat=flat) for part in message.parts))


def _fitted_part(part: Part, names: Mapping[Name, str], *, flat: bool) -> Part:
    match part:
        case ToolCall():
            name = names[part.namespace, part.name]
            return evolve(part, id=wire_id(part.id), name=name, namespace="" if flat else part.namespace)
        case ToolResult():
            inner = tuple(
                ToolReference(names.get(("", found.name), found.name))
                if isinstance(found, ToolReference)
                else found
                for found in part.parts
            )
            return evolve(part, call_id=wire_id(part.call_id), parts=inner)
        case _:
            return part


def _fitted_choice(
    choice: ToolChoice | None, request: GenerateRequest, names: Mapping[Name, str]
) -> ToolChoice | None:
    if choice is None:
        return None
    offered = _offered(request)
    name = choice.name if choice.hosted or not choice.name else names[_chosen(choice.name, offered)]
    allowed = choice.allowed
    if allowed is not None:
        allowed = tuple(names.get(_chosen(one, offered), one) for one in allowed)
    return evolve(choice, name=name, allowed=allowed)


def _joined(name: Name, *, flat: bool) -> str:
    return f"{name[0]}__{name[1]}" if flat and name[0] else name[1]


def _room(name: Name, *, flat: bool) -> str:
    """Names have to differ from all others, or only within their namespace."""
    return "" if flat else name[0]


def _fits(name: str, longest: int) -> bool:
    return 0 < len(name) <= longest and not _ILLEGAL.search(name)


def _hashed(name: str, salt: str, longest: int) -> str:
    digest = sha256(salt.encode("utf-8", "replace")).hexdigest()[:_DIGITS]
    return f"{_ILLEGAL.sub('_', name)[: longest - _DIGITS - 1]}_{digest}"
