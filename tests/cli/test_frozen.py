from __future__ import annotations

import linecache

import pytest
from attrs import define

from shunt.cli.frozen import keep_few_lines, restore


def test_the_loaders_traces_go() -> None:
    """Programs that shunt starts get the system's libraries, and another shunt is one of its own."""
    environ = {
        "LD_LIBRARY_PATH": "/x/_internal",
        "LD_LIBRARY_PATH_ORIG": "/mine",
        "_PYI_ARCHIVE_FILE": "/x/shunt",
        "_PYI_PARENT_PROCESS_LEVEL": "1",
        "HOME": "/h",
    }
    restore(environ)
    assert environ == {"LD_LIBRARY_PATH": "/mine", "HOME": "/h"}


def test_what_was_not_set_is_not_set_again() -> None:
    """Without an original the variable goes."""
    environ = {"LD_LIBRARY_PATH": "/x/_internal"}
    restore(environ)
    assert environ == {}


def test_lines_of_written_methods_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What attrs writes works without its text being kept; lines of files are still found."""
    monkeypatch.setattr(linecache, "cache", {})
    keep_few_lines()

    @define
    class Point:
        x: int

    assert Point(1) == Point(1)
    assert linecache.getline(__file__, 1) == "from __future__ import annotations\n"
    assert set(linecache.cache) == {__file__}
