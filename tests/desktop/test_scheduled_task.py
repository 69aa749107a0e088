from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from shunt.desktop.scheduled_task import NAMESPACE, TaskScheduler, task
from shunt.desktop.service import Done, Service, Standing
from shunt.errors import ServiceError
from tests.desktop.scripted_run import ScriptedRun

SERVICE = Service(("C:\\Program Files\\shunt\\shunt.exe", "run", "--home", "C:\\a & b"), "C:\\logs")
LOGGED_OFF = {"schtasks /Query": Done(1, "", "ERROR: The system cannot find the file specified.")}


def test_the_definition_says_what_is_meant() -> None:
    """Read back: at this user's log-on, without time limit or rights, in no window, one at a time."""
    text = task(SERVICE, "HOST\\me")
    assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>')
    root = ET.fromstring(text.partition("?>")[2])  # noqa: S314 - our own text

    def told(path: str) -> str | None:
        return root.findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/")))

    assert root.get("version") == "1.2"
    assert told("Triggers/LogonTrigger/UserId") == "HOST\\me"
    assert told("Principals/Principal/RunLevel") == "LeastPrivilege"
    assert told("Settings/ExecutionTimeLimit") == "PT0S"
    assert told("Settings/MultipleInstancesPolicy") == "IgnoreNew"
    assert told("Settings/RestartOnFailure/Count") == "5"
    assert told("Actions/Exec/Command") == "conhost.exe"
    assert told("Actions/Exec/Arguments") == (
        '--headless "C:\\Program Files\\shunt\\shunt.exe" run --home "C:\\a & b"'
    )


def test_install_start_stop_uninstall() -> None:
    """Each is one command of schtasks."""
    run = ScriptedRun()
    manager = TaskScheduler(run, "HOST\\me")
    manager.install(SERVICE)
    manager.stop()
    manager.start()
    assert manager.uninstall()
    assert [line.split()[1] for line in run.commands] == [
        *("/Create", "/Run", "/End", "/Run", "/Query", "/End", "/Delete"),
    ]
    run.answers = LOGGED_OFF
    assert not manager.uninstall()


def test_a_refusal_is_told() -> None:
    """In schtasks' own words."""
    manager = TaskScheduler(ScriptedRun({"schtasks /Create": Done(1, "", "ERROR: Access is denied.")}), "me")
    with pytest.raises(ServiceError, match="Access is denied"):
        manager.install(SERVICE)


@pytest.mark.parametrize(
    ("answer", "standing"),
    [
        (LOGGED_OFF["schtasks /Query"], Standing(installed=False)),
        (
            Done(0, '"\\shunt","N/A","Running"\n'),
            Standing(installed=True, enabled=True, running=True, detail="Running"),
        ),
        (Done(0, '"\\shunt","N/A","Disabled"\n'), Standing(installed=True, detail="Disabled")),
    ],
)
def test_the_standing_is_the_schedulers(answer: Done, standing: Standing) -> None:
    """What `schtasks /Query` says, in our terms."""
    assert TaskScheduler(ScriptedRun({"schtasks /Query": answer}), "me").standing() == standing
