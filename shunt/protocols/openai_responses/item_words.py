"""Items that only this protocol has, told in words, so that another vendor's model learns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shunt.inference.arguments import as_text

Raw = Mapping[str, Any]


def told(item: Raw, kind: str) -> str:
    """What an item says; empty when it says nothing that another model could use."""
    teller = _TELLERS.get(kind)
    return teller(item).strip() if teller is not None else _text(item, "text").strip()


def output_told(item: Raw) -> str:
    """What a client's own tool printed: text, or a list with what each command printed."""
    output = item.get("output")
    if isinstance(output, list):
        return "\n".join(filter(None, map(_command_told, output)))
    return output if isinstance(output, str) else as_text(output) if output is not None else ""


def tool_names(tools: list[Any]) -> list[str]:
    """Names of tools as a search lists them, those of a namespace after its name."""
    names: list[str] = []
    for tool in tools:
        if not isinstance(tool, dict):
            continue
        name, inner = _text(tool, "name"), tool.get("tools")
        if isinstance(inner, list):
            names += [f"{name}__{one}" for one in tool_names(inner)]
        elif name:
            names.append(name)
    return names


def _command_told(entry: Any) -> str:
    if not isinstance(entry, dict):
        return entry if isinstance(entry, str) else ""
    outcome = entry.get("outcome")
    ending = ""
    if isinstance(outcome, dict):
        if outcome.get("type") == "timeout":
            ending = "(timed out)"
        elif outcome.get("exit_code"):
            ending = f"(exit code {outcome['exit_code']})"
    return "\n".join(filter(None, (_text(entry, "stdout"), _text(entry, "stderr"), ending)))


def _code_told(item: Raw) -> str:
    outputs = item.get("outputs")
    logs = [
        _text(output, "logs")
        for output in (outputs if isinstance(outputs, list) else ())
        if isinstance(output, dict)
    ]
    return "\n".join(filter(None, ("[Code was run]", _text(item, "code"), *logs)))


def _mcp_told(item: Raw) -> str:
    said = f"[{_text(item, 'server_label')}.{_text(item, 'name')} was called with {as_text(item.get('arguments'))}]"
    error = item.get("error")
    return "\n".join(filter(None, (said, _text(item, "output"), f"Error: {as_text(error)}" if error else "")))


def _files_told(item: Raw) -> str:
    queries = item.get("queries")
    asked = ", ".join(q for q in queries if isinstance(q, str)) if isinstance(queries, list) else ""
    results = item.get("results")
    found = [
        f"{_text(hit, 'filename')}: {_text(hit, 'text')}"
        for hit in (results if isinstance(results, list) else ())
        if isinstance(hit, dict)
    ]
    return "\n".join((f"[Files were searched for: {asked}]", *found))


def _image_told(item: Raw) -> str:
    prompt = _text(item, "revised_prompt")
    return f"[An image was generated: {prompt}]" if prompt else "[An image was generated]"


def _approval_told(item: Raw) -> str:
    if "approve" in item:
        return "[The user approved the call]" if item["approve"] else "[The user declined the call]"
    return f"[Approval was asked for {_text(item, 'server_label')}.{_text(item, 'name')}]"


def _text(item: Raw, name: str) -> str:
    found = item.get(name)
    return found if isinstance(found, str) else ""


_TELLERS: Final[dict[str, Callable[[Raw], str]]] = {
    "code_interpreter_call": _code_told,
    "mcp_call": _mcp_told,
    "mcp_approval_request": _approval_told,
    "mcp_approval_response": _approval_told,
    "file_search_call": _files_told,
    "image_generation_call": _image_told,
    "computer_call": lambda item: (
        f"[The computer was used: {as_text(item.get('action') or item.get('actions'))}]"
    ),
    "computer_call_output": lambda _: "[A screenshot was taken]",
    "program": lambda item: f"[A program was run]\n{_text(item, 'code')}",
    "program_output": lambda item: _text(item, "result"),
    "compaction_summary": lambda item: _text(item, "summary") or _text(item, "text"),
}
