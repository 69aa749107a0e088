"""What a service manager is told about shunt, whichever manager it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from attrs import field, frozen

LABEL: Final = "shunt"
"""Name of the systemd unit and of the scheduled task."""
REVERSED_LABEL: Final = "local.shunt"
"""Name of the launchd agent."""
SLACK: Final = 15.0
"""Seconds beyond the drain that the end may take before the manager kills."""


@frozen
class Service:
    """The program as a service runs it."""

    command: tuple[str, ...]
    """Absolute path of the program, and its arguments."""
    log_folder: str
    """Where output goes when the manager has no log of its own."""
    environ: Mapping[str, str] = field(factory=dict)
    """Variables it needs beyond what the manager gives; never a secret."""
    drain_seconds: float = 30.0
    """Time that running streams get at the end."""

    @property
    def stop_seconds(self) -> int:
        """How long a manager waits before it kills."""
        return int(self.drain_seconds + SLACK)


@frozen
class Standing:
    """How a service stands."""

    installed: bool
    enabled: bool = False
    """Whether it starts by itself at log-in or boot."""
    running: bool = False
    pid: int | None = None
    detail: str = ""
    """The manager's own words."""


@frozen
class Done:
    """What a manager's program answered."""

    status: int
    output: str
    complaint: str = ""


Run = Callable[[tuple[str, ...]], Done]
"""Runs a program of the system. Raises ServiceError when it does not exist."""


class Manager(Protocol):
    """A service manager. Every method raises ServiceError."""

    @property
    def name(self) -> str:
        """For people: `systemd, for your user`."""

    def install(self, service: Service) -> list[str]:
        """Make it start at log-in or boot, and start it now; returns what the owner should know."""

    def uninstall(self) -> bool:
        """Stop it and leave no trace; whether there was one."""

    def start(self) -> None:
        """Start it; returns once it serves, where the manager can tell."""

    def stop(self) -> None:
        """Stop it. It stays stopped until somebody starts it, or the next log-in or boot."""

    def standing(self) -> Standing:
        """How it stands."""
