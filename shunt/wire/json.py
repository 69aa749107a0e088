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
from typing import Any, Final, TypeVar

import msgspec

from shunt.errors import InvalidRequest

T = TypeVar("T")

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
    """Read a whole foreign document as plain Python values; None when it is not JSON."""
    try:
        return msgspec.json.decode(data)  # twice as quick without a type; streams do little else
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
    """Read a JSON value as a number of things; None when it cannot be one."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return int(number) if number >= 0 and math.isfinite(number) else None


def _decode(data: bytes, shape: type[T]) -> T:
    """Raise ValueError (of which msgspec's errors are a kind) or RecursionError."""
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        if "out of range" not in str(error):  # numbers too large are no matter of shape
            raise
    except ValueError:
        pass
    return msgspec.json.decode(_tidied(bytes(data)), type=shape)


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
