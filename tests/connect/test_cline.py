"""Cline's providers."""

from __future__ import annotations

import json
from pathlib import Path

from shunt.connect.cline import conflicts, edits
from shunt.connect.plan import planned
from tests.connect.machines import TARGET, machine


def test_its_file_is_as_cline_itself_writes_it(tmp_path: Path) -> None:
    """All fields that its reader wants; a model chosen before stays."""
    (edit,) = edits(machine(tmp_path), TARGET)
    assert edit.file == tmp_path / ".cline" / "data" / "settings" / "providers.json"
    document = json.loads(planned("", edit).after)
    provider = document["providers"]["openai-compatible"]
    assert document["version"] == 1
    assert document["lastUsedProvider"] == "openai-compatible"
    assert provider["settings"]["baseUrl"] == "http://127.0.0.1:8082/v1"
    provider["settings"]["model"] = "chosen"
    assert json.loads(planned(json.dumps(document), edit).after) == document
    assert list(conflicts(machine(tmp_path), TARGET)) == []
