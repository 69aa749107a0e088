"""Pointing other programs at shunt, and back: one module per client, each on this list."""

from shunt.connect.aider import AIDER
from shunt.connect.claude_code import CLAUDE_CODE
from shunt.connect.cline import CLINE
from shunt.connect.codex import CODEX
from shunt.connect.editors import VSCODE, ZED
from shunt.connect.opencode import OPENCODE

CLIENTS = (CLAUDE_CODE, CODEX, OPENCODE, AIDER, CLINE, VSCODE, ZED)
