from __future__ import annotations

import base64
import hashlib
import io
import json
import logging
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from shunt.store.logs import FEW, HINTS, LOOKS, MOST, STRIDE, WINDOW, JsonLines, Redactor, open_logs


@pytest.fixture(autouse=True)
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in before:
            root.removeHandler(handler)
            handler.close()
    for handler in before:
        if handler not in root.handlers:
            root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = True


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-oat01-test-token-1234",
        "sk-test-obviously-fake",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ0ZXN0In0.c2ln",
        "AIzaSyTESTTESTTESTTESTTESTTESTTEST1",
    ],
)
def test_what_looks_like_a_secret_is_blanked(secret: str) -> None:
    """Tokens of every known shape vanish from text without having been learnt."""
    assert secret not in Redactor().clean(f"upstream said: bad token {secret}, sorry")


def test_a_bearer_value_of_any_shape_is_blanked() -> None:
    """What follows "Bearer " is blanked even when it looks like nothing known."""
    assert Redactor().clean("Authorization: Bearer plain-words-1") == "Authorization: Bearer ***"


def test_a_log_that_has_grown_large_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Soon after it has; no line is lost, a file that was large before is put aside at once."""
    monkeypatch.setattr("shunt.store.logs.MAX_BYTES", 10_000)
    path = tmp_path / "shunt.log"
    path.write_text("before\n" * 2_000)
    open_logs(path, "info", Redactor(), io.StringIO())
    for number in range(200):
        logging.getLogger("shunt.test").info("line %d", number)
    parts = [path, *(path.with_name(f"shunt.log.{older}") for older in range(1, 6))]
    there = [part.read_text().splitlines() for part in parts if part.exists()]
    assert there[-1] == ["before"] * 2_000
    told = [json.loads(line)["message"] for part in reversed(there[:-1]) for line in part]
    assert told == [f"line {number}" for number in range(200)]
    assert len(there) > 2
    assert all(sum(map(len, part)) < 10_000 + LOOKS * 120 for part in there[:-1])


def test_learnt_secrets_are_blanked_longest_first() -> None:
    """A secret that begins with another one leaves no tail behind."""
    redactor = Redactor()
    redactor.learn(["letmein-1", "letmein-1-and-more"])
    assert redactor.clean("x letmein-1-and-more y letmein-1 z") == "x *** y *** z"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
@pytest.mark.parametrize("after", ["", "!", "!!", ":and more"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_learnt_secrets_are_blanked_in_base64(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    """Wherever in the encoded text they stand: a basic-auth header gives no password away."""
    redactor = Redactor()
    redactor.learn(["canary/0+1~2?3>4"])
    secret = "canary/0+1~2?3>4"
    cleaned = redactor.clean(f"x {encode((before + secret + after).encode()).decode()} y")
    assert "***" in cleaned
    left = cleaned.replace("***", "").removeprefix("x ").removesuffix(" y")
    assert len(left) <= len(base64.b64encode((before + after).encode())) + 6


@pytest.mark.parametrize("safe", ["", "/"])
def test_learnt_secrets_are_blanked_percent_encoded(safe: str) -> None:
    """As they stand in a query."""
    redactor = Redactor()
    redactor.learn(["canary/0+1=2?3&4"])
    assert redactor.clean(f"?k={quote('canary/0+1=2?3&4', safe=safe)}") == "?k=***"


def test_the_longest_known_secrets_are_forgotten() -> None:
    """A login that is renewed for months does not make the log ever slower."""
    redactor = Redactor()
    redactor.learn([f"canary-number-{n}" for n in range(MOST + 1)])
    assert "***" in redactor.clean(f"canary-number-{MOST}")
    assert redactor.clean("[canary-number-0]") == "[canary-number-0]"


@pytest.mark.parametrize("known", [1, 2 * FEW])
@pytest.mark.parametrize("length", [8, 15, STRIDE + WINDOW - 2, STRIDE + WINDOW - 1, 108])
def test_secrets_are_found_wherever_they_stand(known: int, length: int) -> None:
    """At every place of a text, at its very end, too, and however many others are known."""
    secrets = [hashlib.sha512(b"%d" % n).hexdigest()[:length] for n in range(known)]
    redactor = Redactor()
    redactor.learn(secrets)
    for before in range(2 * STRIDE + 1):
        for after in (0, 1, STRIDE):
            told = redactor.clean("." * before + secrets[-1] + "." * after)
            assert told == "." * before + "***" + "." * after


def test_many_secrets_do_not_make_a_line_slower() -> None:
    """A text without any is compared with none of them: after months of renewals there are hundreds."""
    redactor = Redactor()
    redactor.learn([f"canary-{hashlib.sha512(b'%d' % n).hexdigest()}" for n in range(MOST)])
    looked: list[str] = []

    class Line(str):
        __slots__ = ()

        def __contains__(self, form: object) -> bool:
            looked.append(str(form))
            return super().__contains__(str(form))

    assert redactor.clean(Line("an ordinary line " * 40)) == "an ordinary line " * 40
    assert len(looked) <= FEW + len(HINTS)


def test_a_secret_stays_blanked_while_others_are_learnt() -> None:
    """Lines of other threads in the middle of it, too: what is looked for changes as a whole."""
    redactor = Redactor()
    names = iter(f"canary-{hashlib.sha512(b'%d' % n).hexdigest()}" for n in range(400))
    first = next(names)
    redactor.learn([first])
    leaks: list[str] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            if first in (told := redactor.clean(f"x {first} y")):
                leaks.append(told)

    before, writer = sys.getswitchinterval(), threading.Thread(target=write)
    sys.setswitchinterval(1e-6)
    writer.start()
    try:
        for name in names:
            redactor.learn([name])
    finally:
        done.set()
        writer.join()
        sys.setswitchinterval(before)
    assert not leaks


def test_short_strings_are_not_learnt() -> None:
    """A three-letter key must not turn every log line into stars."""
    redactor = Redactor()
    redactor.learn(["the"])
    assert redactor.clean("the weather") == "the weather"


def test_control_characters_of_remote_text_are_escaped() -> None:
    """An escape sequence from an upstream cannot steer the reader's terminal."""
    assert "\x1b" not in Redactor().clean("\x1b[2Jgone")


