from __future__ import annotations

from shunt.config.locate import Lines
from shunt.config.misread import Problem
from shunt.config.overrides import Override
from shunt.config.predecessor import translate
from shunt.config.structure import read_toml
from shunt.config.telling import MOST_SHOWN, Telling

TEXT = """\
[server]
routing_strategy = "x"
port = 1
[[accounts]]
[[accounts]]
name = "b"
[models]
"claude *" = {}
[model_mapping]
old = ""
"""


def telling(*overridden: Override) -> Telling:
    by_key = {(each.section, each.key): each for each in overridden}
    return Telling(Lines(TEXT), "c.toml", translate(read_toml(TEXT, "c.toml")), by_key)


def test_lines_name_place_and_key() -> None:
    """A line gives file, line, section, item and key, in the order of the file."""
    found = [
        Problem(("models", "claude *", "openai"), "is wrong"),
        Problem(("accounts", 1, "name"), "is wrong"),
        Problem(("accounts", 0, "name"), "is missing"),
        Problem(("server", "port"), "is wrong"),
        Problem(("accounts",), "is wrong"),
    ]
    assert list(telling().lines(found)) == [
        "c.toml:3: [server] port: is wrong",
        "c.toml:4: [[accounts]] #1 name: is missing",
        "c.toml:4: [accounts]: is wrong",
        'c.toml:6: [[accounts]] "b" name: is wrong',
        'c.toml:8: [models] "claude *" openai: is wrong',
    ]


def test_moved_keys_keep_their_line() -> None:
    """A key of the predecessor is reported where it stands in the file."""
    found = [Problem(("routing", "strategy"), "no"), Problem(("models", "old", "codex"), "no")]
    assert list(telling().lines(found)) == [
        "c.toml:2: [routing] strategy: no",
        "c.toml:10: [models] old codex: no",
    ]


def test_what_the_environment_set_names_the_variable() -> None:
    """The file is not blamed for a value that came from a variable."""
    override = Override("SHUNT_PORT", "server", "port", 0)
    found = [Problem(("server", "port"), "no"), Problem(("accounts", 0, "port"), "no")]
    assert list(telling(override).lines(found)) == [
        "SHUNT_PORT: [server] port: no",
        "c.toml:4: [[accounts]] #1 port: no",
    ]


def test_a_flood_is_cut() -> None:
    """A file that is wrong throughout does not fill the terminal."""
    lines = list(telling().lines([Problem(("server", f"k{n}"), "no") for n in range(MOST_SHOWN + 7)]))
    assert len(lines) == MOST_SHOWN + 1
    assert lines[-1] == "c.toml: and 7 more"
