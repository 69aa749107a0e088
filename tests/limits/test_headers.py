"""Windows as Anthropic's headers and usage endpoint tell of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.limits.headers import (
    MOST_WINDOWS,
    length_of,
    parse_anthropic,
    parse_usage_document,
    scope_of,
    window_name,
)
from shunt.limits.windows import ALL_MODELS, Source, Standing, Window
from shunt.wire.headers import Headers
from tests.fakes.pools import DAY, HOUR, T0

UNIFIED = "anthropic-ratelimit-unified-"


def unified(**facts: object) -> Headers:
    """Unified headers; `_` stands for `-`, and `w5h` for a name that begins with a digit."""
    pairs = []
    for name, value in facts.items():
        fact = name.removeprefix("w").replace("__", "\0").replace("_", "-").replace("\0", "_")
        pairs.append((f"{UNIFIED}{fact}".encode(), str(value).encode()))
    return tuple(pairs)


def one(headers: Headers) -> Window:
    (window,) = parse_anthropic(headers, T0)
    return window


# ── logins ────────────────────────────────────────────────────────────────────────────────────────


def test_an_ordinary_answer_of_a_login() -> None:
    """Each window has its use, reset, standing, length and scope; nothing is invented."""
    headers = (
        *unified(status="allowed_warning", reset=int(T0 + HOUR), representative_claim="five_hour"),
        *unified(w5h_status="allowed_warning", w5h_reset=int(T0 + HOUR), w5h_utilization="0.93"),
        *unified(w7d_status="allowed", w7d_reset=int(T0 + DAY), w7d_utilization="0.26"),
        *unified(w7d__opus_status="allowed", w7d__opus_reset=int(T0 + DAY), w7d__opus_utilization="0.4"),
        *unified(
            w5h_surpassed_threshold="0.9",
            fallback_percentage="0.5",
            overage_disabled_reason="org_level_disabled",
        ),
        (b"anthropic-organization-id", b"org"),
    )
    windows = {window.name: window for window in parse_anthropic(headers, T0)}
    assert list(windows) == ["5h", "7d", "7d_opus"]
    assert windows["5h"] == Window(
        name="5h",
        used=0.93,
        resets_at=T0 + HOUR,
        standing=Standing.WARNING,
        source=Source.HEADER,
        seen_at=T0,
        length=5 * HOUR,
        scope=ALL_MODELS,
    )
    assert (windows["7d_opus"].scope, windows["7d_opus"].length) == ("opus", 7 * DAY)


def test_header_names_are_read_in_any_case() -> None:
    """HTTP/1.1 proxies capitalise names."""
    headers = ((b"Anthropic-RateLimit-Unified-5h-Utilization", b" 0.5 "),)
    assert one(headers).used == 0.5


@pytest.mark.parametrize(
    ("headers", "used", "resets_at"),
    [
        (unified(w5h_utilization="1.07", w5h_reset=int(T0 + 60)), 1.07, T0 + 60),
        (unified(w5h_utilization="0.5", w5h_reset=int((T0 + 60) * 1000)), 0.5, T0 + 60),  # milliseconds
        (unified(w5h_utilization="0.5", w5h_reset="2026-09-21T14:14:20Z"), 0.5, T0 + 60),
        (unified(w5h_utilization="0.5", w5h_reset=int(T0 - 60)), 0.5, None),  # past: no reset known
        (unified(w5h_utilization="0.5", w5h_reset="NaN"), 0.5, None),
        (unified(w5h_utilization="0.5", w5h_reset="soon"), 0.5, None),
        (unified(w5h_utilization="NaN", w5h_reset=int(T0 + 60)), None, T0 + 60),
        (unified(w5h_utilization="-1", w5h_reset=int(T0 + 60)), None, T0 + 60),
        (unified(w5h_utilization="inf", w5h_reset=int(T0 + 60)), None, T0 + 60),
        ((*unified(w5h_utilization="high"), *unified(w5h_utilization="0.5")), 0.5, None),  # first sane one
    ],
)
def test_senseless_values_are_left_out(headers: Headers, used: float | None, resets_at: float | None) -> None:
    """Resets in ms are converted; what is past, NaN or a word counts as not told."""
    window = one(headers)
    assert (window.used, window.resets_at) == (used, resets_at)


@pytest.mark.parametrize(
    ("name", "ahead", "believed", "cut"),
    [
        ("5h", 4 * HOUR, 4 * HOUR, False),
        ("5h", 5 * HOUR + 30, 5 * HOUR, False),  # clocks differ
        ("5h", 3 * DAY, 5 * HOUR, True),
        ("7d", 18 * DAY, 7 * DAY, True),
        ("7d_sonnet", 8 * DAY, 7 * DAY, True),
        ("30m", 2 * HOUR, 1800, True),
        ("cowork", 400 * DAY, 32 * DAY, True),  # of unknown length: a month and a day
    ],
)
def test_a_reset_is_never_further_away_than_the_window_is_long(
    name: str, ahead: float, believed: float, cut: bool
) -> None:
    """An absurd reset is cut, and the named one kept for a warning."""
    named = T0 + ahead
    window = one(((f"{UNIFIED}{name}-reset".encode(), str(int(named)).encode()),))
    assert window.resets_at == T0 + believed
    assert window.named_reset == (named if cut else None)


def test_unknown_windows_are_learnt_from_their_names() -> None:
    """A window nobody has heard of is kept under its name, with the length and family it tells."""
    window = one(unified(w12h__haiku_status="rejected", w12h__haiku_reset=int(T0 + HOUR)))
    assert (window.name, window.length, window.scope) == ("12h_haiku", 12 * HOUR, "haiku")
    assert window.rejects("haiku", T0)
    assert not window.rejects("opus", T0)


def test_a_flood_of_windows_is_bounded() -> None:
    """An answer cannot fill the memory with windows."""
    headers = tuple((f"{UNIFIED}{hours}h-utilization".encode(), b"0.5") for hours in range(1, 900))
    assert len(parse_anthropic(headers, T0)) == MOST_WINDOWS


@pytest.mark.parametrize(
    ("claim", "name", "scope"),
    [
        ("five_hour", "5h", ALL_MODELS),
        ("seven_day", "7d", ALL_MODELS),
        ("seven_day_opus", "7d_opus", "opus"),
        ("seven_day_sonnet", "7d_sonnet", "sonnet"),
        ("seven_day_overage_included", "7d_oi", "fable"),
        ("overage", "unified", ALL_MODELS),
        ("", "unified", ALL_MODELS),
    ],
)
def test_a_summary_alone_makes_the_window_it_names(claim: str, name: str, scope: str) -> None:
    """With only status, reset and claim given, the refusal is of the claimed window."""
    window = one(unified(status="rejected", reset=int(T0 + HOUR), representative_claim=claim))
    assert (window.name, window.scope, window.resets_at) == (name, scope, T0 + HOUR)
    assert window.rejects(scope or "opus", T0)


def test_the_summary_fills_in_what_the_claimed_window_lacks() -> None:
    """A claimed window without a status or reset of its own has the summary's."""
    told = unified(
        status="rejected", reset=int(T0 + HOUR), representative_claim="five_hour", w5h_utilization="1.0"
    )
    window = one(told)
    assert (window.standing, window.resets_at, window.used) == (Standing.REJECTED, T0 + HOUR, 1.0)


