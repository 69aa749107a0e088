"""`shunt logs`: the end of the log, and what comes."""

from __future__ import annotations

import json

from shunt.cli.logs import in_words
from tests.cli.desk import Desk
from tests.cli.scripted_control import scripted_control


def line(number: int, level: str = "info", **fields: object) -> str:
    return json.dumps(
        {"at": 1_763_715_600 + number, "level": level, "logger": "x", "message": f"m{number}", **fields}
    )


def write(desk: Desk, *lines: str) -> None:
    path = desk.home / "logs" / "shunt.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(f"{each}\n" for each in lines)


def test_the_end_of_the_file(desk: Desk) -> None:
    """For people and for programs, of a level or above."""
    write(desk, *(line(n, "error" if n == 1 else "info", account="a") for n in range(5)))
    text = desk.run("logs", "-n", "2").stdout
    assert "m3 account=a" in text
    assert "m2" not in text
    assert "m1" in desk.run("logs", "--level", "warning").stdout
    told = desk.run("logs", "-n", "1", "--json").stdout
    assert json.loads(told)["message"] == "m4"
    assert desk.run("logs", "-n", "0").stdout == ""


def test_following(desk: Desk) -> None:
    """What is added comes too, until Ctrl-C."""
    write(desk, line(0))
    turns = iter([line(1), line(2)])

    def pause(_seconds: float) -> None:
        turn = next(turns, None)
        if turn is None:
            raise KeyboardInterrupt
        write(desk, turn)

    result = desk.run("logs", "-f", pause=pause)
    assert result.exit_code == 0
    assert [word for word in result.stdout.split() if word.startswith("m")] == ["m0", "m1", "m2"]


def test_a_server_elsewhere_is_asked(desk: Desk) -> None:
    """For its last lines; its file cannot be followed."""
    lines = [json.loads(line(7))]
    with scripted_control({"GET /debug/logs?limit=50&level=debug": (200, {"lines": lines})}) as server:
        assert "m7" in desk.run("logs", "--url", server.url).stdout
        assert desk.run("logs", "-f", "--url", server.url).exit_code == 2


def test_no_log_is_said(desk: Desk) -> None:
    """With who would write it."""
    result = desk.run("logs")
    assert result.exit_code == 1
    assert "shunt run" in result.stderr


def test_words_move_no_cursor() -> None:
    """Tracebacks are indented, empty fields left out."""
    told = in_words({"at": 0, "level": "error", "message": "a\x1b[2Jb", "n": 0, "traceback": "one\ntwo"})
    assert "\x1b" not in told
    assert "n=" not in told
    assert told.endswith("\n    one\n    two")
