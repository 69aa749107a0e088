"""`shunt report`: a whole bundle, and no secret in it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.desk import ACCESS, REFRESH, T0, Desk
from tests.cli.scripted_control import scripted_control

CANARIES = (ACCESS, REFRESH, "obviously-fake-upstream-key", "obviously-fake-env-key", "obviously-fake-header")
"""One secret of each kind and place."""


def contents(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def lived_in(desk: Desk) -> Desk:
    """A machine with secrets in every place where one can be, the log among them."""
    desk.write_config(
        '[[accounts]]\nname = "a"\nprovider = "openai"\napi_key = "obviously-fake-upstream-key"\n'
        'headers = { "x-team" = "obviously-fake-header" }\n'
        '[[accounts]]\nname = "b"\nprovider = "openai"\napi_key_env = "TEAM_KEY"\n'
    )
    desk.environ["TEAM_KEY"] = "obviously-fake-env-key"
    desk.log_in(email="person@example.test")
    added = desk.run("add-account", "main", "--provider", "anthropic", "--import", "--yes")
    assert added.exit_code == 0, added.output
    log = desk.home / "logs" / "shunt.log"
    log.parent.mkdir(exist_ok=True)
    lines = [f"said {secret} to {desk.user}/x for person@example.test" for secret in CANARIES]
    log.write_text("\n".join(json.dumps({"message": line}) for line in lines))
    return desk


def test_a_report_holds_everything_but_secrets(lived_in: Desk, tmp_path: Path) -> None:
    """Not those of the configuration, of the store, of the environment; not in any part, the log included."""
    path = tmp_path / "report.zip"
    leaky = {"accounts": [], "troubles": {"x": " ".join(CANARIES)}}
    with scripted_control({"GET /status": (200, leaky)}) as server:
        lived_in.serve(server)
        result = lived_in.run("report", "--output", str(path))
    assert (result.exit_code, result.stdout) == (0, f"{path}\n")
    parts = contents(path)
    assert set(parts) >= {
        "README.txt",
        "versions.json",
        "config.json",
        "doctor.json",
        "status.json",
        "log.txt",
    }
    for name, text in parts.items():
        for secret in (*CANARIES, "person@example.test", str(lived_in.user)):
            assert secret not in text, name
    assert json.loads(parts["config.json"])["accounts"][0]["name"] == "a"
    assert "***" in parts["log.txt"]
    assert "troubles" in json.loads(parts["status.json"])
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_server_the_rest_is_there(desk: Desk, tmp_path: Path) -> None:
    """And says what is missing."""
    path = tmp_path / "report.zip"
    told = desk.document("report", "--output", str(path))
    assert told["path"] == str(path)
    parts = contents(path)
    assert set(told["files"]) == set(parts)
    assert "shunt run" in json.loads(parts["status.json"])["unavailable"]
    assert parts["log.txt"].startswith("no log")


def test_a_broken_configuration_is_reported_on(desk: Desk, tmp_path: Path) -> None:
    """That is when people report."""
    desk.write_config('[server]\nprot = 1\nremote_key = "obviously-fake-key-in-a-broken-file"\n')
    path = tmp_path / "report.zip"
    assert desk.run("report", "-o", str(path)).exit_code == 0
    whole = "".join(contents(path).values())
    assert "prot" in whole
    assert "obviously-fake-key" not in whole


def test_nothing_is_overwritten(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file that was named, nor an earlier report of the same second."""
    monkeypatch.chdir(tmp_path)
    assert desk.run("report").exit_code == 0
    (made,) = tmp_path.glob("shunt-report-*.zip")
    assert made.name == "shunt-report-20251121-090000.zip"
    assert T0 == 1_763_715_600.0
    assert desk.run("report").exit_code == 1
    assert desk.run("report", "-o", str(tmp_path / "no" / "folder.zip")).exit_code == 1
