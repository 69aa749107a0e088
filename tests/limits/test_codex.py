"""Windows of ChatGPT logins."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shunt.limits.codex import parse_codex, parse_codex_usage, refused, window_name
from shunt.limits.windows import OVERAGE, Source, Standing, Window
from shunt.wire.headers import Headers

T0 = 1_800_000_000.0


def headers(**facts: str) -> Headers:
    return tuple(
        (f"X-Codex-{name.replace('_', '-')}".encode(), value.encode()) for name, value in facts.items()
    )


def slot(name: str, used: str, minutes: str, reset: str = "", after: str = "") -> Headers:
    prefix = f"{name}_"
    return headers(
        **{
            f"{prefix}used_percent": used,
            f"{prefix}window_minutes": minutes,
            f"{prefix}reset_at": reset,
            f"{prefix}reset_after_seconds": after,
        }
    )


def named(windows: tuple[Window, ...]) -> dict[str, Window]:
    return {window.name: window for window in windows}


@pytest.mark.parametrize(
    ("minutes", "name"),
    [(300, "5h"), (10_080, "7d"), (1440, "1d"), (20_160, "14d"), (60, "1h"), (90, "90m"), (43_200, "30d")],
)
def test_windows_are_named_by_their_length(minutes: int, name: str) -> None:
    """`primary` says nothing about it."""
    assert window_name(minutes) == name
    found = parse_codex(slot("primary", "10", str(minutes)), T0)
    assert [window.name for window in found] == [name]
    assert found[0].length == minutes * 60


def test_both_windows_are_read() -> None:
    """Percent become shares, resets stay moments."""
    told = slot("primary", "25.5", "300", str(int(T0) + 600)) + slot("secondary", "80", "10080", "", "3600")
    windows = named(parse_codex(told, T0))
    assert windows["5h"].used == pytest.approx(0.255)
    assert windows["5h"].resets_at == T0 + 600
    assert windows["7d"].resets_at == T0 + 3600
    assert all(window.source is Source.HEADER for window in windows.values())
    assert all(window.standing is Standing.ALLOWED for window in windows.values())


@pytest.mark.parametrize(
    "told",
    [
        slot("primary", "0", "0"),
        slot("primary", "", "300"),
        slot("primary", "nan", "300"),
        slot("primary", "-5", "300"),
        headers(primary_over_secondary_limit_percent="40", plan_type="plus"),
        ((b"anthropic-ratelimit-unified-status", b"allowed"),),
        (),
    ],
)
def test_what_tells_of_no_window(told: Headers) -> None:
    """Nothing used of a window of no length is no window; nonsense is left out."""
    assert parse_codex(told, T0) == ()


def test_a_full_window_is_a_warning() -> None:
    """The answer came with it, so it did not refuse."""
    window = parse_codex(slot("primary", "104", "300", str(int(T0) + 60)), T0)[0]
    assert window.used == pytest.approx(1.04)
    assert window.standing is Standing.WARNING


def test_resets_are_cut_to_the_length() -> None:
    """One that lies further away is remembered as named; one in the past says nothing."""
    far = parse_codex(slot("primary", "10", "300", str(int(T0) + 90_000)), T0)[0]
    assert (far.resets_at, far.named_reset) == (T0 + 18_000, T0 + 90_000)
    past = parse_codex(slot("primary", "10", "300", str(int(T0) - 5)), T0)[0]
    assert past.resets_at is None


def test_limits_of_one_model_concern_that_model() -> None:
    """They come under a name of their own, with the model's in another header."""
    told = (
        slot("primary", "5", "300")
        + slot("bengal_primary", "90", "300")
        + headers(bengal_limit_name="GPT-5.3-Codex-Spark")
    )
    windows = named(parse_codex(told, T0))
    assert windows["5h"].scope == ""
    assert windows["5h_gpt-5.3-codex-spark"].scope == "gpt-5.3-codex-spark"
    assert windows["5h_gpt-5.3-codex-spark"].used == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("has", "unlimited", "standing"),
    [
        ("true", "false", Standing.ALLOWED),
        ("False", "True", Standing.ALLOWED),
        ("false", "false", Standing.REJECTED),
    ],
)
def test_credits_are_the_overage(has: str, unlimited: str, standing: Standing) -> None:
    """They say whether work can go on for money, and refuse nothing by themselves."""
    found = parse_codex(headers(credits_has_credits=has, credits_unlimited=unlimited), T0)
    assert [(window.name, window.standing) for window in found] == [(OVERAGE, standing)]


