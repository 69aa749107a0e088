"""A request for a model's answer, in no protocol's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import field, frozen

from shunt.inference.content import CacheMark, Message, Text

MIDDLING: Final = "medium"
"""The verbosity that holds when nothing is said."""


@frozen
class Tool:
    """A tool that the client runs."""

    name: str
    description: str = ""
    schema: Mapping[str, Any] | None = None
    """JSON schema of its arguments; None when the client gave none."""
    strict: bool | None = None
    custom: bool = False
    """Takes free text instead of JSON arguments."""
    grammar: Mapping[str, Any] | None = None
    """A custom tool's input format, as OpenAI writes it."""
    namespace: str = ""
    deferred: bool = False
    """Not shown to the model until a search brings it up."""
    cache: CacheMark | None = None
    raw: Mapping[str, Any] = field(factory=dict)
    """The tool as its own protocol wrote it."""


@frozen
class HostedTool:
    """A tool that the vendor runs. Decided by type, never by name."""

    kind: str
    """`web_search`, `web_fetch`, `code_execution`, `bash`, `text_editor`, `memory`, `computer`,
    `file_search`, `image_generation`, `mcp`, `tool_search`, `local_shell`, …"""
    type: str
    """The protocol's own, versioned type."""
    name: str = ""
    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    user_location: Mapping[str, Any] | None = None
    max_uses: int | None = None
    raw: Mapping[str, Any] = field(factory=dict)


class ChoiceMode(StrEnum):
    """How free the model is to use tools."""

    AUTO = "auto"
    REQUIRED = "required"
    NONE = "none"
    NAMED = "named"


@frozen
class ToolChoice:
    """What the client wants done with the tools."""

    mode: ChoiceMode = ChoiceMode.AUTO
    name: str = ""
    """For NAMED."""
    custom: bool = False
    hosted: str = ""
    """Kind of the hosted tool that is forced, for NAMED."""
    allowed: tuple[str, ...] | None = None
    """Only these tools may be used; None means all that are offered."""


class Effort(StrEnum):
    """How hard to think, weakest first; each model has some of the steps."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"
    MAX = "max"


@frozen
class Reasoning:
    """What the client said about thinking. All empty: nothing was said, the model's default holds."""

    effort: Effort | None = None
    budget: int | None = None
    """Tokens, as Anthropic's older models take it."""
    adaptive: bool = False
    """The model decides when to think."""
    display: str = ""
    """`summarized`, `omitted`, `auto`, `concise`, `detailed`, or empty."""


class FormatKind(StrEnum):
    """How the answer is to be shaped."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"


@frozen
class OutputFormat:
    """Structured output."""

    kind: FormatKind
    schema: Mapping[str, Any] | None = None
    name: str = ""
    strict: bool | None = None
    description: str = ""


@frozen
class GenerateRequest:
    """A whole request. None and empty mean that the client said nothing."""

    model: str
    protocol: str = ""
    """Name of the protocol it was written in, whose words `native` and every `raw` are."""
    instructions: tuple[Text, ...] = ()
    """The leading run of system and developer texts, one per source part."""
    messages: tuple[Message, ...] = ()
    """The conversation; system and developer messages in the middle stay in place."""
    tools: tuple[Tool | HostedTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    stream: bool = False
    max_output: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    reasoning: Reasoning = Reasoning()
    format: OutputFormat | None = None
    verbosity: str = ""
    user: str = ""
    """The client's id of its own user."""
    cache_key: str = ""
    """`prompt_cache_key`, or the session id that serves as one."""
    tier: str = ""
    """`auto`, `standard`, `flex`, `priority`, `fast`, …"""
    include_usage: bool = False
    """Chat: a usage chunk at the stream's end was asked for."""
    include_encrypted: bool = False
    """Responses: opaque reasoning was asked for."""
    store: bool | None = None
    previous: str = ""
    """`previous_response_id`."""
    metadata: Mapping[str, Any] = field(factory=dict)
    legacy_functions: bool = False
    """Chat: the client speaks of functions, not of tools, and is answered likewise."""
    native: Mapping[str, Any] = field(factory=dict)
    """Fields with a meaning in their own protocol only, by name; another protocol drops them and
    reports those that matter."""
    hints: frozenset[str] = frozenset()
    """Names in `native` that may be dropped without a report."""
    words: Mapping[str, str] = field(factory=dict, eq=False)
    """What its protocol calls a field of these, where it has another name for it."""

    def left_out(self, fields: Iterable[str], native: Iterable[str] = ()) -> tuple[str, ...]:
        """What is reported as dropped, in the client's words, each once: `fields` of these, and some of `native`."""
        return tuple(dict.fromkeys((*(self.words.get(name, name) for name in fields), *native)))

    def unsaid(self) -> Iterable[str]:
        """Names in `native` that another protocol has to report."""
        return (name for name in self.native if name not in self.hints)
