"""`shunt accounts --custody`: who else on this machine holds the logins that shunt has."""

from __future__ import annotations

from typing import Any

import click

from shunt.accounts.credential import Login
from shunt.cli.files import Files
from shunt.cli.terminal import clean, emit, note, word
from shunt.store.grants import Finding, Holder, holders, shared_by


def show_custody(files: Files, *, as_json: bool) -> None:
    """Compare tokens by their fingerprints, in memory, and say who holds the same. Raises ShuntError."""
    found = holders(files.call.environ, own=files.places.credentials_file)
    stored = files.credentials.load()
    rows = []
    for account in files.config().accounts:
        entry = stored.get(account.name)
        if entry is not None and isinstance(entry.credential, Login):
            rows.append((account.name, entry.credential, shared_by(entry.credential, found)))
    if as_json:
        emit(
            {
                "accounts": [_document(*row) for row in rows],
                "programs": [_program(holder) for holder in found],
            }
        )
        return
    if not rows:
        note("No account of shunt lives on a login.")
    for name, login, findings in rows:
        click.echo(f"{clean(name)}: {_verdict(login, findings)}")
        for finding in findings:
            click.echo(f"  {finding.program} ({finding.place}): {_relation(finding)}")
        if any(finding.same_grant for finding in findings):
            click.echo(f"  a login of shunt's own ends that: shunt add-account {word(name)} --login")
    for holder in found:
        if holder.trouble:
            note(f"{holder.program} could not be looked into: {holder.trouble}")


def _verdict(login: Login, findings: tuple[Finding, ...]) -> str:
    shared = sum(finding.same_grant for finding in findings)
    if shared:
        return f"shared with {shared} other program{'s' if shared > 1 else ''}"
    if login.imported_from:
        return "was imported; the program it came from has another login now"
    return "shunt's alone"


def _relation(finding: Finding) -> str:
    return "the same grant" if finding.same_grant else "a login of its own for the same account; fine"


def _document(name: str, login: Login, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "imported_from": login.imported_from or None,
        "alone": not any(finding.same_grant for finding in findings),
        "holders": [
            {"program": one.program, "place": one.place, "same_grant": one.same_grant} for one in findings
        ],
    }


def _program(holder: Holder) -> dict[str, Any]:
    return {"program": holder.program, "place": holder.place or None, "trouble": holder.trouble or None}
