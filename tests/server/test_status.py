"""`/status` and `/ready`: the first shunt's fields with its units, and ours."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from attrs import evolve
from trio.testing import MockClock

from shunt.accounts.account import Account
from shunt.accounts.outcomes import Verdict
from shunt.accounts.state import (
    AccountState,
    AttemptNote,
    Cooldown,
    Custody,
    DayTotals,
    PoolState,
    RequestRecord,
)
from shunt.inference.usage import Usage
from shunt.limits.windows import Source, Standing, Window
from shunt.server.status import Picture, readiness, savings, status
from shunt.watchers.health import Condition, Health

NOW = 1_800_000_000.0  # 2027-01-15 08:00 UTC


def account(name: str, provider: str = "anthropic") -> Account:
    return Account(name, provider, "https://vendor.example", subscription=True)


def window(name: str, used: float | None, resets_in: float, standing: Standing = Standing.ALLOWED) -> Window:
    return Window(name, used, NOW + resets_in, standing, Source.HEADER, NOW - 12, length=18_000.0)


def record(number: int) -> RequestRecord:
    return RequestRecord(
        id=f"req_{number}",
        at=NOW - 100 + number,
        client="",
        conversation="c",
        account="main",
        attempts=(AttemptNote("main", "served", ""),),
        protocol_in="anthropic-messages",
        protocol_out="anthropic-messages",
        model="claude-x",
        served_model="claude-x-1",
        status=200,
        outcome="served",
        usage=Usage(input=10, output=5, cache_read=100, cache_write_5m=7),
        duration_ms=321,
    )


MAIN = AccountState(
    "main",
    custody=Custody.PRESENT,
    windows={
        "5h": window("5h", 0.5, 3600),
        "7d": window("7d", 0.9, 90_000),
        "overage": window("overage", None, 3600, Standing.REJECTED),
    },
    usage=Usage(input=100, output=50, cache_read=300, cache_write_1h=100),
    last_used=NOW - 5,
    email="someone@example.com",
    plan="max",
    in_flight=2,
)
SPENT = AccountState(
    "spent",
    custody=Custody.PRESENT,
    windows={"5h": window("5h", 1.0, 1200, Standing.REJECTED), "7d": window("7d", 0.3, -5)},
    cooldowns={
        "": Cooldown(NOW + 1200, NOW - 60, "limited: 5h rejected", Verdict.LIMITED, ("5h",)),
        "opus": Cooldown(NOW - 1, NOW - 60, "over", Verdict.THROTTLED),
    },
)


def picture(
    *states: AccountState, state: PoolState | None = None, watchers: Sequence[Condition] = ()
) -> Picture:
    known = {one.name: one for one in states}
    return Picture(
        accounts={name: account(name) for name in known},
        state=evolve(state or PoolState(), accounts=known),
        strategy="maximus",
        watchers=watchers,
        waiting=2,
        now=NOW,
        version="1.2.3",
        started_at=NOW - 60,
    )


def test_the_first_shunt_s_scripts_go_on_working() -> None:
    """Top level and account fields keep names, units and meaning."""
    told = status(picture(MAIN, SPENT, state=PoolState(pinned="main", last_used="spent")))
    assert told["version"] == "1.2.3"
    assert told["started_ms"] == 1_799_999_940_000
    assert (told["pinned_account"], told["last_used_account"]) == ("main", "spent")
    main, spent = told["accounts"]
    assert {key: main[key] for key in ("name", "email", "plan_type", "provider", "status")} == {
        "name": "main",
        "email": "someone@example.com",
        "plan_type": "max",
        "provider": "anthropic",
        "status": "available",
    }
    assert (main["available"], main["disabled"], main["auth_failed"]) == (True, False, False)
    assert (main["cooldown_until_ms"], spent["cooldown_until_ms"]) == (None, 1_800_001_200_000)
    assert (main["utilization_5h"], main["reset_5h"]) == (0.5, NOW + 3600)
    assert (main["utilization_7d"], main["reset_7d"]) == (0.9, NOW + 90_000)
    assert main["window_expires_ms"] == 1_800_003_600_000
    assert {key: main["tokens_used"][key] for key in ("input", "output", "total")} == {
        "input": 100,
        "output": 50,
        "total": 150,
    }
    assert main["rate_limit"] == {
        "utilization_5h": 0.5,
        "reset_5h": NOW + 3600,
        "status_5h": "allowed",
        "utilization_7d": 0.9,
        "reset_7d": NOW + 90_000,
        "status_7d": "allowed",
        "overage_status": "rejected",
        "representative_claim": "seven_day",
        "updated_ms": 1_799_999_988_000,
    }


def test_an_account_s_word() -> None:
    """One of four, and the flags that go with it."""
    states = (
        SPENT,
        evolve(MAIN, name="off", paused=True),
        evolve(MAIN, name="out", custody=Custody.REAUTH_REQUIRED),
        AccountState("new"),
    )
    told = {one["name"]: one for one in status(picture(*states))["accounts"]}
    assert {name: one["status"] for name, one in told.items()} == {
        "spent": "cooling",
        "off": "disabled",
        "out": "reauth_required",
        "new": "reauth_required",
    }
    assert not any(one["available"] for one in told.values())
    assert (told["off"]["disabled"], told["out"]["auth_failed"]) == (True, True)
    assert told["new"]["rate_limit"] is None
    assert told["new"]["utilization_5h"] is None


def test_a_spent_account_says_why_and_what_is_over_is_left_out() -> None:
    """The running cooldown with its reason; windows that have started anew are empty again."""
    told = status(picture(SPENT))["accounts"][0]
    assert told["cooldown_reason"] == "5h window rejected, seen 12 s ago (header)"
    assert [cooldown["models"] for cooldown in told["cooldowns"]] == [None]
    assert (told["utilization_7d"], told["reset_7d"]) == (0.0, None)
    assert told["rate_limit"]["representative_claim"] == "five_hour"


def test_every_window_has_its_source_and_age() -> None:
    """Those the first shunt did not know as well."""
    windows = {one["name"]: one for one in status(picture(MAIN))["accounts"][0]["windows"]}
    assert windows["5h"] == {
        "name": "5h",
        "used": 0.5,
        "resets_at": NOW + 3600,
        "status": "allowed",
        "models": None,
        "length": 18_000.0,
        "in_use": False,
        "source": "header",
        "seen_at": NOW - 12,
        "age": 12.0,
    }
    assert windows["overage"]["used"] is None


def test_the_share_read_from_a_prompt_cache() -> None:
    """Of all input tokens, cached and written ones included; unknown before the first."""
    assert status(picture(MAIN))["accounts"][0]["cache_read_share"] == 0.6
    assert status(picture(AccountState("new")))["accounts"][0]["cache_read_share"] is None


def test_recent_requests_are_listed_newest_first() -> None:
    """At most two hundred, with the first shunt's fields and how each went."""
    state = PoolState(recent=tuple(record(number) for number in range(300)))
    told = status(picture(MAIN, state=state))["recent_requests"]
    assert (len(told), told[0]["id"], told[-1]["id"]) == (200, "req_299", "req_100")
    assert {key: told[-1][key] for key in ("ts_ms", "account", "model", "status", "duration_ms")} == {
        "ts_ms": 1_800_000_000_000,
        "account": "main",
        "model": "claude-x",
        "status": 200,
        "duration_ms": 321,
    }
    assert (told[0]["input_tokens"], told[0]["output_tokens"], told[0]["cache_read_tokens"]) == (10, 5, 100)
    assert told[0]["attempts"] == [{"account": "main", "verdict": "served", "reason": ""}]


