"""What a Messages request means for the program: instructions, turns, tools, switches. Pure.

The program takes what people type, one turn after the other. So a request is cut in three: the
conversation so far, the tool results it ends with, and the turn that is to be answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from attrs import field, frozen

from shunt.errors import InvalidRequest
from shunt.inference.repairs import BILLING_MARK
from shunt.protocols.anthropic_messages.outline import session_of
from shunt.wire import json

SERVER: Final = "c"
"""Name of the client's tools as an MCP server: short, because it is part of every tool's name."""
PREFIX: Final = f"mcp__{SERVER}__"
LONGEST: Final = 110
"""Characters of a tool's name; the vendor takes 128 with the prefix."""
CONTINUE: Final = "Continue."
"""Stands where the turn to be answered is missing, after a prefilled answer."""

Block = dict[str, Any]
Message = dict[str, Any]

_PLAIN: Final = re.compile(r"[a-zA-Z0-9_-]+")
_UNSAYABLE: Final[Mapping[str, Any]] = {
    "temperature": 1,
    "top_p": None,
    "top_k": None,
    "stop_sequences": [],
    "service_tier": "auto",
    "container": None,
}
"""Request fields that the program has no switch for, and the value of each that holds anyway."""
_THINKING: Final = {"adaptive": ("--thinking", "adaptive"), "disabled": ("--thinking", "disabled")}


@frozen
class Tool:
    """One of the client's tools."""

    name: str
    """As the model sees it behind the prefix."""
    client_name: str
    description: str
    schema: Mapping[str, Any]


@frozen
class Plan:
    """One request, taken apart."""

    model: str
    stream: bool
    system: str = field(repr=False)
    history: tuple[Message, ...] = field(repr=False)
    """The turns before the one to be answered; roles alternate and the first is the user's."""
    results: tuple[Block, ...] = field(repr=False)
    """Tool results in the last turn, as the client sent them."""
    question: tuple[Block, ...] = field(repr=False)
    """The rest of the last turn; empty when there are only results."""
    tools: tuple[Tool, ...] = field(default=(), repr=False)
    switches: tuple[str, ...] = ()
    """Arguments about thinking and effort."""
    max_tokens: int = 0
    """0 leaves it to the program."""
    output_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    session: str = ""
    """The session that the body itself names."""
    dropped: tuple[str, ...] = ()
    """Fields that could not be said to the program."""

    @property
    def aliases(self) -> dict[str, str]:
        """Tool name as the model uses it → the client's own."""
        return {PREFIX + tool.name: tool.client_name for tool in self.tools}

    @property
    def turns(self) -> tuple[Message, ...]:
        """All turns, the last one included."""
        return (*self.history, {"role": "user", "content": [*self.results, *self.question]})


def plan_of(body: bytes) -> Plan:
    """Take a Messages request apart. Raises InvalidRequest when it is none."""
    fields = json.decode_object(body)
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("messages must be a list with at least one message.", param="messages")
    tools, unusable = _tools(fields)
    names = {tool.client_name: PREFIX + tool.name for tool in tools}
    turns = _turns(messages, names)
    dropped = [
        *unusable,
        *(name for name, usual in _UNSAYABLE.items() if fields.get(name) not in (None, usual)),
    ]
    if turns and turns[-1]["role"] == "assistant":
        # The program answers people, it does not finish sentences.
        turns.append({"role": "user", "content": [{"type": "text", "text": CONTINUE}]})
        dropped.append("prefill")
    if not turns:
        raise InvalidRequest("messages hold nothing to be answered.", param="messages")
    last = turns[-1]["content"]
    switches, unsaid = _switches(fields)
    choice = fields.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
        dropped.append("tool_choice")
    return Plan(
        model=str(fields.get("model", "")),
        stream=fields.get("stream") is True,
        system=_system(fields.get("system")),
        history=tuple(turns[:-1]),
        results=tuple(block for block in last if block.get("type") == "tool_result"),
        question=tuple(block for block in last if block.get("type") != "tool_result"),
        tools=tools,
        switches=switches,
        max_tokens=_whole(fields.get("max_tokens")),
        output_schema=_output_schema(fields),
        session=_session(fields),
        dropped=(*dropped, *unsaid),
    )


def digest(system: str, turns: Iterable[Message]) -> str:
    """A hash of what was said, the same for every spelling that clients replay it in.

    Thinking, cache marks and citations come and go between requests; texts, calls and results do not.
    """
    told = sha256(system.encode("utf-8", "surrogatepass"))
    for turn in turns:
        told.update(b"\0" + turn["role"].encode())
        texts: list[str] = []
        for block in turn["content"]:
            kind = block.get("type")
            if kind == "text":
                texts.append(str(block.get("text", "")))
            elif kind in ("thinking", "redacted_thinking"):
                continue
            else:
                kept = {key: value for key, value in block.items() if key != "cache_control"}
                texts.append("\1" + json.encode(kept).decode())
        told.update("".join(texts).strip().encode("utf-8", "surrogatepass"))
    return told.hexdigest()


