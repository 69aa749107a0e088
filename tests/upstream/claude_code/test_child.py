"""One process: lines in, lines out, and never left behind."""

from __future__ import annotations

import os
import sys

import pytest
import trio

from shunt.errors import UpstreamBroke, UpstreamUnreachable
from shunt.upstream.claude_code import child as module
from shunt.upstream.claude_code.child import Child, spawn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at processes as POSIX has them")


async def python(code: str) -> Child:
    """A process that runs this."""
    return await spawn([sys.executable, "-c", code], {}, "/", lambda text: text.replace("secret", "***"))


async def test_lines_come_whole() -> None:
    """However they were written; what is no object is passed over, the last one needs no end."""
    child = await python(
        "import sys\n"
        "for piece in ('{\"a\"', ':1}\\n[1]\\nnoise\\n{\"b\":2}\\n'):\n"
        "    sys.stdout.write(piece); sys.stdout.flush()\n"
    )
    assert [await child.line(), await child.line(), await child.line()] == [{"a": 1}, {"b": 2}, None]
    await child.aclose()


async def test_a_line_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded."""
    monkeypatch.setattr(module, "LONGEST_LINE", 1000)
    child = await python("print('x' * 100000)")
    with pytest.raises(UpstreamBroke, match="without an end"):
        await child.line()
    await child.aclose()


async def test_closing_ends_even_one_that_will_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ignores SIGTERM, and whatever it started, has gone when closing returns."""
    monkeypatch.setattr(module, "GRACE", 0.2)
    child = await python(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('{}', flush=True)\n"
        "os.fork()\n"
        "time.sleep(600)\n"
    )
    assert await child.line() == {}
    with trio.CancelScope() as scope:
        scope.cancel()
        await child.aclose()
    assert child.status is not None
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_what_it_says_last_is_kept_without_secrets() -> None:
    """The end of standard error, for the person who has to mend it."""
    child = await python("import sys; sys.stderr.write('x' * 90000 + 'the secret end')")
    await child.listen()
    await child.wait()
    assert child.said.endswith("the *** end")
    assert len(child.said) <= module.TOLD
    await child.aclose()


async def test_writing_to_one_that_has_gone() -> None:
    """Is an error of the upstream's side."""
    child = await python("pass")
    await child.wait()
    with pytest.raises(UpstreamBroke, match="has ended"):
        await child.write({"x": "y" * 1_000_000})
    await child.aclose()


async def test_input_can_be_closed() -> None:
    """The process sees the end of its input."""
    child = await python("import sys; sys.stdin.read(); print('{\"end\": true}')")
    await child.close_input()
    assert await child.line() == {"end": True}
    assert await child.wait() == 0
    await child.aclose()


async def test_one_that_cannot_start() -> None:
    """Names the program, the reason, and how to install it."""
    with pytest.raises(UpstreamUnreachable, match="npm install"):
        await spawn(["/nowhere/claude"], {}, "/", str)
