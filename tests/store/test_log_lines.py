"""The log's last lines: from memory, from the file, and as they are added."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from shunt.store.log_lines import KEPT, Follower, LogLines, backwards, parsed, tail
from shunt.store.logs import Redactor


def line(number: int, level: str = "info") -> str:
    return json.dumps({"at": number, "level": level, "message": f"m{number}"}) + "\n"


def test_memory_keeps_the_newest_without_secrets() -> None:
    """Bounded; put into words when asked; of a level or above."""
    redactor = Redactor()
    redactor.learn(["sesame-open"])
    lines = LogLines(redactor)
    logger = logging.getLogger("shunt.test.lines")
    logger.setLevel(logging.INFO)
    logger.addHandler(lines)
    for number in range(KEPT + 10):
        logger.info("line %d", number)
    logger.warning("key %s", "sesame-open", extra={"fields": {"account": "a"}})
    logger.removeHandler(lines)
    told = lines.newest(3)
    assert [one["message"] for one in told] == [f"line {KEPT + 8}", f"line {KEPT + 9}", "key ***"]
    assert told[-1]["account"] == "a"
    assert len(lines.newest(10_000)) == KEPT
    assert [one["message"] for one in lines.newest(9, "warning")] == ["key ***"]
    assert lines.newest(9, "error") == []


def test_a_traceback_is_kept_as_text() -> None:
    """Its frames would keep whole requests alive, and they hold what was said."""
    lines = LogLines(Redactor())
    logger = logging.getLogger("shunt.test.traces")
    logger.addHandler(lines)
    try:
        raise ValueError("boom")
    except ValueError:
        logger.exception("failed")
    logger.removeHandler(lines)
    assert lines._records[-1].exc_info is None
    assert "ValueError: boom" in lines.newest(1)[0]["traceback"]


def test_the_tail_of_a_file_goes_on_in_its_older_parts(tmp_path: Path) -> None:
    """The newest last, lines that are no JSON left out."""
    path = tmp_path / "shunt.log"
    path.write_text(line(3) + "half a li\n" + line(4, "error"))
    (tmp_path / "shunt.log.1").write_text(line(1) + line(2, "error"))
    assert [one["at"] for one in tail(path, 3)] == [2, 3, 4]
    assert [one["at"] for one in tail(path, 99)] == [1, 2, 3, 4]
    assert [one["at"] for one in tail(path, 99, logging.ERROR)] == [2, 4]
    with pytest.raises(OSError, match="nope"):
        tail(tmp_path / "nope", 1)


def test_a_file_is_read_from_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks, whatever they cut in two."""
    monkeypatch.setattr("shunt.store.log_lines.BLOCK", 7)
    path = tmp_path / "x"
    path.write_bytes(b"first line\nsecond\n\nthird, longer than a block")
    assert list(backwards(path)) == [b"third, longer than a block", b"second", b"first line"]


def test_a_follower_reads_on_across_rotation(tmp_path: Path) -> None:
    """Nothing twice, nothing lost, half a line only when it is whole."""
    path = tmp_path / "shunt.log"
    path.write_text(line(1))
    follower = Follower(path)
    assert follower.more() == []
    with path.open("a") as file:
        file.write(line(2) + line(3)[:5])
    assert [one["at"] for one in follower.more()] == [2]
    with path.open("a") as file:
        file.write(line(3)[5:] + line(4))
    path.rename(tmp_path / "shunt.log.1")
    path.write_text(line(5))
    assert [one["at"] for one in follower.more()] == [3, 4, 5]
    path.write_text("")
    assert follower.more() == []
    assert parsed(b"[1]") is None
