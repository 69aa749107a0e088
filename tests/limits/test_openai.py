"""Rate limits in OpenAI's dialect."""

from __future__ import annotations

import pytest

from shunt.limits.openai import parse_openai
from shunt.limits.windows import Standing
from shunt.wire.headers import Headers

T0 = 1_800_000_000.0


def bucket(name: str, limit: str, remaining: str, reset: str) -> Headers:
    return (
        (f"X-RateLimit-Limit-{name}".encode(), limit.encode()),
        (f"x-ratelimit-remaining-{name}".encode(), remaining.encode()),
        (f"x-ratelimit-reset-{name}".encode(), reset.encode()),
    )


def test_both_buckets_are_read() -> None:
    """Durations of either kind."""
    told = bucket("requests", "100", "25", "6m0s") + bucket("tokens", "40000", "40000", "20ms")
    requests, tokens = parse_openai(told, T0)
    assert (requests.name, requests.used, requests.resets_at) == ("requests", 0.75, T0 + 360)
    assert (tokens.name, tokens.used) == ("tokens", 0.0)
    assert tokens.resets_at == pytest.approx(T0 + 0.02)
    assert {requests.standing, tokens.standing} == {Standing.ALLOWED}


def test_an_empty_bucket_is_a_warning() -> None:
    """It takes requests again long before it is full."""
    assert parse_openai(bucket("requests", "10", "0", "60s"), T0)[0].standing is Standing.WARNING


def test_a_reset_is_never_far_away() -> None:
    """Nor in the past."""
    assert parse_openai(bucket("requests", "10", "1", "400h"), T0)[0].resets_at == T0 + 86_400
    assert parse_openai(bucket("requests", "10", "1", ""), T0)[0].resets_at is None


@pytest.mark.parametrize(
    "told",
    [
        (),
        bucket("requests", "", "1", "1s"),
        bucket("tokens", "0", "0", "1s"),
        bucket("requests", "x", "y", "z"),
    ],
)
def test_nonsense_is_left_out(told: Headers) -> None:
    """A limit of nothing is none."""
    assert parse_openai(told, T0) == ()
