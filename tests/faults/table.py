"""The catalogue of faults: read, checked, and written down for people.

`python -m tests.faults.table` writes README.md anew.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from attrs import frozen

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]


@frozen
class Fault:
    """One row."""

    number: int
    group: str
    fault: str
    outcome: str = ""
    tests: tuple[str, ...] = ()
    refused: str = ""
    """Why it is not played."""


def read() -> tuple[dict[str, str], list[Fault]]:
    """Titles of the groups by letter, and all faults."""
    document: dict[str, Any] = tomllib.loads((HERE / "catalogue.toml").read_text(encoding="utf-8"))
    titles = {letter: group["title"] for letter, group in document["groups"].items()}
    faults = [Fault(**{**row, "tests": tuple(row.get("tests", ()))}) for row in document["faults"]]
    return titles, faults


OPENING: Final = """# Every fault, and the test that plays it

Made from `catalogue.toml` by `python -m tests.faults.table`; a test keeps both and the tests in step.
All of it is run by `python3 scripts/faults` and the tests of the rooms, and by continuous integration on every change;
`python3 scripts/check` alone runs a few quick ones. A row holds if its tests pass.

After each fault that is played against the running program (files in this folder), `house.py` looks at it: the process
lives and answers; tasks, descriptors, connections, bytes and files are back where they were; credentials are whole,
private and the newest; no secret in use stands anywhere; refusals are well formed; nothing was sent twice; and a stream
that has nothing to do with the fault had no gap of a second (less what the machine is to blame for) and no wrong byte.
"""


def written() -> str:
    """README.md."""
    titles, faults = read()
    parts = [OPENING]
    for letter, title in titles.items():
        parts.append(
            f"## {letter}. {title}\n\n| # | Fault | What has to come of it | Test |\n|---|---|---|---|"
        )
        parts += [line(fault) for fault in faults if fault.group == letter]
        parts.append("")
    return "\n".join(parts)


def line(fault: Fault) -> str:
    """One row for people."""
    tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in fault.tests)
    shown = tests or f"not played: {fault.refused}"
    return f"| {fault.number} | {fault.fault} | {fault.outcome} | {shown} |"


if __name__ == "__main__":
    (HERE / "README.md").write_text(written(), encoding="utf-8")
