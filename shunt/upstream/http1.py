"""One HTTP/1.1 exchange as bytes: the head that goes out, the answer as it comes in. No IO.

The answer is parsed by llhttp (through httptools), which hands over what arrived at once in one go: an event
stream whose events came together as chunks of their own is passed on together.
"""

from __future__ import annotations

import re
from typing import Final

import httpcore2 as httpcore
import httptools

from shunt.providers.base import UpstreamCall
from shunt.wire.headers import Headers

MOST_FRAMING: Final = 100 * 1024
"""Bytes of heads, or between two pieces of a body, that are taken before it is clear that no answer comes."""
HEAD: Final = re.compile(
    rb"[A-Z]+ [!-~]+ HTTP/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?[^\x00-\x08\x0a-\x1f\x7f]*\r\n)+\r\n"
)
"""A request's head that can be read in one way only (RFC 9112 §3, RFC 9110 §5.5)."""
CUT: Final = "peer closed connection without sending a complete answer"
"""In the words by which `errors.mapped` tells an early end from nonsense."""


def head_of(call: UpstreamCall, host: bytes) -> bytes:
    """The bytes before a call's body: Host, then its headers in their order and case.

    Raises httpcore.LocalProtocolError for what HTTP forbids; the error shows none of it.
    """
    lines = [b"%s %s HTTP/1.1" % (call.method.encode("ascii", "replace"), call.target)]
    names = set()
    for name, value in call.headers:
        names.add(name.lower())
        lines.append(b"%s: %s" % (name, value))
    if b"host" not in names:
        lines.insert(1, b"Host: " + host)
    if b"content-length" not in names and (call.body or call.method in ("POST", "PUT", "PATCH")):
        lines.append(b"Content-Length: %d" % len(call.body))
    lines.append(b"\r\n")
    head = b"\r\n".join(lines)
    # Lines are counted, too: a value that holds one would be two fields.
    if head.count(b"\n") != len(lines) or not HEAD.fullmatch(head):
        raise httpcore.LocalProtocolError("not a head that HTTP allows")
    return head


class AnswerReader:
    """Takes an answer's bytes in any pieces. Its `on_…` methods are for the parser alone."""

    def __init__(self) -> None:
        parser = httptools.HttpResponseParser(self)
        # A server that ends its lines with LF alone is understood; a length beside chunks is only ignored.
        parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_chunked_length=True)
        self._parser: httptools.HttpResponseParser | None = parser
        self.status = 0
        self.headers: Headers = ()
        """As received: order, case and duplicates."""
        self.begun = False
        """The head is there; interim answers (1xx) do not count."""
        self.complete = False
        """The body has ended."""
        self.reusable = False
        """Another exchange may follow on the connection. Says something once the answer is complete."""
        self.fault: httpcore.RemoteProtocolError | None = None
        """What is wrong with what came after what has been taken."""
        self._fields: list[tuple[bytes, bytes]] = []
        self._interim = False
        self._until_close = False
        """The body ends with the connection."""
        self._pieces: list[bytes] = []
        self._framing = 0
        """Bytes since the last piece of a body."""

    def feed(self, data: bytes | bytearray) -> None:
        """Take the next bytes.

        Raises httpcore.RemoteProtocolError when they are not HTTP/1.1 and no answer has begun; later the error
        is kept as `fault`, for after what came before it.
        """
        parser = self._parser
        if self.complete or parser is None:
            self.reusable = False
            return
        self._framing += len(data)
        fault: Exception | None = None
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            fault = error
        if self._is_over():
            if fault is not None:
                self.reusable = False  # what came after its end is nobody's
        elif fault is not None or self._framing > MOST_FRAMING:
            self.fault = httpcore.RemoteProtocolError("the answer cannot be read")
            self.fault.__cause__ = fault
            if not self.begun:
                raise self.fault

    def end(self) -> None:
        """The connection has ended. Raises httpcore.RemoteProtocolError when the answer has not."""
        if not self.begun or not (self.complete or self._until_close):
            raise httpcore.RemoteProtocolError(CUT)
        self.complete = True
        self.reusable = False

    def close(self) -> None:
        """Nothing more is fed. Reader and parser hold each other: the collector would have to find them."""
        self._parser = None

    def take(self) -> bytes:
        """What has come of the body since the last time; may be nothing."""
        pieces = self._pieces
        if not pieces:
            return b""
        whole = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return whole

    def _is_over(self) -> bool:
        return self.complete

    # ── for the parser ────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        """A head begins; after the answer's end that is something nobody asked for."""
        if self.complete:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailer, which is left out."""
        if not self.begun:
            self._fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """A head has ended."""
        parser = self._parser
        if self.begun or parser is None:
            return
        self.status = parser.get_status_code()
        # 101 would be the answer to an upgrade, which is never asked for.
        if self.status < 100 or self.status == 101 or parser.get_http_version() not in ("1.1", "1.0"):
            raise httpcore.RemoteProtocolError("no status or version of HTTP/1")
        if self.status < 200:
            self._interim = True
            self._fields.clear()
            return
        self.headers = tuple(self._fields)
        self._settle(kept=parser.should_keep_alive())
        self.begun = True

    def _settle(self, *, kept: bool) -> None:
        """Find out where the body ends (RFC 9112 §6.3)."""
        lengths = chunks = False
        for name, value in self.headers:
            low = name.lower()
            if low == b"content-length":
                lengths = True
            elif low == b"transfer-encoding":
                if chunks or value.lower() not in (b"chunked", b"identity"):
                    # Nobody would take the other coding off, and a client would get noise for an answer.
                    raise httpcore.RemoteProtocolError("a transfer coding other than chunked")
                chunks = value.lower() == b"chunked"
        bodiless = self.status in (204, 304)
        self._until_close = not (lengths or chunks or bodiless)
        self.reusable = (
            kept
            and not self._until_close
            and not (lengths and chunks)
            and not (bodiless and (lengths or chunks))
        )

    def on_body(self, piece: bytes) -> None:
        """Some of the body. An interim answer has none (RFC 9110 §15.2); what follows one would be the answer's."""
        if not self.begun:
            raise httpcore.RemoteProtocolError("an interim answer with a body")
        if not self.complete:
            self._framing = 0
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """An answer has ended, an interim one or the one."""
        if self._interim:
            self._interim = False
        elif self.begun:
            self.complete = True
