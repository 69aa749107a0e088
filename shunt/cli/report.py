"""`shunt report`: one file to attach to a bug report, with everything that helps and nothing secret."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import click

from shunt.cli.bundle import gathered
from shunt.cli.exits import Failed
from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.terminal import clean, emit


@click.command()
@click.option(
    "-o", "--output", metavar="FILE", help="Write here instead of shunt-report-….zip in this folder."
)
@as_json
@elsewhere
@places
def report(call: Invocation, output: str | None, url: str | None, *, as_json: bool) -> None:
    """Gather versions, configuration, status, errors, doctor's findings and the log into one zip file.

    Keys, tokens, e-mail addresses and your home folder's name are taken out, and what was said to a model is
    never in any of it. Look through it all the same before you give it away; nothing is sent anywhere.
    """
    texts = gathered(open_files(call), url)
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(call.now()))
    path = Path(output) if output else Path.cwd() / f"shunt-report-{moment}.zip"
    _write(path, texts, call.now())
    if as_json:
        emit({"path": str(path), "files": {name: len(text) for name, text in texts.items()}})
        return
    click.echo(clean(str(path)))
    for name, text in texts.items():
        click.echo(f"  {name}: {len(text.splitlines())} lines", err=True)
    click.echo("Look through it before you give it away; nothing was sent anywhere.", err=True)


def _write(path: Path, texts: Mapping[str, str], now: float) -> None:
    """A new private file; what is there already is not touched."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name, time.gmtime(now)[:6]), text)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(packed.getvalue())
    except FileExistsError as error:
        raise Failed(f"{path} is there already; name another one with --output.") from error
    except OSError as error:
        raise Failed(f"cannot write {path}: {(error.strerror or 'unknown error').lower()}") from error
