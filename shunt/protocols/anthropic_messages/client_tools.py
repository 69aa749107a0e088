"""Anthropic's tools that the client runs, by the schemas that its documentation publishes.

Claude knows them by their type alone; every other model has to be given the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TEXT: Final = {"type": "string"}
_PATH: Final = {"type": "string", "description": "Absolute path of a file or folder."}
_RANGE: Final = {
    "type": "array",
    "items": {"type": "integer"},
    "description": "For `view`: first and last line, counted from 1; -1 is the end.",
}
_EDITING: Final = {
    "path": _PATH,
    "view_range": _RANGE,
    "file_text": {"type": "string", "description": "For `create`: the whole content."},
    "old_str": {
        "type": "string",
        "description": "For `str_replace`: the text to replace; it must be there once.",
    },
    "new_str": {"type": "string", "description": "For `str_replace`: what to put in its place."},
    "insert_line": {
        "type": "integer",
        "description": "For `insert`: the line after which to insert; 0 is the top.",
    },
    "insert_text": {"type": "string", "description": "For `insert`: the text."},
}


def _commands(*names: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(names)}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


_BASH: Final = (
    "Run commands in a bash shell that stays open between calls.",
    _object(
        [],
        command={"type": "string", "description": "The command to run; needed unless restarting."},
        restart={"type": "boolean", "description": "Start the shell afresh."},
    ),
)
_EDITOR: Final = (
    "View, create and edit files.",
    _object(["command", "path"], command=_commands("view", "create", "str_replace", "insert"), **_EDITING),
)
_MEMORY: Final = (
    "Keep notes between conversations, as files under /memories. Look there before you begin.",
    _object(
        ["command"],
        command=_commands("view", "create", "str_replace", "insert", "delete", "rename"),
        **_EDITING,
        old_path=_TEXT,
        new_path=_TEXT,
    ),
)
_KINDS: Final = {"bash": _BASH, "text_editor": _EDITOR, "memory": _MEMORY}


def described(kind: str) -> tuple[str, Mapping[str, Any]] | None:
    """Description and schema of a client-run tool of this kind (`bash`, …); None for any other."""
    return _KINDS.get(kind)
