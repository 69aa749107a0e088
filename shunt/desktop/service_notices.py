"""What a service tells systemd about itself: sd_notify(3), one datagram each.

systemd sets NOTIFY_SOCKET for units with Type=notify, and WATCHDOG_USEC for those with WatchdogSec.
Anywhere else nothing is sent.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

import trio
from attrs import frozen

log = logging.getLogger(__name__)


@frozen
class ServiceNotices:
    """The way to the service manager."""

    address: str = ""
    """Path of its socket; one that begins with @ is abstract. Empty: nobody listens."""
    watchdog: float = 0.0
    """Seconds without a sign of life after which it restarts us; 0 means that it does not."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ServiceNotices:
        """As the manager set it."""
        address = environ.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        span, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        ours = not pid or pid == str(os.getpid())
        return cls(address, int(span) / 1e6 if span.isdigit() and ours else 0.0)

    def serving(self) -> None:
        """Say that requests are served from now on."""
        self._send("READY=1\nSTATUS=serving")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1\nSTATUS=running streams may finish")

    def handing_over(self) -> None:
        """Say that another version takes this process's place."""
        self._send("STATUS=handing over to another version")

    async def show_life(self) -> None:
        """Send signs of life for ever, from the very loop that serves: one that hangs sends none."""
        if not self.watchdog:
            return
        while True:
            self._send("WATCHDOG=1")
            await trio.sleep(self.watchdog / 3)

    def _send(self, text: str) -> None:
        if not self.address:
            return
        path = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.settimeout(0)
                channel.sendto(text.encode(), path)
        except OSError as error:
            log.info("the service manager could not be told: %s", error.strerror)
