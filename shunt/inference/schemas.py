"""JSON schemas of tools, in the shape that vendors accept.

What clients send comes from many generators; what vendors refuse is the same few things: a schema that
is missing or no object, an array without items, a union at the root.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]

UNIONS: Final = ("anyOf", "oneOf", "allOf")
_VALUES: Final = frozenset({"const", "enum", "default", "example", "examples"})
"""Keys under which values stand, not schemas."""
_DEPTH: Final = 64


def tool_schema(schema: Mapping[str, Any] | None, *, root_unions: bool) -> Schema:
    """The schema of a tool's arguments: an object with properties, whose arrays have items.

    Without `root_unions`, the branches of a union at the root are merged into one object.
    """
    whole: Schema = _mended(dict(schema or {}), _DEPTH)
    whole = _dereferenced(whole, whole)
    if not root_unions and any(key in whole for key in UNIONS):
        whole = _Merge(whole).merge(whole)
    if whole.get("type") != "object":
        whole = {"type": "object"} | {key: value for key, value in whole.items() if key != "type"}
    if not isinstance(whole.get("properties"), dict):
        whole["properties"] = {}
    return whole


def is_strict(schema: Any, depth: int = _DEPTH) -> bool:
    """Whether a schema is of the kind that OpenAI can hold its models to.

    Every object names all its properties as required and allows no others.
    """
    if depth <= 0:
        return False
    if isinstance(schema, list):
        return all(is_strict(one, depth - 1) for one in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties")
        names = set(properties) if isinstance(properties, dict) else set()
        if schema.get("additionalProperties") is not False or set(_names(schema.get("required"))) != names:
            return False
    return all(is_strict(value, depth - 1) for key, value in schema.items() if key not in _VALUES)


def _mended(node: Any, depth: int) -> Any:
    """A copy in which every array has items."""
    if depth <= 0:
        return node
    if isinstance(node, list):
        return [_mended(item, depth - 1) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: value if key in _VALUES else _mended(value, depth - 1) for key, value in node.items()}
    kind = copy.get("type")
    array = kind == "array" or (isinstance(kind, list) and "array" in kind)
    if array and "items" not in copy and "prefixItems" not in copy:
        copy["items"] = {}
    return copy


def _dereferenced(node: Schema, root: Schema) -> Schema:
    """The node, or what its `$ref` into the root's definitions stands for."""
    seen: set[str] = set()
    while isinstance(ref := node.get("$ref"), str) and ref.startswith("#/") and ref not in seen:
        seen.add(ref)
        target: Any = root
        for step in ref[2:].split("/"):
            target = target.get(step) if isinstance(target, dict) else None
        if not isinstance(target, dict):
            break
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


class _Merge:
    """Unions of one schema made into objects. Each definition is merged once, also when it names itself."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._merged: dict[str, Schema] = {}

    def merge(self, node: Schema, depth: int = _DEPTH) -> Schema:
        """One object for a union: every property of every branch; required is what all branches require."""
        properties: dict[str, list[Any]] = {}
        _collect(properties, node.get("properties"))
        required = list(_names(node.get("required")))
        for union in UNIONS:
            branches = [self._branch(branch, depth - 1) for branch in _dicts(node.get(union))]
            objects = [branch for branch in branches if "properties" in branch or "required" in branch]
            for branch in objects:
                _collect(properties, branch.get("properties"))
            demands = [set(_names(branch.get("required"))) for branch in objects]
            if demands:
                wanted = set.union(*demands) if union == "allOf" else set.intersection(*demands)
                required += [name for name in properties if name in wanted and name not in required]
        merged = {key: value for key, value in node.items() if key not in UNIONS}
        if properties:
            merged["properties"] = {name: _either(schemas) for name, schemas in properties.items()}
        if required:
            merged["required"] = required
        return merged

    def _branch(self, branch: Schema, depth: int) -> Schema:
        if depth <= 0:
            return branch
        if not isinstance(ref := branch.get("$ref"), str):
            return self.merge(branch, depth)
        if ref not in self._merged:
            self._merged[ref] = {}
            self._merged[ref] = self.merge(_dereferenced(branch, self._root), depth)
        return self._merged[ref]


def _collect(into: dict[str, list[Any]], properties: Any) -> None:
    for name, schema in (properties if isinstance(properties, dict) else {}).items():
        schemas = into.setdefault(name, [])
        if schema not in schemas:
            schemas.append(schema)


def _either(schemas: list[Any]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _names(required: Any) -> Iterable[str]:
    return (name for name in (required if isinstance(required, list) else ()) if isinstance(name, str))


def _dicts(branches: Any) -> list[Schema]:
    return [branch for branch in (branches if isinstance(branches, list) else ()) if isinstance(branch, dict)]
