"""The monitor: accounts above, what happens below, and keys that steer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Static, TabbedContent, TabPane

from shunt.accounts.secret import Secret
from shunt.tui import rows
from shunt.tui.client import Client, Refused, Unreachable
from shunt.tui.picture import Picture, after
from shunt.tui.why import Why, explained
from shunt.views.glance import glance, told_money, told_reset
from shunt.views.words import documents, dollars, number

POLL: Final = 2.0
"""Seconds between looks while there is no stream of events."""
AGAIN: Final = 5.0
"""Seconds after which a stream is tried again."""
SUMS: Final = "/history?by=account&since=24h"
SUMS_EVERY: Final = 30.0
"""Seconds between two looks at the history."""
SHOWN: Final = 100
"""Requests in the table."""
PANES: Final = ("requests", "live", "history", "errors", "watchers")


class Monitor(App[None]):
    """The full-screen view of one server."""

    TITLE = "shunt"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #head, #now, #detail { height: auto; padding: 0 1; }
    #head { background: $primary; color: $text; }
    #accounts { height: auto; max-height: 40%; }
    #detail { color: $text-muted; max-height: 4; }
    TabbedContent { height: 1fr; }
    TabPane { padding: 0; }
    .lines { padding: 0 1; height: auto; }
    DataTable > .datatable--header { text-style: none; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p", "pin", "Pin"),
        Binding("u", "unpin", "Unpin"),
        Binding("space", "pause", "Pause", key_display="space"),
        Binding("c", "clear", "Clear"),
        Binding("s", "strategy", "Strategy"),
        Binding("e,enter", "explain", "Why", key_display="e", priority=False),
        *(Binding(str(place), f"show('{pane}')", show=False) for place, pane in enumerate(PANES, 1)),
        Binding("r", "again", "Refresh", show=False),
    ]

    def __init__(self, url: str, key: Secret, now: Callable[[], float]) -> None:
        """Prepare to show a server.

        Args:
            url: where it is, without a trailing slash.
            key: admin key; empty for none.
            now: epoch seconds.
        """
        super().__init__()
        self.client = Client(url, key)
        self.clock = now
        self.picture = Picture()
        self.link = f"looking for {url} …"
        self._strategies: Sequence[str] = ()
        self._sums: Mapping[str, Any] = {}

    def _fatal_error(self) -> None:
        """End without the traceback that textual would print, with everything that variables hold."""
        self.panic()

    @property
    def failure(self) -> Exception | None:
        """The mistake that ended it, if one did."""
        return self._exception

    # ── the screen ────────────────────────────────────────────────────────────────────────────

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        yield Static(id="head", markup=False)
        yield Static(id="now", markup=False)
        yield DataTable(id="accounts", cursor_type="row", zebra_stripes=True)
        yield Static(id="detail", markup=False)
        with TabbedContent(id="tabs"):
            with TabPane("1 Requests", id="requests"):
                yield DataTable(id="recent", cursor_type="row")
            with TabPane("2 Live", id="live"):
                yield DataTable(id="active", cursor_type="none")
            with TabPane("3 History", id="history"):
                yield DataTable(id="sums", cursor_type="none")
            with TabPane("4 Errors", id="errors"), VerticalScroll():
                yield Static(classes="lines", id="trouble", markup=False)
            with TabPane("5 Watchers", id="watchers"), VerticalScroll():
                yield Static(classes="lines", id="watching", markup=False)
        yield Footer()

    async def on_mount(self) -> None:
        """Begin to look."""
        self.query_one("#accounts").focus()
        self.run_worker(self.follow(), exclusive=True, group="follow")
        self.set_interval(1.0, self.draw)
        self.set_interval(SUMS_EVERY, self.add_up)

    def on_resize(self) -> None:
        """Other widths have other columns."""
        self.draw()

    def on_data_table_row_highlighted(self) -> None:
        """Tell of the account that is chosen now."""
        with suppress(NoMatches):
            self._draw_detail()

    def draw(self) -> None:
        """Bring everything on the screen up to date.

        It is laid out, and on leaving taken apart, piece by piece: what is not there is not drawn.
        """
        now = self.now
        with suppress(NoMatches), self.batch_update():
            self._say("#head", self._heading())
            self._say("#now", self._summary(now))
            pinned, width = str(self.picture.status.get("pinned_account") or ""), self.size.width
            accounts = {
                str(each.get("name")): rows.account_cells(each, pinned, now, width)
                for each in self.picture.accounts
            }
            self._fill("#accounts", rows.account_titles(width), accounts)
            recent = {
                str(each.get("id")): rows.request_cells(each, self._time(number(each, "ts_ms")), width)
                for each in self.picture.recent[:SHOWN]
            }
            self._fill("#recent", rows.request_titles(width), recent)
            active = {str(each.get("id")): rows.live_cells(each, width) for each in self.picture.active}
            self._fill("#active", rows.live_titles(width), active)
            self._fill("#sums", rows.SUM_TITLES, rows.sum_rows(self._sums))
            self._draw_detail()
            self._say("#trouble", self._trouble())
            watching = Text("\n").join(rows.watcher_line(each, now) for each in self.picture.watchers)
            self._say("#watching", watching)

    @property
    def _page(self) -> Screen[Any]:
        """The screen with the tables, whatever is shown over it. Raises NoMatches where there is none any more."""
        if not self.screen_stack:
            raise NoMatches("the screen has gone")
        return self.screen_stack[0]

    @property
    def now(self) -> float:
        """Epoch seconds by the server's clock."""
        return self.clock() + self.picture.ahead

    def _say(self, where: str, told: Text | str) -> None:
        self._page.query_one(where, Static).update(told)

    def _fill(self, where: str, titles: Sequence[str], content: Mapping[str, Sequence[rows.Cell]]) -> None:
        """Put rows into a table; the cursor stays on its row, if that is still there."""
        table = self._page.query_one(where, DataTable)
        chosen = self._chosen(table)
        if [str(column.label) for column in table.ordered_columns] != list(titles):
            table.clear(columns=True)
            table.add_columns(*titles)
        else:
            table.clear()
        for key, cells in content.items():
            table.add_row(*cells, key=key)
        if chosen in content:
            table.move_cursor(row=list(content).index(chosen), scroll=False)

    @staticmethod
    def _chosen(table: DataTable[Any]) -> str:
        if not table.row_count or not 0 <= table.cursor_row < table.row_count:
            return ""
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    def _heading(self) -> str:
        status = self.picture.status
        seen = glance(status)
        override = " (set while running)" if status.get("strategy_source") == "override" else ""
        facts = [
            f"shunt {status.get('version') or ''}".rstrip(),
            self.link,
            f"strategy {seen.strategy}{override}" if seen.strategy else "",
            f"pinned to {seen.pinned}" if seen.pinned else "",
            f"{seen.running} running, {seen.waiting} waiting" if status else "",
        ]
        return " · ".join(filter(None, facts))

    def _summary(self, now: float) -> Text:
        status = self.picture.status
        if not status:
            return Text("")
        if not self.picture.accounts:
            found = documents(status.get("found"))
            lines = [f"{each.get('what')} ({each.get('where')}): {each.get('command')}" for each in found]
            return Text("\n".join(["No accounts yet.", *(lines or ["shunt add-account NAME adds one."])]))
        seen = glance(status)
        why = f", because {seen.why}" if seen.why else ""
        money = [
            part
            for word, sums in told_money(seen)
            for part in (
                (f" · {word} ", "dim"),
                f"{dollars(sums.today)} today, {dollars(sums.week)} in 7 days",
            )
        ]
        return Text.assemble(
            ("in use ", "dim"),
            (seen.in_use or "nobody yet", "bold"),
            why,
            (" · next reset ", "dim"),
            told_reset(seen.reset, now),
            *money,
        )

    def _draw_detail(self) -> None:
        account = self._account()
        self._say("#detail", "\n".join(rows.account_lines(account, self.now)) if account else "")

    def _trouble(self) -> Text:
        troubles = self.picture.status.get("troubles")
        lines = (
            [Text(f"{what}: {told}", "yellow") for what, told in troubles.items()]
            if isinstance(troubles, Mapping)
            else []
        )
        lines += [
            rows.error_lines(each, self._time((number(each, "at") or 0) * 1000))
            for each in self.picture.errors
        ]
        return Text("\n").join(lines) if lines else Text("No errors.")

    @staticmethod
    def _time(milliseconds: float | None) -> str:
        return (
            "-"
            if milliseconds is None
            else datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%H:%M:%S")
        )

    # ── staying up to date ────────────────────────────────────────────────────────────────────

    async def follow(self) -> None:
        """Follow the stream of events, and look again and again while there is none."""
        async with self.client.http:
            while True:
                try:
                    await self.look()
                    self.link = "live"
                    await self.client.listen(self._take)
                except (Unreachable, Refused) as error:
                    self.link = str(error)
                await self._poll_for(AGAIN)

    async def _poll_for(self, seconds: float) -> None:
        for _ in range(max(1, round(seconds / POLL))):
            self.draw()
            await asyncio.sleep(POLL)
            try:
                await self.look()
                self.link = f"every {POLL:.0f} s"
            except (Unreachable, Refused) as error:
                self.link = str(error)

    async def _take(self, kind: str, data: Any) -> None:
        picture = after(self.picture, kind, data, self.clock())
        if picture is None:
            await self.look()
        else:
            self.picture = picture
        self.draw()

    async def look(self) -> None:
        """Fetch everything anew. Raises Unreachable or Refused."""
        self.picture = self.picture.with_status(await self.client.get("/status"))
        try:
            errors = await self.client.get("/debug/errors")
            known = await self.client.get("/strategy")
            self._sums = await self.client.get(SUMS)
        except Refused:  # an older server
            return
        self.picture = self.picture.with_errors(documents(errors.get("errors")))
        self._strategies = [str(name) for name in known.get("known") or ()]
        self.draw()

    async def add_up(self) -> None:
        """Fetch the sums anew; no event tells of them."""
        with suppress(Unreachable, Refused):
            self._sums = await self.client.get(SUMS)

    # ── steering ──────────────────────────────────────────────────────────────────────────────

    def _account(self) -> Mapping[str, Any] | None:
        name = self._chosen(self._page.query_one("#accounts", DataTable))
        return next((each for each in self.picture.accounts if each.get("name") == name), None)

    async def action_pin(self) -> None:
        """Send everything to the chosen account."""
        if account := self._account():
            name = str(account["name"])
            await self._do(self.client.use(name), f"Every request goes to {name} now.")

    async def action_unpin(self) -> None:
        """Choose automatically again."""
        await self._do(self.client.use(None), "Accounts are chosen automatically again.")

    async def action_pause(self) -> None:
        """Take the chosen account out of use, or back into it."""
        if account := self._account():
            name, paused = str(account["name"]), bool(account.get("disabled"))
            told = (
                f"{name} is in use again." if paused else f"{name} is paused; what it is serving ends first."
            )
            await self._do(self.client.steer(name, "resume" if paused else "pause"), told)

    async def action_clear(self) -> None:
        """End the chosen account's cooldowns."""
        if account := self._account():
            name = str(account["name"])
            await self._do(self.client.steer(name, "clear"), f"{name} is tried again at once.")

    async def action_strategy(self) -> None:
        """Choose by the next strategy."""
        known = list(self._strategies)
        if known:
            now = str(self.picture.status.get("strategy"))
            name = known[(known.index(now) + 1) % len(known)] if now in known else known[0]
            await self._do(self.client.strategy(name), f"Accounts are chosen by {name} now.")

    async def action_again(self) -> None:
        """Look at once."""
        await self._do(asyncio.sleep(0), "")

    async def _do(self, command: Any, told: str) -> None:
        try:
            await command
            await self.look()
        except (Unreachable, Refused) as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if told:
            self.notify(told, markup=False)

    def action_show(self, pane: str) -> None:
        """Turn to another pane."""
        self.query_one(TabbedContent).active = pane

    async def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a request explains it."""
        if event.data_table.id == "recent":
            await self.action_explain()

    async def action_explain(self) -> None:
        """Tell why the chosen request went where it went; on the accounts, of the last one served."""
        recent = self.picture.recent
        table = self._page.query_one("#recent", DataTable)
        wanted = self._chosen(table)
        request = next(
            (each for each in recent if str(each.get("id")) == wanted), recent[0] if recent else None
        )
        if request is None:
            self.notify("No request yet.")
            return
        try:
            trace = await self.client.get(f"/explain/{request.get('id')}")
        except Refused:
            trace = {}
        except Unreachable as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.push_screen(Why(explained(request, trace, self.now)))
