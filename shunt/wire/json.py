"""JSON as it is met in the field, read quickly and only as far as needed.

msgspec reads 500 kB in well under a millisecond when most of it is skipped, but is stricter than the
programs around it: JavaScript cuts strings in the middle of a surrogate pair, Python writes NaN, some
editors write a byte order mark. Such documents are forwarded byte for byte, so looking inside them
must not fail either. What msgspec refuses is therefore read a second time by the standard library,
with NaN and its kin as null and lone surrogates as U+FFFD.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec

from shunt.errors import InvalidRequest

T = TypeVar("T")

MOST_PARTS: Final = 500_000
"""Commas and opening brackets of a document that is taken apart, those in texts included. A million tokens of nothing
but JSON have some 400,000; so many numbers take half a second, in which nobody else is served."""
LARGE: Final = 4096
"""Bytes from which on numbers of many digits could matter."""
MOST_THINGS: Final = 10**12
"""No count of any vendor comes near it, and sums of millions of them fit into a database."""
_ALL_OF_IT: Final = (Any, object, dict, list, dict[str, Any], list[Any])
"""Shapes for which every part becomes a value; what others do not name is passed over quickly."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MOST_DIGITS: Final = 4000
"""Python refuses to read longer integers; no field of any protocol needs them."""
_KINDS: Final = {
    b"{": "an object",
    b"[": "an array",
    b'"': "a string",
    b"t": "true",
    b"f": "false",
    b"n": "null",
}


class _TooManyParts(ValueError):
    """The text goes on after the name of the document."""


def decode(data: bytes, shape: type[T], *, what: str = "The body") -> T:
    """Read a client's document as `shape`; parts typed `msgspec.Raw` stay unread, and may be given here.

    Raises:
        InvalidRequest: it is not JSON, has another shape, or is nested absurdly deep. The message
            names `what` and the place.
    """
    try:
        return _decode(data, shape)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{what} has the wrong shape: {error}.") from error
    except _TooManyParts as error:
        raise InvalidRequest(f"{what} {error}.") from error
    except ValueError as error:
        raise InvalidRequest(f"{what} is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise InvalidRequest(f"{what} is nested too deeply.") from error


def decode_object(data: bytes, *, what: str = "The body") -> dict[str, Any]:
    """Read a document that must be an object, as plain Python values. Raises InvalidRequest."""
    return decode(data, dict[str, Any], what=what)


def peek(data: bytes, shape: type[T]) -> T | None:
    """Read a document of which nothing is promised; None when it is not JSON of this shape."""
    if not memoryview(data).nbytes:  # a field that is not there, the usual case
        return None
    try:
        return _decode(data, shape)
    except (ValueError, RecursionError):
        return None


def value(data: bytes) -> Any:
    """Read a whole foreign document as plain Python values; None when it is not JSON, or has too many parts."""
    try:
        _sparing(data)
        # Twice as quick without a type; streams do little else.
        return msgspec.json.decode(data) if len(data) < LARGE else _read(data, Any)
    except (ValueError, RecursionError):
        return peek(data, object)


def first(data: bytes) -> Any:
    """Read the value that a text begins with, whatever follows it; None when there is no whole one."""
    try:
        return json.JSONDecoder().raw_decode(data.decode("utf-8", "replace"))[0]
    except (ValueError, RecursionError):
        return None


def encode(document: object) -> bytes:
    """Write compact UTF-8; lone surrogates become escapes."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":")).encode("ascii")


def kind(data: bytes) -> str:
    """Name what a JSON text holds, for a message: `an object`, `a string`, `nothing`."""
    start = bytes(memoryview(data)[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return _KINDS.get(start, "a number") if start else "nothing"


def count(number: object) -> int | None:
    """Read a JSON value as a number of things; None when it cannot be one, being absurdly many for instance."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return int(number) if 0 <= number <= MOST_THINGS else None


def _decode(data: bytes, shape: type[T]) -> T:
    """Raise ValueError (of which msgspec's errors are a kind) or RecursionError."""
    if shape in _ALL_OF_IT:
        _sparing(data)
    try:
        return _read(data, shape)
    except msgspec.ValidationError as error:
        if "out of range" not in str(error):  # numbers too large are no matter of shape
            raise
    except ValueError:
        pass
    return _read(_tidied(bytes(data)), shape)


def _read(data: bytes, shape: type[T]) -> T:
    if len(data) < LARGE:
        return msgspec.json.decode(data, type=shape)
    found: T = _decoder(cast("Any", shape)).decode(data)
    return found


@lru_cache(256)
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    """For documents that may hold a hundred thousand numbers: msgspec takes 7 µs for one of many digits, Python 0.6."""
    return msgspec.json.Decoder(shape, float_hook=_number)


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("Number out of range")
    return number


def _sparing(data: bytes) -> None:
    """Raise _TooManyParts: no other thread runs while a document is taken apart."""
    if len(data) > MOST_PARTS:
        whole = bytes(data)
        parts = sum(map(whole.count, (b",", b"[", b"{")))
        if parts > MOST_PARTS:
            raise _TooManyParts(
                f"has more than {MOST_PARTS:,} commas and brackets: more than any model can take"
            )


def _tidied(data: bytes) -> bytes:
    """Return the same document without the things that only msgspec refuses."""
    document = json.loads(
        data.decode("utf-8-sig"),
        parse_constant=lambda _: None,
        parse_float=_finite,
        parse_int=lambda digits: int(digits) if len(digits) < _MOST_DIGITS else None,
    )
    return _LONE_SURROGATE.sub("\ufffd", json.dumps(document, ensure_ascii=False)).encode()


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None
