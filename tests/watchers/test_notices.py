"""What people are told, and how often."""

from __future__ import annotations

import pytest

from shunt.config.notices import NOTICES
from shunt.watchers.notices import Category, Notice, Notifier

SPENT = Notice(Category.COOLDOWN_STARTED, "a", "a is spent")
BACK = Notice(Category.COOLDOWN_ENDED, "a", "a is back")
OTHER = Notice(Category.COOLDOWN_STARTED, "b", "b is spent")
EDIT = Notice(Category.CONFIG_REJECTED, "", "line 3: nonsense")
EDIT_2 = Notice(Category.CONFIG_REJECTED, "", "line 4: nonsense")


class Desk:
    """A notifier with a clock in hand."""

    def __init__(self, *muted: Category) -> None:
        self.at = 1000.0
        self.shown: list[Notice] = []
        self.muted = {category.key for category in muted}
        self.notifier = Notifier(self.shown.append, now=lambda: self.at, muted=lambda: self.muted)

    def tell(self, *notices: Notice) -> list[Notice]:
        self.shown.clear()
        for notice in notices:
            self.notifier.notify(notice)
        return list(self.shown)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([SPENT, SPENT], [SPENT]),
        ([SPENT, BACK, OTHER], [SPENT, BACK, OTHER]),
        ([EDIT, EDIT_2, EDIT], [EDIT, EDIT_2]),
    ],
    ids=["same event", "other events", "events of no account differ by text"],
)
def test_the_same_event_is_told_once(told: list[Notice], shown: list[Notice]) -> None:
    """An event is its category and its account; other words for it are no other event."""
    assert Desk().tell(*told) == shown


@pytest.mark.parametrize(
    ("later", "again"),
    [(3599, False), (3601, True), (-86_400, True)],
    ids=["soon", "later", "clock set back"],
)
def test_after_an_hour_it_is_told_again(later: float, again: bool) -> None:
    """Also when the clock was set back by a day meanwhile: that silences nothing."""
    desk = Desk()
    desk.tell(SPENT)
    desk.at += later
    assert bool(desk.tell(SPENT)) is again


def test_muted_categories_are_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Muting can change at any time, and never keeps anything out of the log."""
    desk = Desk(Category.COOLDOWN_STARTED)
    assert desk.tell(SPENT, BACK) == [BACK]
    assert "a is spent" in caplog.text
    desk.muted.clear()
    assert desk.tell(OTHER) == [OTHER]


def test_a_failing_delivery_disturbs_nobody() -> None:
    """A terminal that went away must not end a watcher."""

    def closed(notice: Notice) -> None:
        raise BrokenPipeError

    Notifier(closed, now=lambda: 0.0).notify(SPENT)


def test_without_a_delivery_the_log_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    """A program in the background has no terminal."""
    Notifier(now=lambda: 0.0).notify(SPENT)
    assert "long cooldown started: a is spent" in caplog.text


def test_every_category_can_be_muted_in_the_configuration() -> None:
    """By its name with hyphens."""
    assert [category.key for category in Category] == list(NOTICES)
