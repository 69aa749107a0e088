"""Durations, moments and retry hints: everything vendors write, and nonsense that must not hurt."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.limits.durations import parse_duration, parse_moment, parse_retry_after
from tests.fakes.pools import T0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1h2m3.5s", 3723.5),
        ("20ms", 0.02),  # not twenty minutes
        ("7.66s", 7.66),
        ("6m0s", 360),
        ("250ms", 0.25),
        ("5h", 18_000),
        ("30s", 30),
        ("2d", 172_800),
        ("15us", 15e-6),
        ("15µs", 15e-6),
        ("100ns", 1e-7),
        ("1h 30m", 5400),
        ("90", 90),
        ("1.5", 1.5),
        (".5s", 0.5),
        ("1e3", 1000),
        ("0", 0),
        ("0s", 0),
        (" 5m ", 300),
    ],
)
def test_durations_of_every_kind_are_read(text: str, seconds: float) -> None:
    """Go's grammar, days, and plain seconds are understood exactly."""
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "-5",
        "-5s",
        "5 minutes",
        "h",
        "5x",
        "s5",
        "5s-",
        "1h-2m",
        "nan",
        "inf",
        "1e999",
        "٣s",
        "5m!",
        "9" * 65,
        "1" * 60 + "e99d",
    ],
)
def test_nonsense_is_no_duration(text: str) -> None:
    """What is not a duration gives None."""
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1790000000", 1_790_000_000),
        ("1790000000.25", 1_790_000_000.25),
        ("1790000000000", 1_790_000_000),  # milliseconds
        ("1790000000000000", 1_790_000_000),  # microseconds
        ("2026-09-21T14:13:20Z", 1_790_000_000),
        ("2026-09-21T14:13:20.528743+00:00", 1_790_000_000.528743),
        ("2026-09-21T16:13:20+02:00", 1_790_000_000),
        ("2026-09-21T14:13:20", 1_790_000_000),  # no zone: UTC
        ("Mon, 21 Sep 2026 14:13:20 GMT", 1_790_000_000),
        ("Monday, 21-Sep-26 14:13:20 GMT", 1_790_000_000),
        ("6m0s", T0 + 360),
        ("30", T0 + 30),
        ("0.5", T0 + 0.5),
    ],
)
def test_moments_of_every_kind_are_read(text: str, moment: float) -> None:
    """ISO 8601, epochs, HTTP dates and spans from now all become epoch seconds."""
    assert parse_moment(text, T0) == pytest.approx(moment, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "NaN",
        "inf",
        "soon",
        "2026-13-40",
        "Mon, 99 Foo 2026",
        "0001-01-01T00:00:00+23:59",
        "0s",
    ],
)
def test_nonsense_is_no_moment(text: str) -> None:
    """What is not a moment gives None."""
    assert parse_moment(text, T0) is None


def lines(*pairs: tuple[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in pairs)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (lines(("Retry-After", "40")), 40),
        (lines(("retry-after", "0.5")), 0.5),
        (lines(("retry-after", "Mon, 21 Sep 2026 14:13:50 GMT")), 30),
        (lines(("retry-after", "20s")), 20),
        (lines(("retry-after", str(int(T0) + 60))), 60),
        (lines(("retry-after-ms", "1500"), ("retry-after", "2")), 1.5),
        (lines(("retry-after-ms", "soon"), ("retry-after", "2")), 2),
        (lines(("retry-after", "soon"), ("retry-after", "-1"), ("retry-after", "7")), 7),
        (lines(("retry-after", "0")), None),
        (lines(("retry-after", "-1")), None),
        (lines(("retry-after", "NaN")), None),
        (lines(("retry-after", "soon")), None),
        (lines(("retry-after", "1000000000")), None),  # a moment in 2001
        (lines(("retry-after", "Mon, 21 Sep 2026 14:13:10 GMT")), None),  # past
        (lines(("retry-after-ms", "0")), None),
        (((b"retry-after", b"\xff\xfe"),), None),
        ((), None),
    ],
)
def test_retry_after_in_every_form(headers: tuple[tuple[bytes, bytes], ...], seconds: float | None) -> None:
    """The first sane value counts; zero, the past and words say nothing."""
    got = parse_retry_after(headers, T0)
    assert got == (None if seconds is None else pytest.approx(seconds))


@given(st.text(max_size=80))
def test_no_text_breaks_the_parsers(text: str) -> None:
    """Whatever comes, the answer is None or a finite number that is not negative."""
    for result in (parse_duration(text), parse_moment(text, T0)):
        assert result is None or (math.isfinite(result) and result >= 0)


@given(st.lists(st.tuples(st.sampled_from([b"retry-after", b"retry-after-ms"]), st.binary(max_size=40))))
def test_no_header_breaks_the_retry_hint(headers: list[tuple[bytes, bytes]]) -> None:
    """Whatever bytes come, the answer is None or a positive finite number."""
    seconds = parse_retry_after(tuple(headers), T0)
    assert seconds is None or (math.isfinite(seconds) and seconds > 0)


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_written_durations_are_read_back(hours: int, minutes: int, seconds: int, millis: int) -> None:
    """Any duration in Go's form is read as its sum."""
    want = hours * 3600 + minutes * 60 + seconds + millis / 1000
    assert parse_duration(f"{hours}h{minutes}m{seconds}s{millis}ms") == pytest.approx(want)
