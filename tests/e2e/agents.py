"""Scripted models of three APIs with one character: they run a tool when asked to and repeat its result."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from tests.e2e.logins import codex_login
from tests.e2e.program import Program, key_account
from tests.fakes import anthropic, openai_chat, openai_responses
from tests.fakes.upstream import Answer, Request, Step

Script = Callable[[Request, int], Answer]

WORDS = "plain words arrived"
SUM = "echo $((19283 + 40112))"
RESULT = "59395"
"""What a shell makes of it: it stands nowhere in the prompt, so showing it proves the tool turn."""
CUE = "use the tool"
SAID = "the tool says "


def text_of(content: Any) -> str:
    """The text of a tool result."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def claude_model(name: str, arguments: dict[str, Any]) -> Script:
    """A Claude that calls the tool `name`."""

    def script(request: Request, _: int) -> Answer:
        body = request.json
        last = body["messages"][-1]["content"]
        parts = last if isinstance(last, list) else []
        results = [it for it in parts if it.get("type") == "tool_result"]
        streams = body.get("stream")
        if body.get("tools") and not results and CUE in json.dumps(body["messages"]):
            if not streams:
                block = {"type": "tool_use", "id": "toolu_test01", "name": name, "input": arguments}
                return anthropic.json_answer(
                    {**anthropic.document(), "content": [block], "stop_reason": "tool_use"}
                )
            called = anthropic.tool_events(name, arguments)
            ending = anthropic.closing_events(stop_reason="tool_use")
            return anthropic.events_answer((*anthropic.opening_events(), *called, *ending))
        words = SAID + text_of(results[-1]["content"]) if results else WORDS
        return anthropic.stream(words) if streams else anthropic.plain(words)

    return script


def chat_model(name: str, arguments: dict[str, Any]) -> Script:
    """A model behind Chat Completions that calls the tool `name`."""

    def script(request: Request, _: int) -> Answer:
        body = request.json
        results = [it for it in body["messages"] if it["role"] == "tool"]
        streams = body.get("stream")
        if body.get("tools") and not results and CUE in json.dumps(body["messages"]):
            called = openai_chat.stream_call if streams else openai_chat.plain_call
            return called(name, arguments)
        words = SAID + text_of(results[-1]["content"]) if results else WORDS
        return (openai_chat.stream if streams else openai_chat.plain)(words)

    return script


def responses_model(name: str, arguments: dict[str, Any]) -> Script:
    """A model behind Responses that calls the tool `name`."""

    def script(request: Request, _: int) -> Answer:
        body = request.json
        items = body["input"] if isinstance(body["input"], list) else []
        results = [it for it in items if it.get("type") == "function_call_output"]
        if body.get("tools") and not results and CUE in json.dumps(body["input"]):
            item = openai_responses.call_item(name, arguments)
        else:
            words = SAID + text_of(results[-1]["output"]) if results else WORDS
            item = openai_responses.message_item(words)
        return (openai_responses.stream if body.get("stream") else openai_responses.plain)(item)

    return script


def openai_model(name: str, arguments: dict[str, Any]) -> Script:
    """OpenAI itself, which speaks both."""
    chat, responses = chat_model(name, arguments), responses_model(name, arguments)

    def script(request: Request, n: int) -> Answer:
        return (chat if request.path.endswith("/chat/completions") else responses)(request, n)

    return script


ALLOWED = {
    *(
        "model",
        "instructions",
        "input",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "include",
    ),
    *("prompt_cache_key", "text", "service_tier", "client_metadata", "store", "stream"),
}
"""What the ChatGPT backend takes."""


def chatgpt_backend(name: str, arguments: dict[str, Any]) -> Script:
    """The backend of ChatGPT logins: it streams only, refuses what it does not know, and ends with an empty list."""
    responses = responses_model(name, arguments)

    def script(request: Request, n: int) -> Answer:
        if not request.path.endswith("/responses"):
            return anthropic.json_answer({"models": []})
        body = request.json
        unknown = sorted(set(body) - ALLOWED)
        stored = [item["id"] for item in body["input"] if item.get("type") == "reasoning" and item.get("id")]
        if unknown or stored or body.get("store") is not False or body.get("stream") is not True:
            detail = f"Unsupported parameter: {unknown or stored or 'store and stream'}"
            return anthropic.json_answer({"detail": detail}, 400)
        answer = responses(request, n)
        return evolve(answer, steps=(*answer.steps[:-1], _emptied(answer.steps[-1])))

    return script


def _emptied(step: Step) -> Step:
    """The terminal event without what was said before."""
    assert isinstance(step, bytes)
    head, data = step.rstrip().split(b"data: ", 1)
    event = json.loads(data)
    event["response"]["output"] = []
    return head + b"data: " + json.dumps(event).encode() + b"\n\n"


MODELS: dict[str, Callable[[str, dict[str, Any]], Script]] = {
    "anthropic": claude_model,
    "openai-compatible": chat_model,
    "openai": openai_model,
}
"""Provider → the model behind its API."""


def account(provider: str, url: str) -> dict[str, Any]:
    """An account `c` of this provider at the scripted vendor."""
    if provider == "anthropic":
        return key_account("c")
    return {"name": "c", "provider": provider, "upstream_url": f"{url}/v1", "api_key": "sk-test-c"}


async def with_chatgpt_login(shunt: Program, url: str, **sections: Any) -> None:
    """Start with one account `c`: a ChatGPT login that was imported from Codex, at the scripted backend."""
    shunt.extra["SHUNT_CHATGPT_URL"] = f"{url}/backend-api/codex"
    shunt.configure([], **sections)
    codex_login(shunt, "acct-test-1")
    done = await shunt.cli("add-account", "c", "--provider", "codex", "--import", "--yes")
    assert done.returncode == 0, done.stderr.decode()
    await shunt.start()
