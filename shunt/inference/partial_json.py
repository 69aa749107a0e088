"""Tool arguments that come in pieces: whether what has come so far can still become a JSON object.

Clients' libraries read arguments while they stream and crash on the first character that is no JSON, so it
must not reach them. Strict as they are: no lone surrogates, no endless numbers, no bottomless nesting.
"""

from __future__ import annotations

import re
from typing import Final

_PLAIN: Final = re.compile(r'(?:[^"\\\x00-\x1f]+|\\["\\/bfnrt])+')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NUMBER_BEGUN: Final = re.compile(r"-?(?:(?:0|[1-9]\d*)(?:\.\d*|(?:\.\d+)?[eE][+-]?\d*)?)?")
_LITERALS: Final = ("true", "false", "null")
_BLANKS: Final = frozenset(" \t\n\r")
_ESCAPES: Final = frozenset('"\\/bfnrt')
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_LONGEST: Final = 300
"""Characters of a number."""
_DEEPEST: Final = 100

# What may come next.
_VALUE, _KEY, _COLON, _AFTER, _STRING, _ESCAPE, _WORD, _DONE = range(8)


class PartialObject:
    """A JSON object in the making."""

    def __init__(self) -> None:
        self._nesting: list[str] = []
        """Closers of what is open."""
        self._next = _VALUE
        self._empty = True
        """Whether the innermost object or array may still be closed without another element."""
        self._is_key = False
        self._word = ""
        """The literal, number or `u` escape that is being read."""
        self._surrogate = False
        """Whether the second half of a pair has to follow."""

    @property
    def complete(self) -> bool:
        """Whether a whole object was read."""
        return self._next == _DONE

    def feed(self, piece: str) -> bool:
        """Take the next piece; False as soon as no JSON object can come of it any more."""
        at = 0
        while at < len(piece):
            if self._next == _STRING and not self._surrogate and (plain := _PLAIN.match(piece, at)):
                at = plain.end()
            elif self._take(piece[at]):
                at += 1
            else:
                return False
        return True

    def _take(self, char: str) -> bool:
        if self._next == _STRING:
            return self._in_string(char)
        if self._next == _ESCAPE:
            return self._in_escape(char)
        if self._next == _WORD:
            if not (char in _BLANKS or char in ",]}"):
                return self._in_word(char)
            if self._word not in _LITERALS and not _NUMBER.fullmatch(self._word):
                return False
            self._next = _AFTER
        if char in _BLANKS:
            return True
        return self._structure(char)

    def _structure(self, char: str) -> bool:
        if char in "}]":
            return self._close(char)
        if self._next == _VALUE:
            return self._begin_value(char)
        if self._next == _KEY:
            self._next, self._is_key = _STRING, True
            return char == '"'
        self._empty = False
        if self._next == _COLON:
            self._next = _VALUE
            return char == ":"
        if self._next == _AFTER:
            self._next = _KEY if self._nesting[-1] == "}" else _VALUE
            return char == ","
        return False

    def _begin_value(self, char: str) -> bool:
        if char == "{" or (char == "[" and self._nesting):
            self._nesting.append("}" if char == "{" else "]")
            self._next = _KEY if char == "{" else _VALUE
            self._empty = True
            return len(self._nesting) <= _DEEPEST
        if not self._nesting:
            return False  # arguments are an object
        if char == '"':
            self._next, self._is_key = _STRING, False
            return True
        self._next, self._word = _WORD, ""
        return self._in_word(char)

    def _close(self, char: str) -> bool:
        may = self._next == _AFTER or (self._empty and self._next in (_KEY, _VALUE))
        if not may or not self._nesting or self._nesting.pop() != char:
            return False
        self._next = _AFTER if self._nesting else _DONE
        return True

    def _in_string(self, char: str) -> bool:
        if self._surrogate and char != "\\":
            return False
        if char == "\\":
            self._next, self._word = _ESCAPE, ""
            return True
        if char == '"':
            self._next = _COLON if self._is_key else _AFTER
            return True
        return char >= " "

    def _in_escape(self, char: str) -> bool:
        if not self._word:
            if char == "u":
                self._word = "u"
                return True
            self._next = _STRING
            return char in _ESCAPES and not self._surrogate
        self._word += char
        if len(self._word) == 5:
            self._next = _STRING
            return char in _HEX and self._paired(int(self._word[1:], 16))
        return char in _HEX

    def _paired(self, code: int) -> bool:
        """Surrogates come in twos, a high one and a low one."""
        low = 0xDC00 <= code < 0xE000
        was, self._surrogate = self._surrogate, 0xD800 <= code < 0xDC00
        return low == was

    def _in_word(self, char: str) -> bool:
        self._word += char
        if _NUMBER_BEGUN.fullmatch(self._word):
            return len(self._word) <= _LONGEST
        return any(literal.startswith(self._word) for literal in _LITERALS)
