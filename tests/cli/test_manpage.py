from __future__ import annotations

import shutil
import subprocess

import pytest

from shunt import __version__
from shunt.cli.manpage import EXIT_CODES, manpage
from shunt.cli.outline import Choice, Outline, outline
from shunt.cli.program import program

FILES = [("~/.config/shunt/config.toml", "the configuration")]
TOPICS = [("configuration", "Every key")]


def test_nothing_is_taken_for_a_macro() -> None:
    """Lines that begin with a dot, backslashes and quotes come out as they are."""
    root = Outline((), "x", '.start \\ "q"\n\n\b\nas  is\n\'x', (Choice(("-x",), "N", "'so."),))
    page = manpage(root, FILES, TOPICS)
    assert "\\&.start \\e \\(dqq\\(dq" in page
    assert ".nf\nas  is\n\\&'x\n.fi" in page
    assert '.TP\n.B "\\-x N"\n\\&\'so.' in page


def test_the_whole_program_is_in_it() -> None:
    """Every command with its options, the files, the exit codes and the topics."""
    page = manpage(outline(program), FILES, TOPICS)
    assert f'"shunt {__version__}"' in page
    for each in outline(program).walk():
        usage = "shunt " + " ".join(each.path)
        assert usage.strip().replace("-", "\\-") in page
        for choice in each.options:
            assert choice.names[-1].replace("-", "\\-") in page
    for code, meaning in EXIT_CODES:
        assert f'.B "{code}"\n{meaning}' in page
    assert "config.toml" in page
    assert "configuration" in page


def test_troff_has_no_complaint() -> None:
    """The page is formatted without a warning."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("this machine has no groff")
    page = manpage(outline(program), FILES, TOPICS)
    done = subprocess.run(
        [groff, "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