def test_the_usage_endpoint() -> None:
    """The same windows, with lengths in seconds; it lags, so it never says that one refuses."""
    document = {
        "plan_type": "plus",
        "rate_limit": {
            "allowed": True,
            "primary_window": {"used_percent": 100, "limit_window_seconds": 18_000, "reset_at": T0 + 60},
            "secondary_window": {
                "used_percent": 7,
                "limit_window_seconds": 604_800,
                "reset_after_seconds": 90,
            },
        },
        "additional_rate_limits": [
            {
                "limit_name": "gpt-5.3-codex-spark",
                "rate_limit": {"primary_window": {"used_percent": 3, "limit_window_seconds": 18_000}},
            },
            {"limit_name": "", "rate_limit": None},
            "odd",
        ],
        "credits": {"has_credits": False},
    }
    windows = named(parse_codex_usage(json.dumps(document).encode(), T0))
    assert set(windows) == {"5h", "7d", "5h_gpt-5.3-codex-spark"}
    assert windows["5h"].used == 1
    assert windows["7d"].resets_at == T0 + 90
    assert all(window.standing is Standing.UNKNOWN for window in windows.values())
    assert all(window.source is Source.USAGE_ENDPOINT for window in windows.values())


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"rate_limit": 5}', b'{"rate_limit": {"primary_window": []}}']
)
def test_anything_else_tells_of_none(body: bytes) -> None:
    """The endpoint is undocumented."""
    assert parse_codex_usage(body, T0) == ()


def window(name: str, used: float, reset: float | None, **changes: Any) -> Window:
    facts: dict[str, Any] = {"standing": Standing.ALLOWED, "source": Source.HEADER, "seen_at": T0}
    return Window(name, used, reset, **facts | changes)


def test_a_refusal_rejects_the_window_that_resets_then() -> None:
    """Not the other one."""
    told = (window("5h", 0.4, T0 + 100), window("7d", 1.0, T0 + 5000))
    after = named(refused(told, T0 + 5030, "", T0))
    assert after["7d"].standing is Standing.REJECTED
    assert after["5h"].standing is Standing.ALLOWED


def test_a_refusal_without_a_moment_rejects_what_is_full() -> None:
    """Its windows tell until when."""
    after = named(refused((window("5h", 1.0, T0 + 100), window("7d", 0.5, T0 + 5000)), None, "", T0))
    assert after["5h"].standing is Standing.REJECTED
    assert after["7d"].standing is Standing.ALLOWED


def test_a_refusal_that_no_window_explains_is_one_itself() -> None:
    """The reset it names must not be lost; a limit of another model is not meant."""
    other = window("5h_spark", 1.0, T0 + 900, scope="spark")
    after = named(refused((other,), T0 + 900, "gpt-5.5", T0))
    assert after["5h_spark"].standing is Standing.ALLOWED
    assert (after["plan"].standing, after["plan"].resets_at) == (Standing.REJECTED, T0 + 900)
    assert refused((), None, "", T0) == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "primary-used-percent",
                    "primary-window-minutes",
                    "secondary-reset-at",
                    "a-primary-used-percent",
                ]
            ),
            st.text(max_size=20),
        ),
        max_size=8,
    )
)
def test_any_header_is_survived(facts: list[tuple[str, str]]) -> None:
    """Shares are never negative, resets never in the past."""
    told = tuple((b"x-codex-" + name.encode(), value.encode("utf-8", "replace")) for name, value in facts)
    for found in parse_codex(told, T0):
        assert found.used is None or found.used >= 0
        assert found.resets_at is None or found.resets_at > T0