def test_a_refusal_by_the_summary_is_never_lost() -> None:
    """Where every window is called allowed, the summary's refusal is still seen."""
    told = unified(
        status="rejected",
        reset=int(T0 + HOUR),
        representative_claim="overage",
        w5h_status="allowed",
        overage_status="rejected",
    )
    refusing = [window.name for window in parse_anthropic(told, T0) if window.rejects("opus", T0)]
    assert refusing == ["unified"]


def test_missing_extra_usage_is_no_refusal() -> None:
    """A 200 that says extra usage is not available leaves the account usable."""
    told = unified(
        status="allowed",
        w5h_status="allowed",
        w5h_utilization="0.1",
        overage_status="rejected",
        fallback_percentage="0.5",
    )
    assert not any(window.rejects("opus", T0) for window in parse_anthropic(told, T0))


@pytest.mark.parametrize(("value", "in_use"), [("true", True), ("false", False), ("?", False)])
def test_paid_extra_usage_in_use_is_noticed(value: str, in_use: bool) -> None:
    """`overage-in-use: true` says that requests cost money now."""
    assert one(unified(overage_status="allowed", overage_in_use=value)).in_use is in_use


# ── API keys ──────────────────────────────────────────────────────────────────────────────────────


def test_buckets_of_an_api_key() -> None:
    """Use is what is missing from the limit; an empty bucket is a warning, not a spent window."""
    pairs = {
        "requests-limit": "50",
        "requests-remaining": "40",
        "requests-reset": "2026-09-21T14:13:50Z",
        "input-tokens-limit": "1000",
        "input-tokens-remaining": "0",
        "input-tokens-reset": "2026-09-21T15:13:20Z",
        "output-tokens-limit": "0",
        "output-tokens-remaining": "0",
        "tokens-limit": "lots",
        "tokens-remaining": "5",
    }
    headers = tuple((f"anthropic-ratelimit-{name}".encode(), value.encode()) for name, value in pairs.items())
    requests, tokens = parse_anthropic(headers, T0)
    assert (requests.name, requests.resets_at) == ("requests", T0 + 30)
    assert requests.used == pytest.approx(0.2)
    assert (tokens.name, tokens.used, tokens.standing) == ("input-tokens", 1.0, Standing.WARNING)
    assert tokens.resets_at == T0 + 60  # buckets are of a minute
    assert not tokens.rejects("opus", T0)


