"""OpenTelemetry, when the environment names an endpoint for it; otherwise its library is never imported."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from shunt.telemetry.ring import Finished

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OFF = "OTEL_SDK_DISABLED"


class Exporter(Protocol):
    """Takes finished requests as traces."""

    def __call__(self, finished: Finished, /) -> None:
        """Take one; neither raises nor waits."""

    def close(self, within: float) -> None:
        """Send what waits, for so many seconds at most. Blocks."""


def exporter(environ: Mapping[str, str]) -> Exporter | None:
    """What takes finished requests as traces; None when nobody asked for them."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get(OFF, "").lower() == "true":
        return None
    try:
        from shunt.telemetry import spans  # noqa: PLC0415 - only who wants traces pays for it
    except ImportError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'shunt[otel]'"
        )
        return None
    return spans.Exporter()
