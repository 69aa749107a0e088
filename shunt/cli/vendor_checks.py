"""`shunt doctor` towards the vendors: can they be reached, and do the clocks agree?

No credential is sent, and nothing but the answer's date is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from shunt.cli.remarks import Level, Remark
from shunt.views.words import span

CLOCK_WARNS = 30.0
"""Seconds off from which resets and token ends are misjudged now and then."""
CLOCK_FAILS = 300.0
"""Seconds off from which fresh tokens look expired, or dead ones fresh."""
WITHIN = 5.0
"""Seconds a vendor may take to answer."""


def vendor_remarks(url: str, proxy: str, now: Callable[[], float]) -> Iterator[Remark]:
    """Ask the server behind `url` for its date.

    Args:
        url: base address of an account's upstream.
        proxy: outbound proxy of that account, or empty.
        now: the local clock, epoch seconds.
    """
    import httpx2 as httpx  # noqa: PLC0415 - 90 ms, not paid with --offline

    about = f"upstream {urlsplit(url).netloc}"
    try:
        with httpx.Client(trust_env=False, timeout=WITHIN, proxy=proxy or None) as client:
            asked = now()
            date = client.head(url).headers.get("date", "")
            answered = now()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        # The error's own text may quote the proxy's address with its password.
        yield Remark(
            Level.WARNING,
            about,
            f"cannot be reached from here ({type(error).__name__})",
            "Check the network, the account's proxy and upstream_url; --offline skips this check.",
        )
        return
    yield Remark(Level.FINE, about, f"answers, {(answered - asked) * 1000:.0f} ms away")
    yield from clock_remarks(date, (asked + answered) / 2)


def clock_remarks(date: str, here: float) -> Iterator[Remark]:
    """Compare an HTTP `Date` with the local clock at `here`, epoch seconds."""
    try:
        there = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return  # no date, nothing to compare
    off = here - there
    if abs(off) < CLOCK_WARNS:
        yield Remark(Level.FINE, "clock", "agrees with the vendor's")
        return
    yield Remark(
        Level.FAULT if abs(off) >= CLOCK_FAILS else Level.WARNING,
        "clock",
        f"is {span(abs(off))} {'ahead of' if off > 0 else 'behind'} the vendor's; resets and logins are misjudged",
        "Let the system set its time from the network.",
    )
