"""Schemas of the control API."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from shunt.server.schemas import SCHEMAS, TEXT, many, maybe, record, ref


def test_pieces_mean_what_they_say() -> None:
    """Null where it may be, every field there, more allowed."""
    schema = record("x", name=maybe(TEXT), list=many(TEXT))
    valid = jsonschema_rs.validator_for(schema).is_valid
    assert valid({"name": None, "list": ["a"], "more": 1})
    assert not valid({"name": None})
    assert not valid({"name": 1, "list": []})
    assert maybe(ref("Error"))["anyOf"][1] == {"type": "null"}


def test_every_reference_leads_somewhere() -> None:
    """No schema names one that is not there."""

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
            return own + [found for each in value.values() for found in references(each)]
        return [found for each in value for found in references(each)] if isinstance(value, list) else []

    assert {name.rpartition("/")[2] for name in references(SCHEMAS)} <= set(SCHEMAS)
