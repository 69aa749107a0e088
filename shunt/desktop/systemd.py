"""systemd as the keeper of shunt: the user's own manager, or the machine's."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from attrs import frozen

from shunt.desktop.service import LABEL, Done, Run, Service, Standing
from shunt.desktop.systemd_unit import STATE, SYSTEM_USER, system_unit, user_unit
from shunt.errors import ServiceError

UNIT: Final = f"{LABEL}.service"
NO_SESSION: Final = (
    "systemd runs no session for this user here ({why}). Log in on the machine itself or over SSH (not with su "
    "or sudo), or: sudo loginctl enable-linger, and log in again. For a server: shunt service install --system"
)


@frozen
class UserSystemd:
    """The manager that systemd runs for one user: its services are the user's login items."""

    run: Run
    units: Path
    """`~/.config/systemd/user`."""
    name: str = "systemd, for your user"

    def install(self, service: Service) -> list[str]:
        """Write the unit, enable and start it."""
        self._reachable()
        self.units.mkdir(parents=True, exist_ok=True)
        (self.units / UNIT).write_text(user_unit(service), encoding="utf-8")
        _asked(self.run, "--user", "daemon-reload")
        _asked(self.run, "--user", "enable", "--quiet", UNIT)
        _started(self.run, ("--user",), "restart")
        return [
            "It starts when you log in and ends when you log out.",
            "To have it run from boot on, without anybody logged in: loginctl enable-linger",
        ]

    def uninstall(self) -> bool:
        """Stop, disable and remove."""
        there = (self.units / UNIT).exists()
        if there:
            self._reachable()
            _asked(self.run, "--user", "disable", "--now", "--quiet", UNIT)
            (self.units / UNIT).unlink()
            _asked(self.run, "--user", "daemon-reload")
            self.run(("systemctl", "--user", "reset-failed", UNIT))  # fails when it had not failed
            _prune(self.units / "default.target.wants", self.units, self.units.parent)
        return there

    def start(self) -> None:
        """Start it; returns when it serves."""
        self._installed()
        _started(self.run, ("--user",), "start")

    def stop(self) -> None:
        """Stop it; returns when it has ended."""
        self._installed()
        _asked(self.run, "--user", "stop", UNIT)

    def standing(self) -> Standing:
        """As systemd says."""
        if not (self.units / UNIT).exists():
            return Standing(installed=False)
        self._reachable()
        return _standing(self.run, "--user")

    def _installed(self) -> None:
        if not (self.units / UNIT).exists():
            raise ServiceError("there is no service to start or stop; first: shunt service install")
        self._reachable()

    def _reachable(self) -> None:
        done = self.run(("systemctl", "--user", "show-environment"))
        if done.status:
            raise ServiceError(NO_SESSION.format(why=_last(done) or f"status {done.status}"))


@frozen
class SystemSystemd:
    """The machine's own manager, for a server without anybody logged in. Needs root."""

    run: Run
    is_root: bool
    units: Path = Path("/etc/systemd/system")
    name: str = "systemd, for the whole machine"

    def install(self, service: Service) -> list[str]:
        """Make the user, write the unit, enable and start it."""
        self._allowed()
        if self.run(("getent", "passwd", SYSTEM_USER)).status:
            nologin = shutil.which("nologin", path="/usr/sbin:/sbin:/usr/bin") or "/bin/false"
            options = (
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                STATE,
                "--shell",
                nologin,
            )
            done = self.run(("useradd", *options, SYSTEM_USER))
            if done.status:
                raise ServiceError(f"cannot make the user {SYSTEM_USER}: {_last(done)}")
        (self.units / UNIT).write_text(system_unit(service), encoding="utf-8")
        (self.units / UNIT).chmod(0o644)
        _asked(self.run, "daemon-reload")
        _asked(self.run, "enable", "--quiet", UNIT)
        _started(self.run, (), "restart")
        return [
            f"It runs as the user {SYSTEM_USER}; its files are in {STATE}.",
            f"Manage it with: sudo -u {SYSTEM_USER} shunt --home {STATE} add-account NAME …",
            "Settings may also stand in /etc/shunt/environment, one SHUNT_… variable per line.",
        ]

    def uninstall(self) -> bool:
        """Stop, disable and remove it and its user; what it kept in its state folder stays."""
        self._allowed()
        there = (self.units / UNIT).exists()
        if there:
            _asked(self.run, "disable", "--now", "--quiet", UNIT)
            (self.units / UNIT).unlink()
            _asked(self.run, "daemon-reload")
            self.run(("systemctl", "reset-failed", UNIT))  # fails when it had not failed
            if not Path(STATE).exists():  # its files would belong to a number that somebody else may get
                self.run(("userdel", SYSTEM_USER))
        return there

    def start(self) -> None:
        """Start it; returns when it serves."""
        self._allowed()
        _started(self.run, (), "start")

    def stop(self) -> None:
        """Stop it; returns when it has ended."""
        self._allowed()
        _asked(self.run, "stop", UNIT)

    def standing(self) -> Standing:
        """As systemd says."""
        if not (self.units / UNIT).exists():
            return Standing(installed=False)
        return _standing(self.run)

    def _allowed(self) -> None:
        if not self.is_root:
            raise ServiceError("a service of the whole machine is root's to change; put sudo before it")


def _asked(run: Run, *arguments: str) -> str:
    done = run(("systemctl", *arguments))
    if done.status:
        raise ServiceError(
            f"systemctl {' '.join(arguments)} failed: {_last(done) or f'status {done.status}'}"
        )
    return done.output


def _started(run: Run, scope: tuple[str, ...], verb: str) -> None:
    if run(("systemctl", *scope, verb, UNIT)).status:
        # systemctl only says that it failed; the program itself said why.
        said = run(("journalctl", *scope, "--unit", UNIT, "--lines", "3", "--output", "cat", "--quiet"))
        lines = [line for line in said.output.splitlines() if line.startswith(("Error", "cannot", "shunt"))]
        why = lines[-1] if lines else f"see: journalctl {' '.join((*scope, '-u', LABEL))}"
        raise ServiceError(f"the service did not start: {why}")


def _standing(run: Run, *scope: str) -> Standing:
    names = "ActiveState,SubState,MainPID,UnitFileState,Result"
    facts = dict(
        line.partition("=")[::2]
        for line in _asked(run, *scope, "show", UNIT, "--property", names).splitlines()
    )
    pid = facts.get("MainPID", "0")
    failed = facts.get("Result", "success")
    return Standing(
        installed=True,
        enabled=facts.get("UnitFileState") == "enabled",
        running=facts.get("ActiveState") in ("active", "reloading"),
        pid=int(pid) if pid.isdigit() and pid != "0" else None,
        detail=f"{facts.get('ActiveState', '?')} ({facts.get('SubState', '?')})"
        + ("" if failed == "success" else f", ended with: {failed}"),
    )


def _last(done: Done) -> str:
    lines = (done.complaint or done.output).strip().splitlines()
    return lines[-1].strip() if lines else ""


def _prune(*folders: Path) -> None:
    """Remove the folders that are empty now."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