def test_savings_count_today_seven_days_and_everything() -> None:
    """A week is seven days, not eight; days are UTC's."""
    days = {
        f"2027-01-{day:02}": DayTotals(input=day, output=1, cost_usd=0.5, cache_read=2, metered_usd=0.125)
        for day in range(5, 16)
    }
    told = savings(PoolState(days=days, total=DayTotals(input=999, output=88, cost_usd=7.0)), NOW)
    assert (told["today_input"], told["today_output"], told["today_cost_usd"]) == (15, 1, 0.5)
    assert (told["week_input"], told["week_output"], told["week_cost_usd"]) == (sum(range(9, 16)), 7, 3.5)
    assert (told["all_time_input"], told["all_time_output"], told["all_time_cost_usd"]) == (999, 88, 7.0)
    assert told["week_cache_read"] == 14
    assert (told["today_metered_usd"], told["week_metered_usd"], told["all_time_metered_usd"]) == (
        0.125,
        0.875,
        0,
    )
    assert savings(PoolState(), NOW)["week_cost_usd"] == 0


def family(provider: str) -> str:
    return provider


def test_ready_means_that_every_family_can_serve() -> None:
    """One usable account per family is enough; otherwise it says which family and why."""
    assert readiness(picture(MAIN, SPENT), family) == {
        "ready": True,
        "status": "ready",
        "reasons": [],
        "degraded": [],
    }
    told = readiness(picture(SPENT, evolve(MAIN, name="off", paused=True)), family)
    assert told["ready"] is False
    assert told["reasons"] == ["no anthropic account can serve (spent: window spent, off: paused)"]
    both = evolve(
        picture(MAIN, SPENT), accounts={"main": account("main"), "spent": account("spent", "openai")}
    )
    assert readiness(both, family)["reasons"] == ["no openai account can serve (spent: window spent)"]


def test_without_an_account_nothing_is_ready() -> None:
    """And says so."""
    assert readiness(picture(), family)["reasons"] == ["no account is configured"]


async def test_a_watcher_that_is_not_well_shows(autojump_clock: MockClock) -> None:
    """In `/status` with its error; `/ready` turns amber and stays 200."""
    health = Health(lambda: NOW)
    well, ill = health.enrol("cooldown"), health.enrol("snapshots")
    well.last_run = NOW - 1
    ill.fail("disk full")
    await trio.sleep(1)
    seen = picture(MAIN, watchers=tuple(health.conditions.values()))
    assert readiness(seen, family) == {
        "ready": True,
        "status": "degraded",
        "reasons": [],
        "degraded": ["snapshots"],
    }
    assert [
        (one["name"], one["state"], one["degraded"], one["last_run_ms"], one["last_error"])
        for one in status(seen)["watchers"]
    ] == [
        ("cooldown", "idle", False, 1_799_999_999_000, None),
        ("snapshots", "failed", True, None, "disk full"),
    ]


def test_troubles_are_told() -> None:
    """A login that the disk refuses is seen by whoever looks at the status."""
    told = status(evolve(picture(), troubles={"login of main": "not saved: disk full"}))
    assert told["troubles"] == {"login of main": "not saved: disk full"}
