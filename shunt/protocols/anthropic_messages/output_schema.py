"""Schemas of structured output, as far as the Messages API takes them.

It holds the model to a schema by a grammar, which knows no lengths and ranges and no open objects. What is
left out is said in the description, where the model reads it.
Documented at https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_UNKNOWN: Final = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minContains", "maxContains"),
        *("minProperties", "maxProperties", "propertyNames", "patternProperties"),
    }
)
_MAPS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "allOf", "prefixItems")
_DEPTH: Final = 64


def output_schema(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """The schema without what the vendor refuses; an object without any schema for none."""
    return _closed(schema or {"type": "object"}, _DEPTH)


def _closed(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    node = {name: value for name, value in schema.items() if name not in _UNKNOWN}
    lost = {name: value for name, value in schema.items() if name in _UNKNOWN}
    if isinstance(least := node.get("minItems"), int) and least > 1:
        lost["minItems"] = node.pop("minItems")
    if "oneOf" in node:
        node.setdefault("anyOf", node.pop("oneOf"))
    if depth > 0:
        node = {name: _inner(name, value, depth - 1) for name, value in node.items()}
    if node.get("type") == "object" or "properties" in node:
        node["additionalProperties"] = False
    if lost:
        told = ", ".join(f"{name}: {value}" for name, value in lost.items())
        node["description"] = "\n\n".join(filter(None, (node.get("description"), f"{{{told}}}")))
    return node


def _inner(name: str, value: Any, depth: int) -> Any:
    """What stands under a keyword: a schema, a list of them, a map of them, or a value."""
    if name in _MAPS and isinstance(value, Mapping):
        return {key: _schema(inner, depth) for key, inner in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_schema(inner, depth) for inner in value]
    return _schema(value, depth) if name == "items" else value


def _schema(value: Any, depth: int) -> Any:
    return _closed(value, depth) if isinstance(value, Mapping) else value
