"""A program that speaks Claude Code's stream-json, for what the real one cannot be made to do.

Run as `python claude_program.py -p …`; what the person writes decides what it does:

    stall            begins an answer and says nothing more
    silent           says nothing at all
    crash            dies in the middle of an answer, with a word on standard error
    limited          the five-hour window is spent
    logged out       there is no login
    long             an answer without an end
    tools            calls every tool that it was offered, one after the other
    lost             a resumed session is not there
    anything else    is repeated
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

PUT_OFF: list[dict[str, Any]] = []
SESSION = "11111111-2222-4333-8444-555555555555"


def say(message: dict[str, Any]) -> None:
    """Print a line."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def event(kind: str, **fields: Any) -> None:
    """Print one event of the vendor's stream."""
    inner = {"type": kind, **fields}
    say({"type": "stream_event", "event": inner, "session_id": SESSION, "parent_tool_use_id": None})


def begin() -> None:
    """The beginning of a message."""
    usage = {"input_tokens": 7, "output_tokens": 1}
    message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": "claude-opus-5-5"}
    event("message_start", message={**message, "content": [], "stop_reason": None, "usage": usage})


def text(words: str, index: int = 0) -> None:
    """A block of text."""
    event("content_block_start", index=index, content_block={"type": "text", "text": ""})
    event("content_block_delta", index=index, delta={"type": "text_delta", "text": words})


def end(reason: str = "end_turn") -> None:
    """The end of a message."""
    event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 3})
    event("message_stop")


def result(*, error: bool = False, status: int | None = None, said: str = "") -> None:
    """The end of a turn."""
    fields = {"is_error": error, "result": said, "session_id": SESSION, "api_error_status": status}
    say({"type": "result", "subtype": "success", **fields})


def receive() -> dict[str, Any]:
    """The next line from the driver; ends the program when there is none."""
    if PUT_OFF:
        return PUT_OFF.pop(0)
    return read()


def read() -> dict[str, Any]:
    """The next line as it comes."""
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message: dict[str, Any] = json.loads(line)
    return message


def ask(number: int, method: str, **parameters: Any) -> None:
    """Send a request to the client's tools."""
    inner = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
    request = {"subtype": "mcp_message", "server_name": "c", "message": inner}
    say({"type": "control_request", "request_id": f"r{number}", "request": request})


def reply() -> dict[str, Any]:
    """The answer to a request; what a person wrote meanwhile is put off."""
    while (message := read())["type"] != "control_response":
        PUT_OFF.append(message)
    told: dict[str, Any] = message["response"]["response"]["mcp_response"]["result"]
    return told


def call_tools(names: list[str]) -> None:
    """Call each tool with one argument, then tell what came back."""
    begin()
    for index, name in enumerate(names):
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": f"mcp__c__{name}", "input": {}}
        event("content_block_start", index=index, content_block=block)
        partial = {"type": "input_json_delta", "partial_json": json.dumps({"n": index})}
        event("content_block_delta", index=index, delta=partial)
        event("content_block_stop", index=index)
    end("tool_use")
    found = []
    for index, name in enumerate(names):
        meta = {"claudecode/toolUseId": f"toolu_{index}"}
        ask(10 + index, "tools/call", name=name, arguments={"n": index}, _meta=meta)
        found.append(reply()["content"][0]["text"])
    begin()
    text(" and ".join(found))
    event("content_block_stop", index=0)
    end()
    result()


def answer(words: str, tools: list[str]) -> None:
    """Do what the words say."""
    if words == "silent":
        time.sleep(3600)
    if words == "limited":
        info = {"status": "rejected", "resetsAt": 4_102_444_800, "rateLimitType": "five_hour"}
        say({"type": "rate_limit_event", "rate_limit_info": info})
        result(error=True, status=429, said="You've hit your 5-hour limit")
        sys.exit(1)
    if words == "logged out":
        result(error=True, said="Not logged in · Please run /login")
        sys.exit(1)
    if words == "tools":
        call_tools(tools)
        return
    begin()
    text("long " * 50 if words == "long" else words)
    if words == "crash":
        sys.stderr.write("out of memory, key sk-ant-api03-obviously-fake-000\n")
        sys.exit(7)
    if words == "stall":
        time.sleep(3600)
    while words == "long":
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "long " * 50})
    event("content_block_stop", index=0)
    end()
    result()


def main() -> None:
    """Speak until the driver closes the pipe."""
    if "--version" in sys.argv:
        print("2.1.999 (Claude Code)")  # noqa: T201 - it is a program
        return
    resumed = [argument for argument in sys.argv if argument.startswith("--resume=")]
    if any("-" in each and not each.endswith(".jsonl") for each in resumed) and "lost" in str(sys.argv):
        sys.stderr.write("No conversation found with session ID\n")
        result(error=True, said="")
        sys.exit(1)
    tools: list[str] = []
    while True:
        message = receive()
        if message["type"] == "control_request":
            say({"type": "control_response", "response": {"subtype": "success", "request_id": "i"}})
            if message["request"].get("sdkMcpServers"):
                ask(1, "initialize", protocolVersion="2025-11-25")
                reply()
                ask(2, "tools/list")
                tools = [tool["name"] for tool in reply()["tools"]]
            say({"type": "system", "subtype": "init", "session_id": SESSION})
        elif message["type"] == "user":
            content = message["message"]["content"]
            answer(content if isinstance(content, str) else content[-1]["text"], tools)


if __name__ == "__main__":
    main()
