"""Keeps a measurement: everything as dated JSON, the words as README.md, and the picture of it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from _bench_figures import Figures, Verdict, figure_table, verdict_table
from _bench_picture import picture
from _bench_subjects import ROOT

LIBRARIES = ("trio", "hypercorn", "h11", "quart", "quart-trio", "httpx2", "httpcore2", "attrs", "msgspec")
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[\w.@+-]+/)+")
"""Folders of one machine, which nobody else has."""

WORDS = """\
# What shunt costs

Written by `python3 scripts/bench --peers --save`, which drives the same loads through each proxy in turn, again and again,
all on one machine, with a scripted vendor on the same machine. Taken on {day}{quick}.

What is told is the median with the least and the most of all turns; ratios are made between figures taken seconds apart.
Absolute numbers are those of this machine on that day ({machine}); ratios travel better.

- Processor time counts all processes of a proxy, and what it still does after its answers.
- A plain request is a small Messages request with a small answer, eight clients at once on open connections.
- "After 60 turns" it carries what a coding agent's conversation has grown to by then: 300 kB of tools' results.
- "Events at once" come as fast as the proxy takes them; otherwise a stream brings one packet with one event, 50 a second.
  Processor time per event is that of the whole stream without what a plain request takes.
- "Added to the first byte" is the time from a request to the first byte of its answer's body, less the same without any
  proxy in the same round; percentiles are taken first, then the difference. Every client keeps a warm connection and
  begins its streams in its own turn, while all others are in the middle of theirs.
- The bare stack is a relay of shunt's libraries without shunt; the bare sockets are one step of Trio's scheduler, one
  `recv` and one `send` per packet, without HTTP.
- "Many conversations" have served as many requests before as the "few" have: 10,000, unless it was a quick run.
- LiteLLM's proxy and better-ccflare are run as their registries ship them, one account with an API key each, and nobody
  checks the keys of local callers.

## Targets

{targets}
## Figures

{figures}
## Versions

{versions}
"""


def save(
    folder: Path,
    measured: Sequence[Figures],
    found: Sequence[Verdict],
    known: dict[str, Any],
    *,
    day: str,
    quick: bool,
) -> Iterator[Path]:
    """Write all three; yields what was written. `known` are the versions when it began."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        f"{day}.json": record(measured, found, known, day=day, quick=quick),
        "README.md": words(measured, found, known, day=day, quick=quick),
        "figures.svg": picture(measured, day),
    }
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        yield path


def record(
    measured: Sequence[Figures], found: Sequence[Verdict], known: dict[str, Any], *, day: str, quick: bool
) -> str:
    """Everything, for machines."""
    subjects = [
        {
            "subject": it.subject,
            "version": it.version,
            "figures": {
                name: {turn: round(value, 4) for turn, value in turns.items()}
                for name, turns in it.numbers.items()
            },
            "problems": [without_folders(problem) for problem in it.problems],
        }
        for it in measured
    ]
    wanted = [
        {
            "target": verdict.target.words,
            "limit": verdict.target.limit,
            "at_least": verdict.target.at_least,
            "median": round(verdict.figure.median, 4) if verdict.figure else None,
            "met": verdict.met,
        }
        for verdict in found
    ]
    all_ = {"date": day, "quick": quick, "versions": known, "targets": wanted, "subjects": subjects}
    return json.dumps(all_, indent=1) + "\n"


def words(
    measured: Sequence[Figures], found: Sequence[Verdict], known: dict[str, Any], *, day: str, quick: bool
) -> str:
    """Everything, for people."""
    lines = [f"- {name}: {version}" for name, version in known.items()]
    return WORDS.format(
        day=day,
        quick=", a quick run with little load" if quick else "",
        machine=f"{known['cores']} cores, {known['processor']}, load average {known['load average']} at the start",
        targets=verdict_table(found),
        figures=without_folders(figure_table(measured)),
        versions="\n".join([*lines, *(f"- {it.subject}: {it.version}" for it in measured)]),
    )


def versions() -> dict[str, Any]:
    """What it was taken with and on."""
    return {
        "shunt": commit(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in LIBRARIES},
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count() or 0,
        "load average": f"{os.getloadavg()[0]:.1f}",
    }


def commit() -> str:
    """The commit that was measured, and whether it was changed."""
    asked = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "?"
    return done.stdout.strip()


def processor() -> str:
    """The processor's name."""
    told = Path("/proc/cpuinfo")
    for line in told.read_text(encoding="utf-8").splitlines() if told.exists() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def without_folders(text: str) -> str:
    """What a program said, without the folders of the machine it ran on."""
    return FOLDERS.sub("…/", text)
