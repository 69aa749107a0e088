"""What `shunt help TOPIC` shows: one Markdown file per topic, inside the package."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable


def topics() -> dict[str, str]:
    """Title of every topic by its name, in alphabetical order."""
    found = {file.name.removesuffix(".md"): file for file in _folder().iterdir() if file.name.endswith(".md")}
    return {name: title(found[name].read_text(encoding="utf-8")) for name in sorted(found)}


def topic(name: str) -> str | None:
    """The text of a topic; None when there is none of this name."""
    if name not in topics():  # never a path made of what somebody typed
        return None
    return _folder().joinpath(f"{name}.md").read_text(encoding="utf-8")


def title(text: str) -> str:
    """The first heading."""
    return next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("#")), "")


def _folder() -> Traversable:
    return files("shunt").joinpath("docs")
