from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config.locate import Lines

TEXT = """\
# comment
[server]
port = 8082 # [routing]
"log level" = "x"
text = '''
[routing]
strategy = 1
'''

[[accounts]]
name = "a"
models = [
  "one", # "]"
  "two",
]
headers = { "x-a" = "1", "x-b" = "2" }

[accounts.extra]
deep = 1

[[accounts]]
name = "b"
[routing]
a.b.c = 1
"""


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (("server",), (2, 2)),
        (("server", "port"), (3, 3)),
        (("server", "log level"), (4, 4)),
        (("server", "text"), (5, 8)),
        (("accounts", 0), (10, 10)),
        (("accounts", 0, "models"), (12, 15)),
        (("accounts", 0, "models", 1), (12, 15)),
        (("accounts", 0, "headers", "x-b"), (16, 16)),
        (("accounts", 0, "extra", "deep"), (19, 19)),
        (("accounts", 1, "name"), (22, 22)),
        (("routing", "a", "b", "c"), (24, 24)),
        (("routing", "strategy"), None),
        (("accounts", 2), None),
        (("accounts", "name"), None),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_of_a_key(path: tuple[str | int, ...], lines: tuple[int, int] | None, ending: str) -> None:
    """Every way of writing a key is found on its own lines; text that merely looks like one is not."""
    assert Lines(TEXT.replace("\n", ending)).of(path) == lines


def test_first_falls_back_to_what_is_around() -> None:
    """A key that is missing is reported where its section begins."""
    lines = Lines(TEXT)
    assert lines.first(("accounts", 1, "provider")) == 21
    assert lines.first(("nothing", "here")) is None
    assert Lines("").first(("server",)) is None


@given(
    st.lists(
        st.sampled_from(["a = 1", "# x", "", "b = [\n1,\n2]", 'c = """\nx = 1\n"""', "[t]\nd = 2"]),
        unique=True,
    )
)
def test_each_key_is_found_where_it_was_put(statements: list[str]) -> None:
    """Whatever stands before it, a statement is found from its own first line to its own last."""
    text = "\n".join(statements) + "\n"
    tomllib.loads(text)
    line = 1
    table: tuple[str, ...] = ()
    for statement in statements:
        height = statement.count("\n") + 1
        if statement.startswith("[t]"):
            table = ("t",)
            assert Lines(text).of(("t", "d")) == (line + 1, line + 1)
        elif "=" in statement and not statement.startswith("#"):
            assert Lines(text).of((*table, statement[0])) == (line, line + height - 1)
        line += height
