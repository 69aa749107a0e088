"""OpenTelemetry, when the environment names an endpoint for it; otherwise its library is never imported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from shunt.telemetry.ring import Finished

log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
OFF = "OTEL_SDK_DISABLED"


def exporter(environ: Mapping[str, str]) -> Callable[[Finished], None] | None:
    """What takes finished requests as traces; None when nobody asked for them."""
    if not any(environ.get(name) for name in ENDPOINTS) or environ.get(OFF, "").lower() == "true":
        return None
    try:
        from shunt.telemetry.spans import open_exporter  # noqa: PLC0415 - only who wants traces pays for it
    except ImportError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'shunt[otel]'"
        )
        return None
    return open_exporter()
