"""Notifications on macOS and Windows: through a program of the system's own.

Titles and texts travel as arguments or in the environment and are never put into a script.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

import trio

from shunt.desktop.notification import PROGRAM, WITHIN, NoDesktop, Notification
from shunt.store.environment import without_secrets

APPLESCRIPT: Final = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)

POWERSHELL: Final = """
$ErrorActionPreference = 'Stop'
[void][Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]
$kind = [Windows.UI.Notifications.ToastTemplateType]::ToastText02
$toast = [Windows.UI.Notifications.ToastNotificationManager]::GetTemplateContent($kind)
$texts = $toast.GetElementsByTagName('text')
[void]$texts.Item(0).AppendChild($toast.CreateTextNode($env:SHUNT_NOTICE_TITLE))
[void]$texts.Item(1).AppendChild($toast.CreateTextNode($env:SHUNT_NOTICE_TEXT))
$shown = [Windows.UI.Notifications.ToastNotification]::new($toast)
[Windows.UI.Notifications.ToastNotificationManager]::CreateToastNotifier('shunt').Show($shown)
"""


class SystemProgram:
    """Sends by starting a program."""

    def __init__(self, platform: str, environ: Mapping[str, str]) -> None:
        """`platform` as `sys.platform` names it: `darwin` or `win32`."""
        self._platform = platform
        self._environ = environ

    async def __call__(self, notification: Notification) -> None:
        """Show a notification; raises NoDesktop."""
        command, added = call_of(self._platform, notification)
        try:
            with trio.fail_after(WITHIN):
                await trio.run_process(
                    command,
                    env={**without_secrets(self._environ), **added},
                    stdin=b"",
                    capture_stdout=True,
                    capture_stderr=True,
                )
        except (OSError, subprocess.CalledProcessError, trio.TooSlowError) as error:
            raise NoDesktop(f"{command[0]} could not show it ({type(error).__name__})") from error


def call_of(platform: str, notification: Notification) -> tuple[Sequence[str], Mapping[str, str]]:
    """The command that shows a notification, and what goes into its environment."""
    if platform == "darwin":
        script = [part for line in APPLESCRIPT for part in ("-e", line)]
        return ("osascript", *script, notification.title, notification.text), {}
    command = ("powershell.exe", "-NoProfile", "-NonInteractive", "-Command", POWERSHELL)
    title = notification.title or PROGRAM
    return command, {"SHUNT_NOTICE_TITLE": title, "SHUNT_NOTICE_TEXT": notification.text}
