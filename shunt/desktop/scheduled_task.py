"""The Windows task scheduler as the keeper of shunt: a task of the user, run at log-on."""

from __future__ import annotations

import csv
import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from attrs import frozen

from shunt.desktop.service import LABEL, Run, Service, Standing
from shunt.errors import ServiceError

NAMESPACE: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"


def task(service: Service, user: str) -> str:
    """The task's definition (Task Scheduler schema 1.2).

    Args:
        service: what runs.
        user: domain and name, with a backslash between, the one whose log-on starts it.
    """
    ET.register_namespace("", NAMESPACE)
    root = _element(None, "Task", version="1.2")
    about = _element(root, "RegistrationInfo")
    _element(about, "Description", "shunt, a local proxy for coding agents")
    trigger = _element(_element(root, "Triggers"), "LogonTrigger")
    _element(trigger, "Enabled", "true")
    _element(trigger, "UserId", user)
    principal = _element(_element(root, "Principals"), "Principal", id="Author")
    _element(principal, "UserId", user)
    _element(principal, "LogonType", "InteractiveToken")
    _element(principal, "RunLevel", "LeastPrivilege")
    settings = _element(root, "Settings")
    for name, value in (
        ("MultipleInstancesPolicy", "IgnoreNew"),
        ("DisallowStartIfOnBatteries", "false"),
        ("StopIfGoingOnBatteries", "false"),
        ("AllowHardTerminate", "true"),
        ("StartWhenAvailable", "true"),
        ("RunOnlyIfNetworkAvailable", "false"),
        ("AllowStartOnDemand", "true"),
        ("Enabled", "true"),
        ("Hidden", "false"),
        ("RunOnlyIfIdle", "false"),
        ("WakeToRun", "false"),
        ("ExecutionTimeLimit", "PT0S"),
        ("Priority", "7"),
    ):
        _element(settings, name, value)
    again = _element(settings, "RestartOnFailure")
    _element(again, "Interval", "PT1M")
    _element(again, "Count", "5")
    action = _element(_element(root, "Actions", Context="Author"), "Exec")
    # A console program would open a window at log-on; this host has none.
    _element(action, "Command", "conhost.exe")
    _element(action, "Arguments", subprocess.list2cmdline(["--headless", *service.command]))
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>\n{text}\n'


def _element(parent: ET.Element | None, name: str, text: str = "", **attributes: str) -> ET.Element:
    tag = f"{{{NAMESPACE}}}{name}"
    element = ET.Element(tag, attributes) if parent is None else ET.SubElement(parent, tag, attributes)
    element.text = text or None
    return element


@frozen
class TaskScheduler:
    """The task scheduler of Windows, through schtasks."""

    run: Run
    user: str
    name: str = "the task scheduler"

    def install(self, service: Service) -> list[str]:
        """Register the task and run it."""
        with tempfile.TemporaryDirectory(prefix="shunt-task-") as folder:
            path = Path(folder) / "task.xml"
            path.write_text(task(service, self.user), encoding="utf-16")
            self._asked("/Create", "/F", "/XML", str(path))
        self.start()
        return ["It starts when you log on and ends when you log off."]

    def uninstall(self) -> bool:
        """End it and remove the task."""
        if self.run(("schtasks", "/Query", "/TN", LABEL)).status:
            return False
        self.run(("schtasks", "/End", "/TN", LABEL))  # fails when it does not run
        self._asked("/Delete", "/F")
        return True

    def start(self) -> None:
        """Run the task now."""
        self._asked("/Run")

    def stop(self) -> None:
        """End it. Windows has no gentle way to end a program without a window: running answers are cut."""
        self._asked("/End")

    def standing(self) -> Standing:
        """As schtasks says."""
        done = self.run(("schtasks", "/Query", "/TN", LABEL, "/FO", "CSV", "/NH"))
        if done.status:
            return Standing(installed=False)
        row = next(csv.reader(done.output.splitlines()), [])
        state = row[2] if len(row) > 2 else ""
        return Standing(installed=True, enabled=state != "Disabled", running=state == "Running", detail=state)

    def _asked(self, verb: str, *options: str) -> None:
        done = self.run(("schtasks", verb, "/TN", LABEL, *options))
        if done.status:
            said = (done.complaint or done.output).strip()
            raise ServiceError(f"schtasks {verb} failed: {said or f'status {done.status}'}")