def test_the_file_is_private_json_lines_without_secrets(tmp_path: Path) -> None:
    """The log file is 0600 from its creation, one JSON object a line, tracebacks redacted."""
    old = os.umask(0)
    try:
        path = tmp_path / "logs" / "shunt.log"
        open_logs(path, "info", Redactor(), io.StringIO())
        try:
            raise ValueError("token sk-ant-oat01-test-token-1234 refused")
        except ValueError:
            logging.getLogger("test").exception("it broke", extra={"fields": {"account": "main"}})
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    line = json.loads(path.read_text())
    assert (line["message"], line["account"], line["level"]) == ("it broke", "main", "error")
    assert "sk-ant" not in path.read_text()
    assert "ValueError" in line["traceback"]


def test_the_terminal_gets_no_traceback(tmp_path: Path) -> None:
    """People see one line; the traceback is in the file."""
    screen = io.StringIO()
    open_logs(tmp_path / "shunt.log", "info", Redactor(), screen)
    try:
        raise ValueError("inner")
    except ValueError:
        logging.getLogger("test").exception("it broke")
    assert "it broke" in screen.getvalue()
    assert "Traceback" not in screen.getvalue()


def test_a_log_that_cannot_be_opened_disturbs_nothing(tmp_path: Path) -> None:
    """A file in the place of the folder: one notice on the terminal, and logging goes on there."""
    blocker = tmp_path / "logs"
    blocker.write_text("")
    screen = io.StringIO()
    open_logs(blocker / "shunt.log", "info", Redactor(), screen)
    logging.getLogger("test").warning("still here")
    assert "no log file" in screen.getvalue()
    assert "still here" in screen.getvalue()


def test_every_line_is_json_whatever_it_tells() -> None:
    """Control characters of any kind and half-quoted secrets do not break it."""
    words = JsonLines(Redactor())
    for message in ("a\x7fb\x9f\x1b\x00", 'say "Bearer abc\\"def" and ?key=x\\"y', "\ud800"):
        made = logging.LogRecord("x", logging.INFO, "", 0, message, None, None)
        line = words.format(made)
        assert json.loads(line)["level"] == "info"
        line.encode()
