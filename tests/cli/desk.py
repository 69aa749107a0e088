"""Runs commands in a home of their own, with a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field
from click.testing import CliRunner, Result

from shunt.cli.invocation import Invocation
from shunt.cli.program import program
from tests.cli.scripted_control import ScriptedControl

T0 = 1_763_715_600.0
"""Friday, 21 November 2025, 09:00:00 UTC."""

ACCESS = "sk-ant-oat01-canary-access"
REFRESH = "sk-ant-ort01-canary-refresh"
KEY = "sk-test-canary-key-0123"


def never(_seconds: float) -> None:
    """Stand in for a wait that must not happen."""
    raise AssertionError("waited")


@define
class Desk:
    """One machine."""

    root: Path
    port: int
    """Where its server would be."""
    environ: dict[str, str] = field(factory=dict)

    @property
    def home(self) -> Path:
        """Folder of all files of shunt."""
        return self.root / "shunt"

    @property
    def user(self) -> Path:
        """The user's home directory."""
        return self.root / "user"

    @property
    def config(self) -> Path:
        return self.home / "config.toml"

    @property
    def credentials(self) -> Path:
        return self.home / "credentials.json"

    def run(
        self,
        *args: str,
        input: str | None = None,  # noqa: A002 - click's name
        environ: Mapping[str, str] | None = None,
        pause: Callable[[float], None] = never,
    ) -> Result:
        """Run one command; what it printed must hold no secret of this module."""
        call = Invocation(
            environ={
                "HOME": str(self.user),
                "SHUNT_HOME": str(self.home),
                "SHUNT_PORT": str(self.port),
                **self.environ,
                **(environ or {}),
            },
            now=lambda: T0,
            pause=pause,
        )
        result = CliRunner().invoke(program, list(args), input=input, obj=call, prog_name="shunt")
        assert "canary" not in result.output, f"a secret is shown by {args}"
        return result

    def document(self, *args: str, **options: Any) -> dict[str, Any]:
        """Run a command with `--json`; stdout must be exactly one object with the schema's version."""
        result = self.run(*args, "--json", **options)
        document = json.loads(result.stdout)
        assert document["schema"] == 1
        assert isinstance(document, dict)
        return document

    def serve(self, control: ScriptedControl) -> None:
        """Let the machine's server be this one."""
        self.port = control.port

    def write_config(self, text: str) -> None:
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)

    def log_in(
        self,
        *,
        account: str = "acc-1",
        email: str = "u@example.test",
        refresh: str = REFRESH,
        expires: float = T0 + 3600,
    ) -> None:
        """Log Claude Code in."""
        folder = self.user / ".claude"
        folder.mkdir(parents=True, exist_ok=True)
        entry = {
            "accessToken": ACCESS,
            "refreshToken": refresh,
            "expiresAt": int(expires * 1000),
            "scopes": ["user:inference"],
            "subscriptionType": "max",
        }
        (folder / ".credentials.json").write_text(json.dumps({"claudeAiOauth": entry}))
        (folder / ".credentials.json").chmod(0o600)
        who = {"accountUuid": account, "organizationUuid": f"org-of-{account}", "emailAddress": email}
        (self.user / ".claude.json").write_text(json.dumps({"oauthAccount": who}))

    def stored(self) -> dict[str, Any]:
        """Accounts of credentials.json, as written."""
        if not self.credentials.exists():
            return {}
        accounts = json.loads(self.credentials.read_text())["accounts"]
        assert isinstance(accounts, dict)
        return accounts
