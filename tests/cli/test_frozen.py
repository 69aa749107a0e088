from __future__ import annotations

from shunt.cli.frozen import restore


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
