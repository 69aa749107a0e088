"""Secrets in the environment: those that come by file, as container platforms hand them over, and who gets none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from shunt.config.overrides import secret_files
from shunt.errors import ConfigError, StoreError
from shunt.store.files import read_private

LIMIT: Final = 64 * 1024
"""Bytes; no key is longer."""
_SECRET: Final = re.compile(r"(?i)key|token|secret|passw|credential|^shunt_")


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for programs that need no key of ours: without what sounds like one, and what is shunt's."""
    return {name: value for name, value in environ.items() if not _SECRET.search(name)}


def with_secret_files(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with each `SHUNT_…_FILE` of a secret replaced by what the file holds.

    Raises:
        ConfigError: a file is missing or unreadable, or the secret is given both ways.
    """
    result = dict(environ)
    problems: list[str] = []
    for variable, path in secret_files(environ).items():
        if result.get(variable):
            problems.append(f"{variable}_FILE: contradicts {variable}; set only one of them")
            continue
        try:
            content = read_private(Path(path), limit=LIMIT, follow=True)  # such mounts are full of links
            if content is None:
                problems.append(f"{variable}_FILE: there is no file {path}")
            else:
                result[variable] = content.decode().strip()
        except StoreError as error:
            problems.append(f"{variable}_FILE: {error}")
        except UnicodeDecodeError:
            problems.append(f"{variable}_FILE: {path} is not text")
    if problems:
        raise ConfigError(*problems)
    return result
