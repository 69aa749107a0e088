"""Tables and cards."""

from __future__ import annotations

import io
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from shunt.accounts.account import Account
from shunt.accounts.state import AccountState, Cooldown, Custody, DayTotals, PoolState
from shunt.cli.remarks import Level, Remark
from shunt.cli.render import BAR, TABLE_WIDTH, accounts_view, bar, remarks_view, status_view
from shunt.limits.windows import FIVE_HOUR, SEVEN_DAY, Source, Standing, Window
from shunt.server.status import Picture, status
from shunt.watchers.health import Condition, Doing
from tests.cli.desk import T0


def text(view: RenderableType, width: int = 200) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, markup=False, emoji=False, highlight=False).print(
        view
    )
    return stream.getvalue()


@given(share=st.floats(-1, 3), ascii_only=st.booleans())
def test_a_bar_always_has_the_same_width(share: float, ascii_only: bool) -> None:
    """Whatever the share, also above 1, the bar fills its place; some use shows at least one cell."""
    drawn = bar(share, ascii_only=ascii_only).plain
    assert len(drawn) == BAR
    assert drawn.isascii() is ascii_only
    assert (drawn[0] in "#█") is (share > 0)
    assert (drawn[-1] in "#█") is (round(min(share, 1.0) * BAR) == BAR)


def document() -> dict[str, Any]:
    """A `/status` document as the server makes it, with everything that can happen to accounts."""
    spent = Window(FIVE_HOUR, 1.0, T0 + 8880, Standing.REJECTED, Source.HEADER, T0 - 12)
    half = Window(SEVEN_DAY, 0.5, T0 + 273600, Standing.ALLOWED, Source.USAGE_ENDPOINT, T0 - 7200)
    opus = Window("7d_opus", 0.9, None, Standing.WARNING, Source.HEADER, T0, scope="opus")
    accounts = {
        name: Account(
            name=name, provider="anthropic", base_url="https://api.anthropic.com", subscription=True
        )
        for name in ("main", "second", "lost")
    }
    states = {
        "main": AccountState(
            "main",
            Custody.PRESENT,
            windows={"5h": spent, "7d": half, "7d_opus": opus},
            email="u@example.test",
            plan="max",
            in_flight=2,
        ),
        "second": AccountState(
            "second",
            Custody.PRESENT,
            cooldowns={"opus": Cooldown(T0 + 90, T0, "throttled: 429")},
        ),
        "lost": AccountState("lost", Custody.REAUTH_REQUIRED),
    }
    picture = Picture(
        accounts=accounts,
        state=PoolState(
            accounts=states, pinned="main", last_used="main", strategy="reaper", total=DayTotals(1, 2, 12.345)
        ),
        strategy="reaper",
        watchers=(Condition("cooldown"), Condition("prefetch", state=Doing.IDLE)),
        waiting=2,
        now=T0,
        version="0.1.0",
        started_at=T0 - 3600,
    )
    return status(picture)


@pytest.fixture
def real() -> dict[str, Any]:
    """Made inside a loop, since watchers are judged by its clock."""

    async def made() -> dict[str, Any]:
        await trio.lowlevel.checkpoint()
        return document()

    return trio.run(made)


def test_status_shows_what_the_server_says(real: dict[str, Any]) -> None:
    """The page is drawn from the server's own document: windows, countdowns, reasons, what to do."""
    page = text(status_view(real, T0))
    lines = page.splitlines()
    assert lines[0] == "shunt 0.1.0 · up 1 h · strategy reaper (set while running) · pinned to main"
    assert lines[1] == "in use: main · next reset: main in 2 h 28 m (5 hours, 100% used)"
    assert "main  anthropic · max · u@example.test · 2 running  cooling" in page
    five = next(line for line in lines if line.startswith("  5h"))
    assert five.split()[1:] == ["█" * BAR, "100%", "used", "spent,", "resets", "in", "2", "h", "28", "m"]
    assert "50% used  resets in 3 d 4 h, as of 2 h ago" in page
    assert "7d_opus" in page
    assert "opus back in 1 m 30 s: throttled: 429" in page
    assert "needs a login or key" in page
    assert "shunt add-account lost --login" in page
    assert "2 requests waiting" in page
    assert "$12.35 in all" in page
    assert "2 watchers, all well" in page


def test_a_watcher_that_is_not_well_is_named(real: dict[str, Any]) -> None:
    """Trouble in the background is on the page, with its reason."""
    real["watchers"][0] |= {"degraded": True, "last_error": "disk full"}
    assert "watcher cooldown is not well: disk full" in text(status_view(real, T0))


