"""launchd as the keeper of shunt: an agent of the user who is logged in, on macOS."""

from __future__ import annotations

import plistlib
import re
from pathlib import Path

from attrs import frozen

from shunt.desktop.service import REVERSED_LABEL, Run, Service, Standing
from shunt.errors import ServiceError


def agent(service: Service) -> bytes:
    """`~/Library/LaunchAgents/local.shunt.plist`.

    launchd.plist(5): a job must not fork away; `SuccessfulExit: false` leaves one that was asked to
    end ended; `Background` would be throttled; the default of open files is 256.
    """
    return plistlib.dumps(
        {
            "Label": REVERSED_LABEL,
            "ProgramArguments": list(service.command),
            "EnvironmentVariables": dict(service.environ),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ProcessType": "Adaptive",
            "ExitTimeOut": service.stop_seconds,
            "SoftResourceLimits": {"NumberOfFiles": 4096},
            "Umask": 0o077,
            "StandardOutPath": f"{service.log_folder}/service.txt",
            "StandardErrorPath": f"{service.log_folder}/service.txt",
        },
        sort_keys=False,
    )


@frozen
class Launchd:
    """The user's launchd."""

    run: Run
    agents: Path
    """`~/Library/LaunchAgents`."""
    uid: int
    name: str = "launchd"

    @property
    def plist(self) -> Path:
        """The agent's file."""
        return self.agents / f"{REVERSED_LABEL}.plist"

    @property
    def _domain(self) -> str:
        return f"gui/{self.uid}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{REVERSED_LABEL}"

    def install(self, service: Service) -> list[str]:
        """Write the agent and load it; loading starts it."""
        self._unload()
        self.agents.mkdir(parents=True, exist_ok=True)
        Path(service.log_folder).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.plist.write_bytes(agent(service))
        self.plist.chmod(0o600)
        self._load()
        return ["It starts when you log in and ends when you log out."]

    def uninstall(self) -> bool:
        """Unload and remove."""
        there = self.plist.exists()
        self._unload()
        self.plist.unlink(missing_ok=True)
        return there

    def start(self) -> None:
        """Load it if need be, and start it."""
        if not self.plist.exists():
            raise ServiceError("there is no service to start; first: shunt service install")
        if not self._loaded():
            self._load()
        done = self.run(("launchctl", "kickstart", self._target))
        if done.status:
            raise ServiceError(f"launchctl kickstart failed: {(done.complaint or done.output).strip()}")

    def stop(self) -> None:
        """Unload it: launchd starts nothing that is not loaded."""
        if not self.plist.exists():
            raise ServiceError("there is no service to stop; first: shunt service install")
        self._unload()

    def standing(self) -> Standing:
        """As `launchctl print` says."""
        if not self.plist.exists():
            return Standing(installed=False)
        done = self.run(("launchctl", "print", self._target))
        pid = re.search(r"^\s*pid = (\d+)$", done.output, re.MULTILINE)
        state = re.search(r"^\s*state = (.+)$", done.output, re.MULTILINE)
        running = done.status == 0 and pid is not None
        return Standing(
            installed=True,
            enabled=True,
            running=running,
            pid=int(pid[1]) if pid else None,
            detail=state[1] if done.status == 0 and state else "not loaded",
        )

    def _loaded(self) -> bool:
        return self.run(("launchctl", "print", self._target)).status == 0

    def _load(self) -> None:
        done = self.run(("launchctl", "bootstrap", self._domain, str(self.plist)))
        if done.status:
            raise ServiceError(f"launchctl bootstrap failed: {(done.complaint or done.output).strip()}")

    def _unload(self) -> None:
        if not self._loaded():
            return
        done = self.run(("launchctl", "bootout", self._target))
        # 36, EINPROGRESS: it is still ending; launchd goes on by itself.
        if done.status not in (0, 36):
            raise ServiceError(f"launchctl bootout failed: {(done.complaint or done.output).strip()}")