def test_answers_without_limits_tell_of_none() -> None:
    """Other vendors' and empty headers give nothing."""
    assert parse_anthropic(((b"content-type", b"text/plain"), (b"x-ratelimit-reset", b"5")), T0) == ()


# ── the usage endpoint ────────────────────────────────────────────────────────────────────────────


def usage(document: Any) -> dict[str, Window]:
    return {window.name: window for window in parse_usage_document(json.dumps(document).encode(), T0)}


def test_the_usage_document() -> None:
    """Percentages become shares; null windows, null resets and unknown keys do no harm."""
    windows = usage(
        {
            "five_hour": {"utilization": 33.0, "resets_at": "2026-09-21T15:13:20.528743+00:00"},
            "seven_day": {"utilization": 0, "resets_at": None},
            "seven_day_opus": None,
            "seven_day_sonnet": {"utilization": 101, "resets_at": "2026-09-22T14:13:20+00:00"},
            "iguana_necktie": {"utilization": None},
            "extra_usage": {"is_enabled": False, "utilization": None},
            "limits": "soon",
        }
    )
    assert list(windows) == ["5h", "7d", "7d_sonnet"]
    assert windows["5h"].used == pytest.approx(0.33)
    assert windows["5h"].resets_at == pytest.approx(T0 + HOUR, abs=1)
    assert (windows["7d"].used, windows["7d"].resets_at) == (0, None)
    assert (windows["7d_sonnet"].used, windows["7d_sonnet"].scope) == (1.01, "sonnet")
    assert {window.source for window in windows.values()} == {Source.USAGE_ENDPOINT}
    assert not any(window.rejects("sonnet", T0) for window in windows.values())


def test_weekly_limits_that_only_the_list_names() -> None:
    """Fable's week is in `limits` alone, and is the window that headers call 7d_oi."""
    windows = usage(
        {
            "seven_day": {"utilization": 39},
            "limits": [
                {"kind": "session", "percent": 50},
                {"kind": "weekly_all", "percent": 1},
                {"kind": "weekly_scoped", "percent": 52, "scope": {"model": {"display_name": "Fable"}}},
                {"kind": "weekly_scoped", "percent": 7, "scope": {"model": None}},
                {"kind": "weekly_scoped", "percent": 7, "scope": None},
                {"kind": "monthly"},
                None,
            ],
        }
    )
    assert {name: window.used for name, window in windows.items()} == {"7d": 0.39, "5h": 0.5, "7d_oi": 0.52}
    assert windows["7d_oi"].scope == "fable"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"<html>",
        b"\xff",
        b"[" * 100_000,
        b'{"five_hour": {"utilization": 1e400}}',
        b'{"five_hour": {"utilization": true}}',
    ],
)
def test_documents_of_another_kind_tell_of_nothing(body: bytes) -> None:
    """A web page, a broken document or absurd numbers are no facts."""
    assert parse_usage_document(body, T0) == ()


# ── names, and anything at all ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "length", "scope"),
    [
        ("5h", 5 * HOUR, ""),
        ("7d_opus", 7 * DAY, "opus"),
        ("7d_oi", 7 * DAY, "fable"),
        ("overage", None, ""),
        ("h5", None, ""),
    ],
)
def test_what_names_say(name: str, length: float | None, scope: str) -> None:
    """Length and family come from the name."""
    assert (length_of(name), scope_of(name)) == (length, scope)


def test_names_are_kept_within_bounds() -> None:
    """A claim that is no name is none."""
    assert window_name("Seven_Day_Opus ") == "7d_opus"
    assert window_name("a b") == window_name("x" * 40) == window_name("") == ""


FACTS = st.sampled_from(
    [
        f"{UNIFIED}{name}{fact}"
        for name in ("", "5h-", "7d_oi-", "overage-")
        for fact in ("status", "reset", "utilization", "in-use", "representative-claim")
    ]
    + [
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["allowed", "rejected", "five_hour", "overage", "NaN", "-1", "1e308", "0", "true"]),
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=20),
)


@given(st.lists(st.tuples(FACTS, VALUES), max_size=20))
def test_no_headers_break_the_parser(pairs: list[tuple[str, str]]) -> None:
    """Whatever comes, each window appears once, with a finite use and a reset within its length."""
    headers = tuple((name.encode(), value.encode()) for name, value in pairs)
    windows = parse_anthropic(headers, T0)
    assert len({window.name for window in windows}) == len(windows)
    for window in windows:
        assert window.used is None or 0 <= window.used < float("inf")
        assert window.resets_at is None or T0 < window.resets_at <= T0 + (window.length or 32 * DAY)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "five_hour",
                    "limits",
                    "utilization",
                    "resets_at",
                    "kind",
                    "scope",
                    "model",
                    "display_name",
                    "percent",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_document_breaks_the_parser(document: object) -> None:
    """Any JSON at all gives windows with sane numbers, or none."""
    for window in parse_usage_document(json.dumps(document).encode(), T0):
        assert window.used is not None
        assert window.used >= 0
