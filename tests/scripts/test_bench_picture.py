"""The picture that scripts/bench draws."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import _bench_figures as names
from _bench_figures import Figures
from _bench_picture import LEFT, WIDTH, picture

SVG = "{http://www.w3.org/2000/svg}"


def measured(**peers: tuple[float, ...]) -> list[Figures]:
    found = []
    for subject, numbers in {"shunt": (2.0, 2.0), **peers}.items():
        figures = Figures(subject.replace("_", "-"), "1 <2>")
        for name in (names.PLAIN, names.BURST, names.IDLE):
            for turn, number in enumerate(numbers):
                figures.add(name, str(turn), number)
        found.append(figures)
    return found


def drawn(found: list[Figures]) -> ET.Element:
    return ET.fromstring(picture(found, "2026-11-27"))  # noqa: S314 - our own picture


def test_bars_are_as_long_as_the_ratios() -> None:
    """Twice the cost is twice the bar, in every panel, and the number stands beside it."""
    widths = [float(bar.get("width", "")) for bar in drawn(measured(LiteLLM=(4.0, 4.0))).iter(f"{SVG}rect")]
    assert len(widths) == 6
    assert [round(widths[place + 1] / widths[place], 2) for place in (0, 2, 4)] == [2.0, 2.0, 2.0]


def test_nothing_sticks_out() -> None:
    """The longest bar, and the reach of the worst turn, end inside the picture."""
    root = drawn(measured(LiteLLM=(4.0, 400.0), better_ccflare=(1.0, 3.0)))
    for line in root.iter(f"{SVG}line"):
        assert LEFT <= float(line.get("x1", "")) <= float(line.get("x2", "")) <= WIDTH
    for bar in root.iter(f"{SVG}rect"):
        assert LEFT + float(bar.get("width", "")) <= WIDTH


def test_the_picture_says_what_it_shows() -> None:
    """Whoever cannot see it is told the same numbers."""
    told = drawn(measured(LiteLLM=(10.0, 10.0))).find(f"{SVG}desc")
    assert told is not None
    assert told.text is not None
    assert "LiteLLM 5.00" in told.text


def test_peers_that_are_missing_are_left_out() -> None:
    """Without peers there is still a picture, and without anything one that says so."""
    assert len(list(drawn(measured()).iter(f"{SVG}rect"))) == 3
    told = drawn([]).find(f"{SVG}desc")
    assert told is not None
    assert told.text == "Nothing was measured."
