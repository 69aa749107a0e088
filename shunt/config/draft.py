"""Tables of config.toml → records, through cattrs, gathering everything that is wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from attrs import field, frozen
from cattrs import AttributeValidationNote, ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, override

from shunt.config.consistency import account_problems, client_problems, endpoint_problems
from shunt.config.locate import Path
from shunt.config.misread import Misread, Problem
from shunt.config.spelling import hint
from shunt.config.types import FAMILIES, LISTS, MODELS, SECTIONS, TABLES, Config, keys_of
from shunt.config.values import Reader, glob, type_of, unknown


def _structure(kind: type[Any]) -> Callable[[Any, Any], Any]:
    hooks: dict[str, Any] = {
        name: override(struct_hook=_hook(key.reader)) for name, key in keys_of(kind).items()
    }
    return make_dict_structure_fn(kind, Converter(), _cattrs_forbid_extra_keys=True, **hooks)


def _hook(reader: Reader) -> Callable[[Any, Any], Any]:
    return lambda value, _type: reader.read(value)


_STRUCTURE: Final = {kind: _structure(kind) for kind in (*TABLES.values(), *LISTS.values())}


@frozen
class Draft:
    """One document on its way to a `Config`, and what was found wrong with it so far."""

    document: dict[str, Any]
    problems: list[Problem] = field(factory=list)

    def config(self, known_providers: Collection[str], ignored: tuple[str, ...]) -> Config | None:
        """Build the whole; None when a part could not be built."""
        self._strangers()
        tables = {name: self._table(name, kind) for name, kind in TABLES.items()}
        lists = {name: self._list(name, kind) for name, kind in LISTS.items()}
        models = self._models()
        self.problems.extend(account_problems(self._items("accounts"), known_providers))
        self.problems.extend(client_problems(self._items("clients")))
        if isinstance(endpoints := self.document.get("endpoints"), dict):
            self.problems.extend(endpoint_problems(endpoints))
        if self.problems:
            return None
        return Config(**tables, **lists, models=models, ignored=ignored)

    def _say(self, path: Path, message: str) -> None:
        self.problems.append(Problem(path, message))

    def _strangers(self) -> None:
        for section in self.document:
            if section in SECTIONS:
                continue
            homes = _homes(section)
            cure = f"; the key belongs under {homes}" if homes else hint(section, SECTIONS)
            self._say((section,), f"unknown section{cure}")

    def _table(self, section: str, kind: type[Any]) -> Any:
        table = self.document.get(section, {})
        if not isinstance(table, dict):
            self._say((section,), f"must be a section, written [{section}], not {type_of(table)}")
            return None
        return self._record((section,), kind, table)

    def _list(self, section: str, kind: type[Any]) -> Any:
        items = self.document.get(section, [])
        if not isinstance(items, list):
            self._say((section,), f"must be written [[{section}]], with two brackets, once for each")
            return None
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                self._say((section, index), f"must be a table, not {type_of(item)}")
        return tuple(
            self._record((section, index), kind, item)
            for index, item in enumerate(items)
            if isinstance(item, dict)
        )

    def _items(self, section: str) -> list[dict[str, Any]]:
        """The tables of a list section; an empty one stands for each item that is none."""
        items = self.document.get(section)
        return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []

    def _record(self, path: Path, kind: type[Any], table: dict[str, Any]) -> Any:
        try:
            return _STRUCTURE[kind](table, kind)
        except ClassValidationError as group:
            for error in group.exceptions:
                self._explain(path, kind, error)
            return None

    def _explain(self, path: Path, kind: type[Any], error: Exception) -> None:
        if isinstance(error, ForbiddenExtraKeysError):
            for key in sorted(error.extra_fields):
                near = hint(key, keys_of(kind))
                homes = _homes(key)
                cure = f"; it belongs under {homes}" if homes and not near else near
                self._say((*path, key), f"unknown key{cure}")
            return
        key = next(note.name for note in error.__notes__ if isinstance(note, AttributeValidationNote))
        if isinstance(error, KeyError):
            self._say((*path, key), "is missing")
        elif isinstance(error, Misread):
            self._say((*path, key), str(error))
        else:
            raise error

    def _models(self) -> dict[str, dict[str, str]]:
        table = self.document.get(MODELS, {})
        if not isinstance(table, dict):
            self._say((MODELS,), f"must be a section, written [{MODELS}], not {type_of(table)}")
            return {}
        for asked, served in table.items():
            self._check_mapping(asked, served)
        return table

    def _check_mapping(self, asked: str, served: Any) -> None:
        if not isinstance(served, dict):
            example = '{ openai = "gpt-5.5" }'
            self._say((MODELS, asked), f"must be a table such as {example}, not {type_of(served)}")
            return
        for family, model in ((None, asked), *served.items()):
            path = (MODELS, asked) if family is None else (MODELS, asked, family)
            if family is not None and family not in FAMILIES:
                self._say(path, unknown("provider family", family, FAMILIES))
            try:
                glob(model) if isinstance(model, str) else self._say(path, "must be a model's name")
            except Misread as complaint:
                self._say(path, str(complaint))


def _homes(key: str) -> str:
    """Sections that have this key, as they are written."""
    tables = [f"[{name}]" for name, kind in TABLES.items() if key in keys_of(kind)]
    lists = [f"[[{name}]]" for name, kind in LISTS.items() if key in keys_of(kind)]
    return " or ".join(tables + lists)
