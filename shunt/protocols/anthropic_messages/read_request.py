"""A Messages request, read into the shared vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import evolve

from shunt.errors import InvalidRequest
from shunt.inference.content import Message, Part, Role, Text
from shunt.inference.request import Effort, FormatKind, GenerateRequest, OutputFormat, Reasoning
from shunt.protocols.anthropic_messages.outline import session_of
from shunt.protocols.anthropic_messages.read_blocks import NAME, read_block, read_blocks
from shunt.protocols.anthropic_messages.read_tools import ToolSet, read_choice, read_tool
from shunt.protocols.fields import Fields, wrong

_ROLES: Final = {"assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}
"""Every other role is a user's: newer clients invent some."""
_CHANGES: Final = frozenset({"tool_addition", "tool_removal"})
_READ: Final = {
    *("model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k"),
    *("stop_sequences", "thinking", "output_config", "output_format", "tools", "tool_choice"),
    *("metadata", "service_tier", "speed"),
}
_HINTS: Final = frozenset(
    {
        "cache_control",  # where to cache, which other vendors find out by themselves
        "context_management",  # what to forget when it gets long; those who can, read it in `native`
        "betas",
        "diagnostics",
        "safeguards",  # where the client works and what it may do: nobody else's business
        "user_profile_id",
        "workspace_id",
    }
)
"""Fields that may be dropped without a word."""
WORDS: Final = {
    "max_output": "max_tokens",
    "stop": "stop_sequences",
    "reasoning": "thinking",
    "format": "output_config.format",
    "user": "metadata.user_id",
    "tier": "service_tier",
}
"""What fields of GenerateRequest are called here, where they have other names, for reports of what was left out."""
_EFFORTS: Final = {effort.value: effort for effort in Effort}


def read_request(document: Mapping[str, Any]) -> GenerateRequest:
    """Raises InvalidRequest, naming the field, for what cannot be understood."""
    body = Fields(document)
    tools = tuple(read_tool(tool) for tool in body.objects("tools"))
    offered = ToolSet(tools)
    conversation = tuple(_messages(body, offered))
    instructions, messages = _led(_system(body), _compacted(conversation))
    tools = offered.tools()
    choice, parallel = read_choice(body, tools)
    metadata = dict(body.mapping("metadata") or {})
    user = metadata.pop("user_id", None)
    user = user if isinstance(user, str) else ""
    return GenerateRequest(
        model=body.required_text("model"),
        protocol=NAME,
        instructions=instructions,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tools=parallel,
        stream=body.flag("stream") or False,
        max_output=body.count("max_tokens"),
        temperature=body.number("temperature"),
        top_p=body.number("top_p"),
        top_k=body.count("top_k"),
        stop=body.texts("stop_sequences"),
        reasoning=_reasoning(body),
        format=_format(body),
        user=user,
        cache_key=session_of(user),
        tier="fast" if body.text("speed") == "fast" else body.text("service_tier"),
        include_usage=True,
        metadata=metadata,
        native={name: value for name, value in document.items() if name not in _READ and value is not None},
        hints=_HINTS,
        words=WORDS if body.document.get("thinking") else WORDS | {"reasoning": "output_config.effort"},
    )


def _system(body: Fields) -> Iterator[Text]:
    for n, part in enumerate(read_blocks(body.document.get("system"), "system")):
        if not isinstance(part, Text):
            raise InvalidRequest(f"`system[{n}]` must be a text block.", param=f"system[{n}]")
        yield part


def _messages(body: Fields, offered: ToolSet) -> Iterator[Message]:
    if not isinstance(body.document.get("messages"), list):
        raise wrong("messages", "an array", body.document.get("messages"))
    messages = list(body.objects("messages"))
    last_user = max((n for n, message in enumerate(messages) if message.text("role") == "user"), default=-1)
    for n, message in enumerate(messages):
        role = _ROLES.get(message.text("role"), Role.USER)
        parts = tuple(_parts(message, offered))
        if role is Role.SYSTEM and n < last_user and message.text("clear_at") == "next_user_message":
            continue  # meant for one turn that is over
        yield Message(role, parts)


def _parts(message: Fields, offered: ToolSet) -> Iterator[Part]:
    content = message.document.get("content")
    if not isinstance(content, list):
        yield from read_blocks(content, message.path("content"))
        return
    for block in message.objects("content"):
        if block.text("type") in _CHANGES:
            offered.change(block)
        else:
            yield read_block(block)


def _compacted(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The conversation from its last summary on: the vendor itself ignores what stands before one."""
    for n in reversed(range(len(messages))):
        for k in reversed(range(len(messages[n].parts))):
            part = messages[n].parts[k]
            summary = _summary(part)
            if summary:
                told = Message(Role.USER, (Text(f"[Summary of the conversation so far]\n{summary}"),))
                rest = evolve(messages[n], parts=messages[n].parts[k + 1 :])
                return (told, rest, *messages[n + 1 :])
    return messages


def _summary(part: Part) -> str:
    raw = getattr(part, "raw", {})
    content = raw.get("content") if raw.get("type") == "compaction" else None
    return content if isinstance(content, str) else ""


def _led(
    system: Iterator[Text], messages: tuple[Message, ...]
) -> tuple[tuple[Text, ...], tuple[Message, ...]]:
    """System messages at the very beginning are instructions as well."""
    count = next((n for n, message in enumerate(messages) if message.role is not Role.SYSTEM), len(messages))
    led = (part for message in messages[:count] for part in message.parts if isinstance(part, Text))
    return (*system, *led), messages[count:]


def _reasoning(body: Fields) -> Reasoning:
    config = body.object("output_config")
    effort = _effort(config) if config is not None else None
    for message in body.objects("messages"):
        # The latest system message that says so decides for the turns after it.
        later = message.object("output_config") if message.text("role") == "system" else None
        effort = (_effort(later) if later is not None else None) or effort
    thinking = body.object("thinking")
    if thinking is None:
        return Reasoning(effort=effort)
    match thinking.text("type"):
        case "disabled":
            return Reasoning(effort=Effort.NONE)
        case "enabled":
            budget = thinking.count("budget_tokens")
            return Reasoning(effort, budget, adaptive=budget is None, display=thinking.text("display"))
        case _:  # adaptive, between_tools, and what may come
            return Reasoning(effort, adaptive=True, display=thinking.text("display"))


def _effort(config: Fields) -> Effort | None:
    """A step we do not know leaves it to the model."""
    return _EFFORTS.get(config.text("effort"))


def _format(body: Fields) -> OutputFormat | None:
    config = body.object("output_config")
    wanted = (config.object("format") if config is not None else None) or body.object("output_format")
    if wanted is None or wanted.text("type") != "json_schema":
        return None
    return OutputFormat(FormatKind.JSON_SCHEMA, wanted.mapping("schema"))
