"""Custom tools as functions."""

from __future__ import annotations

import pytest

from shunt.inference.content import Message, Role, Text, ToolCall, ToolResult
from shunt.inference.custom_tools import SCHEMA, as_functions
from shunt.inference.request import ChoiceMode, GenerateRequest, HostedTool, Tool, ToolChoice

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
NESTED = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}}


@pytest.mark.parametrize("grammar", [GRAMMAR, NESTED])
def test_the_tool_takes_one_string(grammar: dict[str, object]) -> None:
    """A custom tool becomes a function, and its grammar part of its description."""
    request = GenerateRequest(
        "m", tools=(Tool("p", "Patches.", custom=True, grammar=grammar, raw={"type": "custom"}),)
    )
    assert as_functions(request).tools == (
        Tool("p", "Patches.\n\n`input` must follow this lark grammar:\nstart: /.+/", SCHEMA),
    )


def test_history_and_choice_follow() -> None:
    """Calls, results and the choice of a custom tool are a function's; the rest is untouched."""
    tools = (Tool("f"), HostedTool("web_search", "web_search"))
    request = GenerateRequest(
        "m",
        tools=tools,
        messages=(
            Message(Role.ASSISTANT, (Text("ok"), ToolCall("c", "p", 'say "é"', custom=True))),
            Message(Role.USER, (ToolResult("c", (Text("done"),), custom=True),)),
        ),
        tool_choice=ToolChoice(ChoiceMode.NAMED, "p", custom=True),
    )
    after = as_functions(request)
    assert after.tools == tools
    assert after.messages[0].parts == (Text("ok"), ToolCall("c", "p", '{"input":"say \\"é\\""}'))
    assert after.messages[1].parts == (ToolResult("c", (Text("done"),)),)
    assert after.tool_choice == ToolChoice(ChoiceMode.NAMED, "p")
