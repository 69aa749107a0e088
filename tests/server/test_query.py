"""Query strings: known parameters of the right form, nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.errors import InvalidRequest
from shunt.server.query import past, read
from tests.fakes.pools import DAY, HOUR, T0


def test_values_come_one_by_one_or_with_commas() -> None:
    """The last counts where one is wanted."""
    query = read(b"a=1,2&a=%C3%A9&b=&b=x&b=y+z", ("a", "b"))
    assert query.all("a") == ("1", "2", "é")
    assert query.one("b") == "y z"
    assert query.one("a") == "é"
    assert read(b"", ()).one("a") == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [(b"accont=1", 'mean "account"'), (b"x=1", "known: account"), (b"account=" + b"x" * 300, "longer")],
)
def test_what_is_unknown_or_absurd_is_named(text: bytes, said: str) -> None:
    """With the nearest right spelling."""
    with pytest.raises(InvalidRequest, match=said):
        read(text, ("account", "limit"))


@pytest.mark.parametrize("text", ["0", "-1", "1001", "x", "1e3", "٣", "9" * 30, "1.5"])
def test_numbers_are_whole_and_bounded(text: str) -> None:
    """From one to the most there may be."""
    with pytest.raises(InvalidRequest, match="from 1 to 1000"):
        read(f"limit={text.encode().decode('latin1')}".encode("ascii", "replace"), ("limit",)).whole(
            "limit", 5, 1000
        )
    assert read(b"limit=1000", ("limit",)).whole("limit", 5, 1000) == 1000
    assert read(b"", ()).whole("limit", 5, 1000) == 5


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24h", T0 - DAY),
        ("7d", T0 - 7 * DAY),
        ("90m", T0 - 1.5 * HOUR),
        ("60", T0 - 60),
        ("1790000000", 1_790_000_000),
        ("1790000000000", 1_790_000_000),
        ("2026-09-21", 1_789_948_800),
        ("2026-09-21T14:13:20Z", T0),
    ],
)
def test_moments_of_the_past(text: str, moment: float) -> None:
    """A length of time counts back; dates are UTC."""
    assert past(text, T0) == moment
    assert read(f"since={text}".encode(), ("since",)).moment("since", T0) == moment


def test_a_moment_that_makes_no_sense_is_named() -> None:
    """With what would."""
    with pytest.raises(InvalidRequest, match="24h"):
        read(b"since=yesterday", ("since",)).moment("since", T0)
    assert read(b"", ()).moment("since", T0) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(query: bytes) -> None:
    """Never anything else."""
    try:
        read(query, ("a",))
    except InvalidRequest:
        return
