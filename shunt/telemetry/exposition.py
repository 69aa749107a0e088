"""The counts in Prometheus' words. Imports its library only when somebody scrapes.

Names follow the conventions: base units, `_total` for counters. Labels are bounded: accounts of the
configuration, models of the price list, statuses. No session, no client's own words, no e-mail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from shunt.accounts.eligibility import cooldown_until, status_of
from shunt.accounts.state import PoolState, Status
from shunt.telemetry.tallies import BUCKETS, Histogram, Tallies

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@frozen
class Scene:
    """Everything a page of metrics is made of, at one instant."""

    tallies: Tallies
    state: PoolState
    providers: Mapping[str, str]
    """Account → provider."""
    now: float
    """Epoch seconds."""
    version: str
    started_at: float
    active: int
    streaming: int
    waiting: int
    subscribers: int = 0
    subscribers_dropped: int = 0
    records_dropped: int = 0
    watchers: Mapping[str, tuple[bool, int]] = field(factory=dict)
    """Watcher → (well, failures)."""
    refusals: Mapping[str, int] = field(factory=dict)
    """What was refused before it reached an account, by reason."""
    process: Mapping[str, float] = field(factory=dict)
    """`rss_bytes`, `cpu_seconds`, `threads`, `open_files`, as far as known."""


def page(scene: Scene) -> bytes:
    """The page that /metrics gives."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - 50 ms that only scrapes pay
    from prometheus_client.registry import Collector  # noqa: PLC0415 - likewise

    class Once(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from _requests(scene)
            yield from _accounts(scene)
            yield from _program(scene)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Once())
    return generate_latest(registry)


def _requests(scene: Scene) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see `page`

    tallies, providers = scene.tallies, scene.providers
    labels = ["provider", "account", "model", "code", "outcome"]
    requests = CounterMetricFamily("shunt_requests", "Finished requests of clients.", labels=labels)
    for (account, model, status, outcome), number in sorted(tallies.requests.items()):
        requests.add_metric([providers.get(account, ""), account, model, str(status), outcome], number)
    yield requests
    attempts = CounterMetricFamily("shunt_attempts", "Tries at accounts.", labels=["account", "verdict"])
    for key, number in sorted(tallies.attempts.items()):
        attempts.add_metric(list(key), number)
    yield attempts
    tokens = CounterMetricFamily("shunt_tokens", "Tokens.", labels=["account", "model", "direction"])
    for key3, number in sorted(tallies.tokens.items()):
        tokens.add_metric(list(key3), number)
    yield tokens
    cost = CounterMetricFamily(
        "shunt_cost_usd", "Price of the tokens at API rates.", labels=["account", "model", "paid"]
    )
    for (account, model, paid), dollars in sorted(tallies.cost.items()):
        cost.add_metric([account, model, "true" if paid else "false"], dollars)
    yield cost
    yield _counter("shunt_errors", "Requests that ended in an error for their client.", tallies.errors)
    refused = CounterMetricFamily(
        "shunt_refusals", "Requests and connections refused at the door.", labels=["reason"]
    )
    for reason, number in scene.refusals.items():
        refused.add_metric([reason], number)
    yield refused
    yield _counter("shunt_conversation_moves", "Conversations that changed account.", tallies.moves)
    yield _counter(
        "shunt_rebilled_tokens", "Input tokens paid for again because a conversation moved.", tallies.rebilled
    )
    yield _counter("shunt_stream_stalls", "Silences of ten seconds and more within answers.", tallies.stalls)
    yield _counter("shunt_response_bytes", "Bytes of answers handed on.", tallies.bytes)
    yield _histograms("shunt_request_duration_seconds", "From arrival to the end.", tallies.duration)
    yield _histograms("shunt_time_to_first_byte_seconds", "From arrival to the answer.", tallies.first_byte)


def _accounts(scene: Scene) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see `page`

    used = GaugeMetricFamily(
        "shunt_account_window_used_ratio", "Share spent of a usage window.", labels=["account", "window"]
    )
    resets = GaugeMetricFamily(
        "shunt_account_window_reset_timestamp_seconds", "When it resets.", labels=["account", "window"]
    )
    cooling = GaugeMetricFamily(
        "shunt_account_cooldown_until_timestamp_seconds",
        "When it is back; 0 if not away.",
        labels=["account"],
    )
    standing = GaugeMetricFamily(
        "shunt_account_status", "1 for the status it has.", labels=["account", "status"]
    )
    flying = GaugeMetricFamily("shunt_account_requests_in_flight", "Requests running.", labels=["account"])
    for name in scene.providers:
        state = scene.state.accounts.get(name)
        if state is None:
            continue
        for window in state.windows.values():
            if window.used is not None:
                used.add_metric([name, window.name], window.used_now(scene.now))
            if window.resets_at is not None:
                resets.add_metric([name, window.name], window.resets_at)
        cooling.add_metric([name], cooldown_until(state, scene.now) or 0.0)
        now = status_of(state, scene.now)
        for status in Status:
            standing.add_metric([name, status.value], float(status is now))
        flying.add_metric([name], state.in_flight)
    yield from (used, resets, cooling, standing, flying)


def _program(scene: Scene) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - see `page`

    build = GaugeMetricFamily("shunt_build_info", "1, with the version.", labels=["version"])
    build.add_metric([scene.version], 1)
    yield build
    for name, about, value in (
        ("shunt_active_requests", "Requests running.", scene.active),
        ("shunt_active_streams", "Answers that are being streamed.", scene.streaming),
        ("shunt_waiting_requests", "Requests held until an account is back.", scene.waiting),
        ("shunt_event_subscribers", "Readers of /events.", scene.subscribers),
        ("shunt_start_time_seconds", "When it started, in epoch seconds.", scene.started_at),
    ):
        yield GaugeMetricFamily(name, about, value=value)
    yield _counter("shunt_event_subscribers_dropped", "Readers cut off for lag.", scene.subscribers_dropped)
    yield _counter("shunt_history_records_dropped", "Records lost: the disk was slow.", scene.records_dropped)
    up = GaugeMetricFamily("shunt_watcher_up", "1 while a watcher is well.", labels=["watcher"])
    for watcher, (well, _) in scene.watchers.items():
        up.add_metric([watcher], float(well))
    yield up
    for key, name, about in (
        ("rss_bytes", "process_resident_memory_bytes", "Resident memory."),
        ("threads", "process_threads", "Threads."),
        ("open_files", "process_open_fds", "Open file descriptors."),
    ):
        if key in scene.process:
            yield GaugeMetricFamily(name, about, value=scene.process[key])
    if "cpu_seconds" in scene.process:
        yield _counter("process_cpu_seconds", "CPU time used.", scene.process["cpu_seconds"])


def _counter(name: str, about: str, value: float) -> Metric:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see `page`

    return CounterMetricFamily(name, about, value=value)


def _histograms(name: str, about: str, by_account: Mapping[str, Histogram]) -> Any:
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - see `page`

    family = HistogramMetricFamily(name, about, labels=["account"])
    for account, histogram in sorted(by_account.items()):
        running, buckets = 0, []
        for bound, number in zip((*BUCKETS, float("inf")), histogram.counts, strict=True):
            running += number
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(running)))
        family.add_metric([account], buckets, sum_value=histogram.total)
    return family
