from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.config import values
from shunt.config.misread import Misread
from shunt.config.spelling import plain
from shunt.config.values import Reader, span, toml

WHOLE = values.whole(1, 65535)
NUMBER = values.number(0, 100)
FLAG = values.flag()
WAIT = values.duration()
SILENT = values.duration(word="auto")
CHOICE = values.choice(("maximus", "carousel"), {"round-robin": "carousel"}, noun="strategy")
GLOBS = values.words(values.glob, kind="a list of models")


@pytest.mark.parametrize(
    ("reader", "written", "value"),
    [
        (WHOLE, 8082, 8082),
        (NUMBER, 1, 1.0),
        (NUMBER, 0.5, 0.5),
        (FLAG, True, True),
        (WAIT, "5h", 18000.0),
        (WAIT, "1h30m", 5400.0),
        (WAIT, "0s", 0.0),
        (WAIT, 30, 30.0),
        (SILENT, "auto", None),
        (SILENT, "100s", 100.0),
        (CHOICE, "Maximus", "maximus"),
        (CHOICE, "round-robin", "carousel"),
        (GLOBS, ["claude-opus-*", "gpt-5"], ("claude-opus-*", "gpt-5")),
        (GLOBS, [], ()),
    ],
)
def test_what_is_read(reader: Reader, written: Any, value: Any) -> None:
    """Each kind of value has its proper TOML form."""
    read = reader.read(written)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("reader", "written", "said"),
    [
        (WHOLE, "8082", 'must be a whole number from 1 to 65535, not "8082"'),
        (WHOLE, 0, "must be a whole number from 1 to 65535, not 0"),
        (WHOLE, 70000, "must be a whole number from 1 to 65535, not 70000"),
        (WHOLE, 1.0, "must be a whole number from 1 to 65535, not 1"),
        (WHOLE, True, "must be a whole number from 1 to 65535, not true"),
        (WHOLE, 1 << 64, "must be a whole number from 1 to 65535, not a huge number"),
        (NUMBER, float("nan"), "must be a number from 0 to 100, not nan"),
        (NUMBER, float("inf"), "must be a number from 0 to 100, not inf"),
        (NUMBER, 10**400, "must be a number from 0 to 100, not a huge number"),
        (NUMBER, False, "must be a number from 0 to 100, not false"),
        (FLAG, 1, "must be true or false, not 1"),
        (FLAG, "true", 'must be true or false, not "true"'),
        (WAIT, -1, 'must be a duration such as "5h" or "30s", 0s to 366d, not -1'),
        (WAIT, "5 hours", 'must be a duration such as "5h" or "30s", 0s to 366d, not "5 hours"'),
        (WAIT, "999999h", 'must be a duration such as "5h" or "30s", 0s to 366d, not "999999h"'),
        (WAIT, True, 'must be a duration such as "5h" or "30s", 0s to 366d, not true'),
        (WAIT, "auto", 'must be a duration such as "5h" or "30s", 0s to 366d, not "auto"'),
        (
            CHOICE,
            "maximal",
            'unknown strategy "maximal"; did you mean "maximus"? (one of maximus, carousel)',
        ),
        (CHOICE, ["maximus"], "must be one of maximus, carousel, not a list"),
        (CHOICE, date(2026, 1, 1), "must be one of maximus, carousel, not a date or time"),
        (GLOBS, "gpt-5", 'must be a list of models, not "gpt-5"'),
        (GLOBS, ["a", 1], "must be a list of models, but holds 1"),
        (GLOBS, ["a b"], 'holds "a b", which must be a model name or a pattern such as claude-opus-*'),
        (values.words(str, kind="some pools", least=1), [], "must be some pools, not a list"),
    ],
)
def test_what_is_refused(reader: Reader, written: Any, said: str) -> None:
    """TOML's types are kept apart and every range has two ends; the message says what would be right."""
    with pytest.raises(Misread) as caught:
        reader.read(written)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("reader", "written", "value"),
    [
        (WHOLE, "8082", 8082),
        (NUMBER, "0.5", 0.5),
        (FLAG, "TRUE", True),
        (FLAG, "off", False),
        (WAIT, "30", 30.0),
        (WAIT, "30s", 30.0),
        (SILENT, "auto", None),
        (GLOBS, "a, b,,c ", ("a", "b", "c")),
        (CHOICE, "carousel", "carousel"),
    ],
)
def test_what_the_environment_may_say(reader: Reader, written: str, value: Any) -> None:
    """Variables are text: numbers, flags and lists are understood in the form people write them there."""
    assert reader.read(reader.from_text(written)) == value


@pytest.mark.parametrize(
    ("reader", "written"), [(WHOLE, "eight"), (WHOLE, "8.5"), (FLAG, "maybe"), (NUMBER, "nan")]
)
def test_what_the_environment_may_not_say(reader: Reader, written: str) -> None:
    """Text that is no such value is refused as it would be in the file."""
    with pytest.raises(Misread):
        reader.read(reader.from_text(written))


@given(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()), st.just({})
    )
)
def test_readers_answer_or_refuse(value: object) -> None:
    """No value of any type makes a reader fail in another way than by refusing."""
    for reader in (WHOLE, NUMBER, FLAG, WAIT, SILENT, CHOICE, GLOBS):
        try:
            reader.read(value)
        except Misread as complaint:
            said = str(complaint)
        else:
            continue
        assert plain(said)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(18000, "5h"), (15, "15s"), (0, "0s"), (90, "90s"), (172800, "2d"), (0.5, "0.5s")],
)
def test_span(seconds: float, written: str) -> None:
    """Seconds are shown in the largest unit that fits, in a form that is read back."""
    assert span(seconds) == written
    assert WAIT.read(written) == seconds


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (8082, "8082"),
        (64.0, "64"),
        ("a", '"a"'),
        ((), "[]"),
        (("a", "b"), '["a", "b"]'),
        ({}, "{}"),
    ],
)
def test_toml(value: object, written: str) -> None:
    """Defaults are shown the way they would be written."""
    assert toml(value) == written
