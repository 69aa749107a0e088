"""What scripts/bench writes down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from _bench_figures import PLAIN, Figures, targets, verdicts
from _bench_record import save, versions, without_folders

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts/bench is for Linux")


def measured() -> list[Figures]:
    mine, theirs = Figures("shunt", "source"), Figures("LiteLLM", "1.2.3")
    mine.add(PLAIN, "0.0", 1.0)
    theirs.add(PLAIN, "0.0", 20.0)
    theirs.problems.append("it does not start: /home/somebody/shunt/.bench/litellm: gone")
    return [mine, theirs]


def test_a_measurement_is_kept_three_times(tmp_path: Path) -> None:
    """Dated figures for machines, words for people, and a picture; each with what was found."""
    found = verdicts(measured(), targets())
    written = list(save(tmp_path / "new", measured(), found, versions(), day="2026-11-27", quick=False))
    assert [path.name for path in written] == ["2026-11-27.json", "README.md", "figures.svg"]
    kept = json.loads(written[0].read_text(encoding="utf-8"))
    assert kept["subjects"][1]["figures"] == {PLAIN: {"0.0": 20.0}}
    assert kept["targets"][0] == {
        "target": "CPU of a plain request, as a share of LiteLLM's",
        "limit": 0.1,
        "at_least": False,
        "median": 0.05,
        "met": True,
    }
    assert {"python", "trio", "hypercorn", "processor", "shunt"} <= kept["versions"].keys()
    words = written[1].read_text(encoding="utf-8")
    assert "LiteLLM: 1.2.3" in words
    assert "quick run with" not in words
    assert "LiteLLM 20.0" in written[2].read_text(encoding="utf-8")


def test_a_quick_run_says_so(tmp_path: Path) -> None:
    """Nobody takes its figures for those of a whole run."""
    written = list(save(tmp_path, measured(), [], versions(), day="2026-11-27", quick=True))
    assert "a quick run with little load" in written[1].read_text(encoding="utf-8")
    assert json.loads(written[0].read_text(encoding="utf-8"))["quick"] is True


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("File /home/me/x.y/z.py, line 2", "File …/z.py, line 2"),
        ("http://127.0.0.1:80/v1/messages", "http://127.0.0.1:80/v1/messages"),
        ("3 of 4 and/or 5", "3 of 4 and/or 5"),
    ],
)
def test_nothing_tells_where_it_was_measured(said: str, kept: str) -> None:
    """Folders of the machine do not get into what is published."""
    assert without_folders(said) == kept


def test_problems_are_kept_without_folders(tmp_path: Path) -> None:
    """Neither the figures nor the words hold them."""
    for path in save(tmp_path, measured(), [], versions(), day="2026-11-27", quick=True):
        assert "somebody" not in path.read_text(encoding="utf-8")
