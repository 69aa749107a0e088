"""Other proxies: how they are installed beside the checkout, started, and told where the vendor is.

They are programs that are run and measured, nothing more: nothing of them is imported, shipped or changed. LiteLLM's
proxy comes from PyPI (MIT; its enterprise part is not used), better-ccflare from npm (MIT). Both are asked to do what
shunt does: take a Messages request and hand it to one account with an API key, with what they do by default switched on.
"""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from _bench_load import Target
from _bench_subjects import MESSAGES_LOADS, ROOT, Subject

BESIDE = ROOT / ".bench"
LITELLM = "1.108.7"
CCFLARE = "3.5.4"


def install() -> None:
    """Install the peers that are not here yet, each in a folder of its own, in the versions named above."""
    if _litellm_version() is None:
        folder = BESIDE / "litellm"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, f"litellm[proxy]=={LITELLM}"], check=True)
    if _ccflare_version() is None:
        npm = shutil.which("npm")
        if npm is None:
            print("npm is not here: better-ccflare is left out", file=sys.stderr)
            return
        folder = BESIDE / "better-ccflare"
        folder.mkdir(parents=True, exist_ok=True)
        words = [
            npm,
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(folder),
            f"better-ccflare@{CCFLARE}",
        ]
        subprocess.run(words, check=True)


def peers() -> Iterator[Subject]:
    """Those that are installed."""
    version = _litellm_version()
    if version is not None:
        yield Subject("LiteLLM", version, litellm, MESSAGES_LOADS)
    version = _ccflare_version()
    if version is not None:
        yield Subject("better-ccflare", version, ccflare, MESSAGES_LOADS, prepare=account_of_ccflare)


def absent() -> list[str]:
    """The names of those that are not."""
    here = {peer.name for peer in peers()}
    return [name for name in ("LiteLLM", "better-ccflare") if name not in here]


def litellm(port: int, vendor: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """LiteLLM's proxy, with one Anthropic deployment."""
    entry = {
        "model_name": "*",
        "litellm_params": {"model": "anthropic/*", "api_base": vendor, "api_key": "sk-bench-not-a-key"},
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps({"model_list": [entry]}))
    program = str(BESIDE / "litellm" / "bin" / "litellm")
    words = [program, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Nobody here checks the keys of local callers.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    return words, environment


def ccflare(port: int, _: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """better-ccflare's server; its account is made when it runs."""
    environment = {
        "PORT": str(port),
        "BETTER_CCFLARE_HOST": "127.0.0.1",
        "BETTER_CCFLARE_DB_PATH": str(folder / "history.db"),
        "BETTER_CCFLARE_CONFIG_PATH": str(folder / "config.json"),
        "CF_PRICING_OFFLINE": "1",  # nothing here looks further than this machine
    }
    return [str(_ccflare_folder() / "dist" / "better-ccflare"), "--serve"], environment


def account_of_ccflare(target: Target, vendor: str) -> None:
    """Give better-ccflare its one account, as its dashboard would."""
    account = {"name": "a0", "apiKey": "sk-bench-not-a-key", "priority": 0, "customEndpoint": vendor}
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=20)
    headers = {"content-type": "application/json"}
    try:
        connection.request("POST", "/api/accounts/anthropic-compatible", json.dumps(account), headers)
        answer = connection.getresponse()
        status, told = answer.status, answer.read().decode(errors="replace")
    except http.client.HTTPException as error:
        raise RuntimeError(f"better-ccflare takes no account: {error!r}") from error
    finally:
        connection.close()
    if status >= 300:
        raise RuntimeError(f"better-ccflare takes no account: {status} {told[:300]}")


def _ccflare_folder() -> Path:
    return BESIDE / "better-ccflare" / "node_modules" / "better-ccflare"


def _ccflare_version() -> str | None:
    try:
        version: str = json.loads((_ccflare_folder() / "package.json").read_text(encoding="utf-8"))["version"]
    except OSError:
        return None
    return version


def _litellm_version() -> str | None:
    # Asking the program takes it twenty seconds.
    for folder in (BESIDE / "litellm").glob("lib/python*/site-packages/litellm-*.dist-info"):
        return folder.name.removeprefix("litellm-").removesuffix(".dist-info")
    return None
