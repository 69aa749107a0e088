"""Finding the program, and making sure that it is new enough."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

import trio
from attrs import define, field

from shunt.errors import UpstreamUnreachable
from shunt.upstream.claude_code.failures import INSTALL
from shunt.upstream.claude_code.launch import KEPT, OLDEST, version_of

ASKED_WITHIN: Final = 20.0
"""Seconds that `--version` may take; a cold start from a slow disk takes a few."""


@define(eq=False)
class Program:
    """The Claude Code of this machine."""

    environ: Mapping[str, str] = field(repr=False)
    _known: dict[tuple[str, float], str] = field(factory=dict)
    """(Path, time of last change) → what is wrong with it; empty when nothing is."""

    async def command(self, configured: str) -> str:
        """Path of the program. Raises UpstreamUnreachable with the command that installs it."""
        path = shutil.which(configured, path=self.environ.get("PATH"))
        if path is None:
            raise UpstreamUnreachable(
                f"Claude Code was not found ({configured} is not on PATH). To install it: {INSTALL}. "
                "If it is elsewhere, set claude_code.command to its path."
            )
        key = (path, os.stat(path).st_mtime)  # noqa: PTH116 - one call, no path object needed
        if key not in self._known:
            self._known[key] = await self._problem(path)
        if problem := self._known[key]:
            raise UpstreamUnreachable(problem)
        return path

    async def _problem(self, path: str) -> str:
        try:
            with trio.fail_after(ASKED_WITHIN):
                done = await trio.run_process(
                    [path, "--version"],
                    capture_stdout=True,
                    stderr=subprocess.DEVNULL,
                    check=False,
                    env={name: self.environ[name] for name in KEPT if name in self.environ},
                )
        except (OSError, trio.TooSlowError) as error:
            reason = getattr(error, "strerror", None) or "it did not answer"
            raise UpstreamUnreachable(
                f"{path} --version failed: {reason}. To install it: {INSTALL}"
            ) from error
        version = version_of(done.stdout.decode("utf-8", "replace"))
        if version >= OLDEST:
            return ""
        found = ".".join(map(str, version)) or "something that names no version"
        oldest = ".".join(map(str, OLDEST))
        return f"{path} is {found}; shunt needs Claude Code {oldest} or newer. To update it: {INSTALL}"
