"""The description of the control API is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from shunt.server.openapi import DESCRIBED, whole
from shunt.server.routes import ROUTES, Surface
from shunt.store.history import open_history
from shunt.store.history_search import Archive
from shunt.wire import json
from tests.fakes.gateway import T0, Setting, house
from tests.fakes.records import record, request_id, sample
from tests.telemetry.requests import recording

OURS = [route for route in ROUTES if route.surface is not Surface.PROXY]


def test_every_route_is_described_and_nothing_else() -> None:
    """Path by path, method by method."""
    told = {(path, method) for path, methods in whole()["paths"].items() for method in methods}
    there = {
        (re.sub(r"<(?:path:)?(\w+)>", r"{\1}", route.rule), method.lower())
        for route in OURS
        for method in route.methods
    }
    assert told == there
    assert set(DESCRIBED) == {(route.endpoint, method) for route in OURS for method in route.methods}


def test_every_parameter_of_a_path_is_described() -> None:
    """And every operation has a name of its own."""
    names = []
    for path, methods in whole()["paths"].items():
        for operation in methods.values():
            names.append(operation["operationId"])
            told = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert told == set(re.findall(r"{(\w+)}", path))
    assert len(names) == len(set(names))


def schema_of(path: str) -> Any:
    document = whole()
    operation = document["paths"][path]["get"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return {**schema, "components": document["components"]}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/health", "/health"),
        ("/ready", "/ready"),
        ("/status", "/status"),
        ("/strategy", "/strategy"),
        ("/history", "/history"),
        ("/history", "/history?by=day,account"),
        ("/history/windows", "/history/windows"),
        ("/forecast", "/forecast"),
        ("/explain", "/explain"),
        ("/explain/{request}", f"/explain/{request_id(1)}"),
        ("/debug/stats", "/debug/stats"),
        ("/debug/active", "/debug/active"),
        ("/debug/health", "/debug/health"),
        ("/debug/traces", "/debug/traces?limit=3"),
        ("/debug/traces/{request}", f"/debug/traces/{request_id(1)}"),
        ("/debug/errors", "/debug/errors"),
        ("/debug/errors/{request}", f"/debug/errors/{request_id(2)}"),
        ("/debug/logs", "/debug/logs?level=error"),
        ("/sessions", "/sessions"),
        ("/openapi.json", "/openapi.json"),
        ("/", "/"),
    ],
)
async def test_answers_are_as_described(tmp_path: Path, path: str, asked: str) -> None:
    """Every document of the control API fits its schema, with data in it."""
    opened = open_history(tmp_path / "history.sqlite3", T0).history
    opened.insert([record(n) for n in range(3)], [sample(0, 0.5)])
    setting = Setting(archive=Archive(tmp_path / "history.sqlite3"))
    setting.observatory.active = lambda: {request_id(9): recording(9)}
    setting.observatory.finished(recording(1), record(1))
    setting.observatory.finished(recording(2), record(2, outcome="failed", status=503))
    setting.pool.finished(record(1))
    async with house(setting=setting) as served:
        answer = await served.ask(b"GET", asked.encode())
    opened.close()
    assert answer.status == 200, answer.body
    jsonschema_rs.validator_for(schema_of(path)).validate(json.value(answer.body))
