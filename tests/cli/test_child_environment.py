"""What programs that we start find in their environment."""

from __future__ import annotations

from shunt.cli.child_environment import changed, cleaned, direct


def test_a_packaged_build_leaves_no_trace() -> None:
    """Its libraries would break the programs of the system; what the user had set comes back."""
    environ = {
        "LD_LIBRARY_PATH": "/bundle",
        "LD_LIBRARY_PATH_ORIG": "/mine",
        "DYLD_LIBRARY_PATH": "/bundle",
        "_PYI_ARCHIVE_FILE": "x",
        "PYINSTALLER_RESET_ENVIRONMENT": "1",
        "HOME": "/h",
    }
    assert cleaned(environ, frozen=True) == {"LD_LIBRARY_PATH": "/mine", "HOME": "/h"}
    assert cleaned(environ, frozen=False) == environ
    assert cleaned(environ) == environ


def test_variables_are_set_and_taken_away() -> None:
    """And all others stay."""
    assert changed({"A": "1", "B": "2"}, {"A": None, "C": "3"}) == {"B": "2", "C": "3"}


def test_this_machine_is_not_asked_for_through_a_proxy() -> None:
    """An agent behind a company's proxy has to reach its own machine."""
    assert direct({"A": "1"}) == {"A": "1"}
    found = direct({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "corp.test, localhost"})
    assert found["NO_PROXY"] == "corp.test,localhost,127.0.0.1,::1"
    assert found["no_proxy"] == "127.0.0.1,localhost,::1"
    assert direct({"http_proxy": "x", "no_proxy": "*"})["no_proxy"] == "*"
