"""The page of metrics."""

from __future__ import annotations

import subprocess
import sys

from attrs import evolve
from prometheus_client.parser import text_string_to_metric_families

from shunt.accounts.state import Cooldown
from shunt.telemetry.exposition import Scene, page
from shunt.telemetry.tallies import Tallies
from tests.fakes.pools import T0, known, pool_state, window
from tests.fakes.records import record


def scene() -> Scene:
    tallies = Tallies()
    tallies.count(record(1, client="laptop"), 1, 99)
    tallies.count(record(2, account="", status=429, outcome="failed", usage=record(0).usage))
    state = pool_state(
        known("a", window("5h", 0.4), cooldowns={"": Cooldown(T0 + 9, T0, "x")}, email="me@example.com")
    )
    return Scene(
        tallies=tallies,
        state=state,
        providers={"a": "anthropic", "gone": "openai"},
        now=T0,
        version="9.9",
        started_at=T0 - 60,
        active=3,
        streaming=2,
        waiting=1,
        watchers={"clock": (True, 0), "reload": (False, 3)},
        refusals={"host": 4},
        process={"rss_bytes": 1.0, "cpu_seconds": 2.0, "threads": 3.0, "open_files": 4.0},
    )


def values(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_scraper_can_read_it_and_finds_the_figures() -> None:
    """Counters end in _total, units are base units."""
    found = values(page(scene()).decode())

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    served = {"provider": "anthropic", "account": "a", "model": "claude-sonnet-5-5"}
    assert value("shunt_requests_total", **served, code="200", outcome="served") == 1
    assert value("shunt_errors_total") == 1
    assert value("shunt_refusals_total", reason="host") == 4
    tokens = {"account": "a", "model": "claude-sonnet-5-5"}
    assert value("shunt_tokens_total", **tokens, direction="cache_read") == 100
    assert value("shunt_account_window_used_ratio", account="a", window="5h") == 0.4
    assert value("shunt_account_cooldown_until_timestamp_seconds", account="a") == T0 + 9
    assert value("shunt_account_status", account="a", status="cooling") == 1
    assert value("shunt_active_streams") == 2
    assert value("shunt_build_info", version="9.9") == 1
    assert value("shunt_watcher_up", watcher="reload") == 0
    assert value("shunt_request_duration_seconds_bucket", account="a", le="1.0") == 1
    assert value("shunt_request_duration_seconds_count", account="a") == 1
    assert value("process_cpu_seconds_total") == 2


def test_labels_hold_no_sessions_and_no_people() -> None:
    """Nothing a client wrote, no e-mail, no conversation."""
    text = page(scene()).decode()
    for word in ("laptop", "example.com", "c" * 32, "req_"):
        assert word not in text


def test_it_can_be_asked_again() -> None:
    """Nothing is kept between two pages."""
    first = scene()
    assert page(first) == page(first)
    assert page(evolve(first, active=4)) != page(first)


def test_the_library_is_imported_by_nobody_else() -> None:
    """A server that nobody scrapes does not pay for it, nor for OpenTelemetry."""
    code = (
        "import sys, shunt.app.main\n"
        "sys.exit(any(name.split('.')[0] in ('prometheus_client', 'opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