def _system(system: object) -> str:
    blocks = system if isinstance(system, list) else [{"text": system}]
    texts = [block.get("text") for block in blocks if isinstance(block, dict)]
    kept = [text for text in texts if isinstance(text, str) and text.strip()]
    # The attribution line of another Claude Code: this one writes its own.
    return "\n\n".join(text for text in kept if not text.startswith(BILLING_MARK))


def _tools(fields: Mapping[str, Any]) -> tuple[tuple[Tool, ...], list[str]]:
    """The tools that the client runs, and what else there was."""
    choice = fields.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "none":
        return (), []
    found: dict[str, Tool] = {}
    unusable: list[str] = []
    for tool in fields.get("tools") or ():
        name = tool.get("name") if isinstance(tool, dict) else None
        if not isinstance(name, str) or not name:
            continue
        if tool.get("type") not in (None, "custom"):
            unusable.append(f"tools.{name}")
            continue
        schema = tool.get("input_schema")
        fitting = _fitted(name)
        found[fitting] = Tool(
            fitting,
            name,
            str(tool.get("description") or ""),
            schema if isinstance(schema, dict) else {"type": "object", "properties": {}},
        )
    return tuple(found.values()), unusable


def _fitted(name: str) -> str:
    if len(name) <= LONGEST and _PLAIN.fullmatch(name):
        return name
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[: LONGEST - 9]
    return f"{plain}_{sha256(name.encode()).hexdigest()[:8]}"


def _turns(messages: Sequence[object], names: Mapping[str, str]) -> list[Message]:
    """The turns with equal neighbours joined, the first one the user's."""
    turns: list[Message] = []
    for message in messages:
        if not isinstance(message, dict):
            raise InvalidRequest("Each of the messages must be an object.", param="messages")
        role = "assistant" if message.get("role") == "assistant" else "user"
        content = _blocks(message.get("content"), names)
        if message.get("role") == "system":
            content = [_reminder(block) for block in content]
        if not content:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"].extend(content)
        else:
            turns.append({"role": role, "content": content})
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": "Begin."}]})
    return turns


def _reminder(block: Block) -> Block:
    """A system text in mid-conversation, where the program's transcripts know only two roles."""
    if block.get("type") != "text":
        return block
    return {"type": "text", "text": f"<system-reminder>\n{block['text']}\n</system-reminder>"}


def _blocks(content: object, names: Mapping[str, str]) -> list[Block]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise InvalidRequest("The content of a message must be a text or a list.", param="messages")
    blocks: list[Block] = []
    for block in content:
        if not isinstance(block, dict):
            raise InvalidRequest("Each block of a message must be an object.", param="messages")
        if block.get("type") == "text" and not str(block.get("text", "")).strip():
            continue  # the vendor refuses empty texts
        kept = {key: value for key, value in block.items() if key != "cache_control"}
        if kept.get("type") == "tool_use":
            kept["name"] = names.get(str(kept.get("name")), PREFIX + _fitted(str(kept.get("name"))))
        blocks.append(kept)
    return blocks


def _switches(fields: Mapping[str, Any]) -> tuple[tuple[str, ...], list[str]]:
    """Arguments for thinking and effort, and what could not be said."""
    switches: list[str] = []
    unsaid: list[str] = []
    thinking = fields.get("thinking")
    if isinstance(thinking, dict):
        kind = str(thinking.get("type"))
        if kind == "enabled" and _whole(thinking.get("budget_tokens")):
            switches += ("--max-thinking-tokens", str(_whole(thinking.get("budget_tokens"))))
        elif kind in _THINKING:
            switches += _THINKING[kind]
        else:
            unsaid.append("thinking")
        if thinking.get("display") in ("summarized", "omitted") and kind != "disabled":
            switches += ("--thinking-display", str(thinking["display"]))
    output = fields.get("output_config")
    effort = output.get("effort") if isinstance(output, dict) else None
    if effort in ("low", "medium", "high", "xhigh", "max"):
        switches += ("--effort", str(effort))
    elif effort is not None:
        unsaid.append("output_config.effort")
    return tuple(switches), unsaid


def _output_schema(fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    output = fields.get("output_config")
    shape = output.get("format") if isinstance(output, dict) else None
    schema = shape.get("schema") if isinstance(shape, dict) and shape.get("type") == "json_schema" else None
    return schema if isinstance(schema, dict) else None


def _session(fields: Mapping[str, Any]) -> str:
    metadata = fields.get("metadata")
    if not isinstance(metadata, dict):
        return ""
    for name in ("conversation_id", "session_id"):
        if isinstance(metadata.get(name), str):
            return str(metadata[name])
    user = metadata.get("user_id")
    return session_of(user) if isinstance(user, str) else ""


def _whole(number: object) -> int:
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else 0
