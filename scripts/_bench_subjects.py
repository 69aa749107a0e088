"""What is measured: how each proxy is started, asked and stopped, and what the system says it used."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from _bench_load import Target

ROOT = Path(__file__).resolve().parent.parent
READY = 60.0
"""Seconds a proxy may take to answer; some import for half a minute."""
TICK = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether anybody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def family(pid: int) -> list[int]:
    """A process and everything it started."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += family(int(entry.name))
    return found


def cpu(pid: int) -> float:
    """Seconds of processor time that a process and its children have used."""
    total = 0.0
    for member in family(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / TICK
    return total


def memory(pid: int) -> float:
    """Resident memory of a process and its children, in MiB."""
    total = 0
    for member in family(pid):
        try:
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


@dataclass(frozen=True)
class Subject:
    """One proxy."""

    name: str
    version: str
    command: Callable[[int, str, Path], tuple[list[str], dict[str, str]]]
    """(port, vendor's base URL, scratch folder) → words and environment."""
    path: str = "/v1/messages"

    @contextmanager
    def running(self, vendor: str, folder: Path) -> Iterator[tuple[Target, int, float]]:
        """Start it; yields where it is, its process, and seconds until it answered."""
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        words, environment = self.command(port, vendor, folder)
        with (folder / "output.txt").open("wb") as out:
            begun = time.perf_counter()
            process = subprocess.Popen(
                words,
                env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
                cwd=folder,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            while not answers(port):
                if process.poll() is not None or time.perf_counter() - begun > READY:
                    raise RuntimeError((folder / "output.txt").read_text(errors="replace")[-2000:])
                time.sleep(0.01)
            yield Target(port, self.path), process.pid, time.perf_counter() - begun
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def shunt(
    words: list[str], *, accounts: int = 1, upstream: str = "anthropic-compatible"
) -> Callable[..., tuple[list[str], dict[str, str]]]:
    """How shunt is started, with everything on that a user has on."""

    def command(port: int, vendor: str, folder: Path) -> tuple[list[str], dict[str, str]]:
        home = folder / "home"
        home.mkdir(mode=0o700, exist_ok=True)
        url = vendor if upstream == "anthropic-compatible" else f"{vendor}/v1"
        lines = [f"[server]\nport = {port}\n", '[prefetch]\nmode = "off"\n']
        lines += [
            f'[[accounts]]\nname = "a{number}"\nprovider = "{upstream}"\nupstream_url = "{url}"\n'
            'api_key = "sk-bench-not-a-key"\n'
            for number in range(accounts)
        ]
        config = home / "config.toml"
        config.write_text("\n".join(lines))
        config.chmod(0o600)
        environment = {"SHUNT_HOME": str(home), "PYTHONPATH": str(ROOT)}
        return [*words, "run"], environment

    return command


def relay(port: int, vendor: str, _: Path) -> tuple[list[str], dict[str, str]]:
    """The bare relay."""
    return [sys.executable, str(ROOT / "scripts" / "_bench_relay.py"), str(port), vendor], {}


def litellm(program: str) -> Callable[..., tuple[list[str], dict[str, str]]]:
    """LiteLLM's proxy, with one Anthropic deployment."""

    def command(port: int, vendor: str, folder: Path) -> tuple[list[str], dict[str, str]]:
        entry = {
            "model_name": "*",
            "litellm_params": {"model": "anthropic/*", "api_base": vendor, "api_key": "sk-bench-not-a-key"},
        }
        config = folder / "config.yaml"
        config.write_text(json.dumps({"model_list": [entry]}))
        words = [program, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
        return words, {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": "sk-bench-not-a-key"}

    return command


def source() -> Subject:
    """Shunt from this checkout."""
    return Subject("shunt", "source", shunt([sys.executable, "-m", "shunt"]))


def translating() -> Subject:
    """Shunt in front of a Chat server: every answer is translated."""
    words = [sys.executable, "-m", "shunt"]
    return Subject("shunt translating", "source", shunt(words, upstream="openai-compatible"))


def crowded(accounts: int) -> Subject:
    """Shunt with many accounts."""
    return Subject(
        f"shunt, {accounts} accounts", "source", shunt([sys.executable, "-m", "shunt"], accounts=accounts)
    )


def built() -> Subject | None:
    """The executable, if `scripts/build` has made one."""
    program = ROOT / "dist" / "shunt" / "shunt"
    return Subject("shunt built", "folder", shunt([str(program)])) if program.exists() else None


def peers() -> Iterator[Subject]:
    """Other proxies, as far as they are installed."""
    yield Subject("bare relay", "yardstick", relay)
    program = shutil.which("litellm") or str(ROOT / ".bench" / "litellm" / "bin" / "litellm")
    if Path(program).exists():
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        yield Subject("LiteLLM", asked.strip().rpartition(" ")[2] or "?", litellm(program))
