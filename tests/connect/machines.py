"""Machines with settings of clients on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shunt.accounts.secret import Secret
from shunt.connect.base import Machine, Target

TARGET = Target("http://127.0.0.1:8082")
KEYED = Target("https://box.test:8082", Secret("shk_test-key"))


def machine(home: Path, *, folder: Path | None = None, platform: str = "linux", **environ: str) -> Machine:
    """An empty one."""
    return Machine(environ, home, folder or home, platform)


def write(file: Path, document: Any) -> Path:
    """A file of settings."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return file
