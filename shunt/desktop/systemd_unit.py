"""Texts of systemd units: one for a user's own manager, one for the whole machine.

A user's manager runs without rights. What needs a mount namespace there (ProtectSystem and its kind)
needs unprivileged user namespaces, which some distributions forbid: the unit would not start at all.
So the user's unit has what the kernel grants to everybody, and the machine's unit has everything.
Neither may forbid writable and executable memory to a user's shunt: it may start vendors' programs
that compile at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from shunt.desktop.service import Service

WATCHDOG_SECONDS: Final = 60
SYSTEM_USER: Final = "shunt"
STATE: Final = "/var/lib/shunt"

_EVERYBODY: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)
_MACHINE: Final = (
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "PrivateUsers=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RestrictNamespaces=yes",
    "MemoryDenyWriteExecute=yes",
    "RemoveIPC=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "KeyringMode=private",
    "SystemCallFilter=~@privileged @resources",
)


def user_unit(service: Service) -> str:
    """`~/.config/systemd/user/shunt.service`."""
    return _unit(
        unit=["Documentation=man:shunt(1)"],
        service=[*_running(service), *_EVERYBODY],
        wanted_by="default.target",
    )


def system_unit(service: Service) -> str:
    """`/etc/systemd/system/shunt.service`: as a user of its own, all files in /var/lib/shunt."""
    return _unit(
        unit=[
            "Documentation=man:shunt(1)",
            "After=network-online.target",
            "Wants=network-online.target",
        ],
        service=[
            *_running(service),
            f"User={SYSTEM_USER}",
            f"Group={SYSTEM_USER}",
            "StateDirectory=shunt",
            "StateDirectoryMode=0700",
            # What the environment configures, secrets as files among it.
            "EnvironmentFile=-/etc/shunt/environment",
            "LimitNOFILE=65536",
            "TasksMax=512",
            "OOMPolicy=stop",
            *_EVERYBODY,
            *_MACHINE,
        ],
        wanted_by="multi-user.target",
    )


def _unit(unit: Iterable[str], service: Iterable[str], wanted_by: str) -> str:
    return "\n".join(
        [
            "# Written by `shunt service install`; `shunt service uninstall` removes it.",
            "[Unit]",
            "Description=shunt, a local proxy for coding agents",
            *unit,
            # A configuration that cannot be right is not tried for ever.
            "StartLimitIntervalSec=60",
            "StartLimitBurst=5",
            "",
            "[Service]",
            *service,
            "",
            "[Install]",
            f"WantedBy={wanted_by}",
            "",
        ]
    )


def _running(service: Service) -> list[str]:
    return [
        "Type=notify",
        f"ExecStart={' '.join(quoted(word) for word in service.command)}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        *(f"Environment={quoted(f'{name}={value}')}" for name, value in service.environ.items()),
        "Restart=on-failure",
        "RestartSec=2",
        f"TimeoutStopSec={service.stop_seconds}",
        f"WatchdogSec={WATCHDOG_SECONDS}",
        # What shunt started (a vendor's program, say) ends with it, but only after it.
        "KillMode=mixed",
        "UMask=0077",
    ]


def quoted(word: str) -> str:
    """One word of a command line as systemd reads it: specifiers and variables lose their meaning."""
    word = word.replace("%", "%%").replace("$", "$$")
    if re.fullmatch(r"[A-Za-z0-9_@%$+=:,./-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
