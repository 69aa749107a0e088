"""`shunt monitor`: where it looks, with which key, and what it needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.desk import Desk


def test_it_needs_a_terminal(desk: Desk, tmp_path: Path) -> None:
    """And names what does without; also when the key comes from a file."""
    key = tmp_path / "key"
    key.write_text("obviously-fake\n")
    for args in ([], ["--key-file", str(key)]):
        result = desk.run("monitor", *args)
        assert result.exit_code == 1
        assert "shunt status --watch" in result.stderr


def test_the_server_never_imports_it() -> None:
    """Its library belongs to another kind of event loop, and costs memory."""
    code = "import sys, shunt.app.main; print('textual' in sys.modules, 'asyncio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split()[0] == "False"
