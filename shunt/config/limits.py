"""`[limits]`: how much one caller may ask of this machine, in sizes, times and counts."""

from __future__ import annotations

from attrs import field, frozen

from shunt.config import values
from shunt.config.values import key


@frozen
class LimitsConfig:
    """`[limits]`: sizes, times and counts that keep one caller from taking what all need.

    The defaults lie far above what any coding agent does. What exceeds them is refused in the caller's own
    words and counted in `refusals` of /status.
    """

    line_kb: int = field(
        default=8,
        metadata=key(values.whole(1, 1024), "Longest line of a request (method, path, query), in KiB."),
    )
    head_kb: int = field(
        default=64,
        metadata=key(values.whole(1, 1024), "Largest head of a request (its line and headers), in KiB."),
    )
    header_fields: int = field(
        default=100, metadata=key(values.whole(1, 10_000), "Most headers of one request.")
    )
    head_seconds: float = field(
        default=15.0, metadata=key(values.seconds(0.1), "Seconds in which the head has to be whole.")
    )
    body_seconds: float = field(
        default=600.0, metadata=key(values.seconds(0.1), "Seconds in which the body has to be whole.")
    )
    body_grace_seconds: float = field(
        default=10.0,
        metadata=key(values.seconds(0.1), "Seconds after which a body has to have come with body_rate."),
    )
    body_rate: int = field(
        default=1024,
        metadata=key(values.whole(1, 1_000_000_000), "Bytes a second with which a body has to come."),
    )
    bodies_mb: int = field(
        default=256,
        metadata=key(values.whole(1, 1_000_000), "All request bodies in memory together, in MiB."),
    )
    control_body_kb: int = field(
        default=64,
        metadata=key(values.whole(1, 1_000_000), "Largest body of a request to shunt itself, in KiB."),
    )
    pipelined_kb: int = field(
        default=1024,
        metadata=key(values.whole(1, 1_000_000), "Bytes sent ahead of an answer that still runs, in KiB."),
    )
    event_mb: int = field(
        default=64,
        metadata=key(
            values.whole(1, 100_000), "Largest event of an answer that is put into other words, in MiB."
        ),
    )
    answer_mb: int = field(
        default=64,
        metadata=key(values.whole(1, 100_000), "Largest plain answer that is put into other words, in MiB."),
    )
    connections: int = field(
        default=2000, metadata=key(values.whole(1, 100_000), "Most connections at once.")
    )
    full_seconds: float = field(
        default=5.0,
        metadata=key(
            values.seconds(0),
            "Seconds whoever comes beyond `connections` waits for one to end before being turned away.",
        ),
    )
    connections_per_address: int = field(
        default=256,
        metadata=key(values.whole(1, 100_000), "Most connections of one other machine."),
    )
    requests_per_client: int = field(
        default=0,
        metadata=key(
            values.whole(0, 100_000), "Most requests that one client key may have running; 0 means no limit."
        ),
    )
    request_hours: float = field(
        default=12.0,
        metadata=key(
            values.number(0.0001, 1000), "Hours one request may take, waiting and streaming together."
        ),
    )
    keep_alive_seconds: float = field(
        default=620.0, metadata=key(values.seconds(1), "Seconds an idle connection is kept.")
    )
    stall_seconds: float = field(
        default=60.0,
        metadata=key(values.seconds(0.1), "Seconds a client may take nothing of what it is being sent."),
    )
    upstream_write_seconds: float = field(
        default=60.0,
        metadata=key(values.seconds(0.1), "Seconds an upstream may take nothing of a request."),
    )
    wrong_keys_per_minute: int = field(
        default=10,
        metadata=key(
            values.whole(1, 10_000), "Wrong keys of one machine, after which it has to wait a minute."
        ),
    )