def test_the_first_shunts_fields_suffice() -> None:
    """A server that sends only the older fields is drawn as well."""
    account = {
        "name": "main",
        "status": "available",
        "utilization_5h": 0.25,
        "reset_5h": T0 + 60,
        "utilization_7d": None,
    }
    page = text(status_view({"version": "0", "accounts": [account]}, T0))
    assert "25% used  resets in 1 m" in page
    assert "7d" not in page


def test_money_paid_is_not_told_as_saved() -> None:
    """Accounts that pay per token saved nothing; each of the two has its line, where there is any."""
    both = {"today_cost_usd": 3, "today_metered_usd": 1, "week_cost_usd": 5, "week_metered_usd": 1}
    shown = text(status_view({"accounts": [], "savings": both}, T0))
    assert "saved, at API prices: $2.00 today · $4.00 7 days" in shown
    assert "paid, at API prices: $1.00 today · $1.00 7 days" in shown
    paid = {"today_cost_usd": 189.2, "today_metered_usd": 189.2}
    shown = text(status_view({"accounts": [], "savings": paid}, T0))
    assert "saved" not in shown
    assert "paid, at API prices: $189.20 today" in shown


def test_an_empty_pool_names_the_next_step() -> None:
    """Without accounts the page says how to add one."""
    assert "shunt add-account NAME" in text(status_view({"version": "0", "accounts": []}, T0))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    "name",
    "status",
    "windows",
    "used",
    "resets_at",
    "cooldowns",
    "until",
    "cooldown_until_ms",
    "email",
    "in_flight",
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "accounts": st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=3),
            "watchers": JSON,
            "savings": JSON,
            "waiting": JSON,
            "started_ms": JSON,
            "strategy": JSON,
        },
    ),
    st.integers(20, 200),
)
def test_no_document_breaks_the_page(strange: dict[str, Any], width: int) -> None:
    """A newer or odd server gives an odd page at worst, never a traceback, on any width."""
    text(status_view(strange, T0, ascii_only=True), width)


HOSTILE = "x\x1b[2J[bold]\u202e:smile:"


@pytest.mark.parametrize("width", [TABLE_WIDTH, 20])
def test_nothing_shown_can_steer_the_terminal(width: int) -> None:
    """Control sequences, markup and emoji codes in names are shown as text, in cards and tables."""
    row = {"name": HOSTILE, "email": HOSTILE, "plan_type": HOSTILE, "kept_in": HOSTILE, "status": HOSTILE}
    for view in (
        accounts_view([row], T0, width),
        status_view({"version": HOSTILE, "accounts": [row]}, T0),
        remarks_view([Remark(Level.FAULT, HOSTILE, HOSTILE, HOSTILE)]),
    ):
        shown = text(view, 400)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[bold]" in shown
        assert ":smile:" in shown


@pytest.mark.parametrize("width", [300, 20])
def test_accounts_fit_any_width(width: int) -> None:
    """A table where there is room, short lines where there is none; no fact is lost."""
    row = {
        "name": "main",
        "provider": "anthropic",
        "status": "cooling",
        "cooldown_until_ms": (T0 + 60) * 1000,
        "secret": "login",
        "kept_in": "/a/credentials.json",
        "shared_with": "/b/other.json",
        "email": "u@x.test",
        "plan_type": "max",
    }
    shown = text(accounts_view([row], T0, width), width)
    assert all(len(line) <= width for line in shown.splitlines())
    squeezed = "".join(shown.split())
    for fact in (
        "main",
        "anthropic",
        "cooling,1mleft",
        "login",
        "/a/credentials.json",
        "/b/other.json",
        "u@x.test",
        "max",
    ):
        assert fact in squeezed


def test_remarks_show_their_cure() -> None:
    """What is wrong stands out, and what to do stands below it."""
    shown = text(remarks_view([Remark(Level.FINE, "a", "good"), Remark(Level.FAULT, "b", "bad", "do this")]))
    assert shown == "ok    a: good\nFAIL  b: bad\n      → do this\n"


@pytest.mark.parametrize(("kept_in", "said"), [("file", False), ("keychain", True)])
def test_status_says_where_secrets_are_and_what_troubles_them(*, kept_in: str, said: bool) -> None:
    """The file, whether the keychain seals it, and why not where that was wanted."""
    status = {
        "accounts": [],
        "credentials": {"file": "/h/credentials.json", "kept_in": kept_in},
        "troubles": {"keychain": "did not answer\x1b[31m"},
    }
    page = text(status_view(status, T0))
    assert "logins and stored keys: /h/credentials.json" in page
    assert ("sealed by the system's keychain" in page) is said
    assert "keychain: did not answer" in page
    assert "\x1b" not in page
