"""Reading a client's document field by field, with errors that say which field is wrong and how.

For requests that have to be understood because they go out in another protocol. A field that is missing
or null is what its default says; one of the wrong type is an InvalidRequest that names its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from shunt.errors import InvalidRequest
from shunt.wire.json import MOST_THINGS


@frozen
class Fields:
    """One JSON object of a request, and where in the body it stands."""

    document: Mapping[str, Any]
    place: str = ""
    """Path of this object, e.g. `messages[2].content[0]`; empty for the body itself."""

    @classmethod
    def of(cls, document: Any, place: str) -> Fields:
        """Take something that must be an object."""
        if isinstance(document, Mapping):
            return cls(document, place)
        raise wrong(place, "an object", document)

    def text(self, name: str, default: str = "") -> str:
        """A string."""
        found = self.document.get(name)
        if found is None:
            return default
        if isinstance(found, str):
            return found
        raise wrong(self.path(name), "a string", found)

    def required_text(self, name: str) -> str:
        """A string that must be there and hold something."""
        if found := self.text(name):
            return found
        missing = self.document.get(name) is None
        place = self.path(name)
        raise InvalidRequest(f"`{place}` is {'missing' if missing else 'empty'}.", param=place)

    def flag(self, name: str) -> bool | None:
        """True or false; None when nothing is said."""
        found = self.document.get(name)
        if found is None or isinstance(found, bool):
            return found
        raise wrong(self.path(name), "true or false", found)

    def number(self, name: str) -> float | None:
        """A number; None when nothing is said."""
        found = self.document.get(name)
        if found is None:
            return None
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return found
        raise wrong(self.path(name), "a number", found)

    def count(self, name: str) -> int | None:
        """A whole number of things, 0 or more; None when nothing is said."""
        found = self.number(name)
        if found is None:
            return None
        if 0 <= found <= MOST_THINGS and found == int(found):
            return int(found)
        place, told = self.path(name), found if abs(found) <= MOST_THINGS else "an absurd one"
        raise InvalidRequest(f"`{place}` must be a whole number, 0 or more, got {told}.", param=place)

    def object(self, name: str) -> Fields | None:
        """An object; None when nothing is said."""
        found = self.document.get(name)
        return None if found is None else Fields.of(found, self.path(name))

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        """An object as it stands, not looked into; None when nothing is said."""
        found = self.object(name)
        return None if found is None else found.document

    def items(self, name: str) -> list[Any]:
        """An array; empty when nothing is said."""
        found = self.document.get(name)
        if found is None:
            return []
        if isinstance(found, list):
            return found
        raise wrong(self.path(name), "an array", found)

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of an array."""
        for index, item in enumerate(self.items(name)):
            yield Fields.of(item, f"{self.path(name)}[{index}]")

    def texts(self, name: str) -> tuple[str, ...]:
        """The strings of an array."""
        for index, item in enumerate(found := self.items(name)):
            if not isinstance(item, str):
                raise wrong(f"{self.path(name)}[{index}]", "a string", item)
        return tuple(found)

    def path(self, name: str) -> str:
        """Where a field of this object stands in the body."""
        return f"{self.place}.{name}" if self.place else name


def wrong(place: str, wanted: str, found: Any) -> InvalidRequest:
    """The error for a value of the wrong type."""
    return InvalidRequest(f"`{place}` must be {wanted}, got {kind_of(found)}.", param=place)


def kind_of(value: Any) -> str:
    """What a JSON value is, for a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"
