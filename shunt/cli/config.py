"""`shunt config`: where config.toml is, what it says, and whether it is right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import click

from shunt.cli.exits import FAILED
from shunt.cli.files import Files, open_files
from shunt.cli.invocation import Invocation, as_json, places
from shunt.cli.terminal import clean, emit, note
from shunt.config.exposure import bind_problem, bind_warning
from shunt.config.overrides import overrides, token
from shunt.config.types import LISTS, MODELS, TABLES, Config, keys_of
from shunt.config.values import toml
from shunt.errors import ConfigError, StoreError
from shunt.store.environment import with_secret_files

HIDDEN = "***"
"""In place of a secret that is set."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """Where config.toml is, what it says, and whether it is right."""


@config.command()
@as_json
@places
def path(call: Invocation, *, as_json: bool) -> None:
    """Print the path of config.toml; with --json, the paths of all files."""
    files = open_files(call)
    if as_json:
        found = attrs.asdict(files.places)
        emit({key: None if value is None else str(value) for key, value in found.items()})
    else:
        click.echo(str(files.places.config_file))


@config.command()
@as_json
@places
def show(call: Invocation, *, as_json: bool) -> None:
    """Print the configuration in force: file, defaults and environment together, secrets masked."""
    files = open_files(call)
    found = files.config()
    sources = _overridden(files)
    if as_json:
        emit(
            {
                "path": str(files.places.config_file),
                "config": masked_document(found),
                "overridden": {f"{section}.{key}": name for (section, key), name in sources.items()},
                "ignored": list(found.ignored),
            }
        )
        return
    there = files.places.config_file.exists()
    click.echo(f"# {clean(str(files.places.config_file))}{'' if there else ' (not there: all defaults)'}")
    for line in _lines(found, sources):
        click.echo(line)


@config.command()
@as_json
@places
def check(call: Invocation, *, as_json: bool) -> None:
    """Say whether config.toml and the SHUNT_… variables are right; exit code 1 when they are not."""
    files = open_files(call)
    problems, warnings, found = _examined(files)
    if as_json:
        emit(
            {
                "path": str(files.places.config_file),
                "ok": not problems,
                "problems": problems,
                "warnings": warnings,
                "ignored": list(found.ignored) if found else [],
            }
        )
    else:
        for line in problems + warnings:
            note(clean(line))
        if found is not None and not problems:
            there = files.places.config_file.exists()
            count = len(found.accounts)
            click.echo(
                f"{clean(str(files.places.config_file))} is {'fine' if there else 'not there, which is fine'}: "
                f"{count} account{'s' * (count != 1)}."
            )
    if problems:
        raise click.exceptions.Exit(FAILED)


def _examined(files: Files) -> tuple[list[str], list[str], Config | None]:
    """Problems, warnings, and the configuration when it could be read."""
    try:
        found = files.config()
    except ConfigError as error:
        return list(error.problems), [], None
    except StoreError as error:
        return [str(error)], [], None
    problem, warning = bind_problem(found), bind_warning(found)
    warnings = list(files.config_file.warnings(found))
    warnings += [f"ignored, since it has no meaning here: {key}" for key in found.ignored]
    return [problem] if problem else [], [warning, *warnings] if warning else warnings, found


def _overridden(files: Files) -> dict[tuple[str, str], str]:
    """(section, key) → the variable of the environment that sets it; a section's item stands with it."""
    found, _ = overrides(with_secret_files(files.call.environ))
    return {each.place: each.variable for each in found}


def masked_document(config: Config) -> dict[str, Any]:
    """The configuration as one document, secrets masked."""
    return {
        **{name: _shown(getattr(config, name)) for name in TABLES},
        **{name: [_shown(item) for item in getattr(config, name)] for name in LISTS},
        MODELS: {asked: dict(served) for asked, served in config.models.items()},
    }


def _lines(config: Config, sources: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """The configuration as TOML."""
    for name, kind in TABLES.items():
        yield f"\n[{name}]"
        for key, value in _shown(getattr(config, name)).items():
            variable = sources.get((name, key))
            yield f"{key} = {_toml(kind, key, value)}{f'  # from {variable}' if variable else ''}"
    for name, kind in LISTS.items():
        for item in getattr(config, name):
            yield f"\n[[{name}]]"
            for key, value in _shown(item).items():
                variable = sources.get((f"{name} {token(item.name)}", key))
                yield f"{key} = {_toml(kind, key, value)}{f'  # from {variable}' if variable else ''}"
    if config.models:
        yield f"\n[{MODELS}]"
        yield from (f"{toml(asked)} = {toml(served)}" for asked, served in config.models.items())


def _toml(kind: type[Any], key: str, value: Any) -> str:
    written: str = keys_of(kind)[key].reader.write(value)
    return written


def _shown(record: Any) -> dict[str, Any]:
    """One section's values. Fields that keep out of `repr` are masked."""
    return {
        field.name: getattr(record, field.name) if field.repr else _masked(getattr(record, field.name))
        for field in attrs.fields(type(record))
    }


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict.fromkeys(value, HIDDEN)
    if isinstance(value, str) and "://" in value:
        return re.sub(r"//[^/]*@", f"//{HIDDEN}@", value)
    return HIDDEN if value else ""
