"""The picture of a measurement: an SVG of its own, a few bars, drawn from the figures. No IO.

Bars are multiples of shunt's own figure; the thin line on each is how far the turns lay apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from _bench_figures import BURST, IDLE, OWN, PLAIN, Figures, Spread, ratios, short, spread

PANELS = (
    ("Processor time for a plain request", PLAIN),
    ("Processor time for a stream of 200 events", BURST),
    ("Memory when idle", IDLE),
)
SUBJECTS = (OWN, "better-ccflare", "LiteLLM")
WIDTH, LEFT, RIGHT, ROW, BAR, TITLE, GAP = 720, 130, 70, 26, 16, 30, 14
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.note { font-size: 11px; fill: #59636e; }
.own { fill: #0a7d55; } .other { fill: #8c959f; } .reach { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .note { fill: #9198a1; }
  .own { fill: #3fb68b; } .other { fill: #6e7681; } .reach { stroke: #e6edf3; }
}
"""


def picture(measured: Sequence[Figures], day: str) -> str:
    """The whole picture."""
    by_name = {figures.subject: figures for figures in measured}
    parts: list[str] = []
    told: list[str] = []
    top = 8
    for title, name in PANELS:
        rows = [
            (subject, found)
            for subject in SUBJECTS
            if (found := spread(ratios(by_name.get(subject), name, by_name.get(OWN)))) is not None
        ]
        if not rows:
            continue
        parts.append(f'<text class="title" x="0" y="{top + 16}">{escape(title)}</text>')
        parts += panel(rows, top + TITLE)
        told.append(f"{title}: " + ", ".join(f"{subject} {short(row.median)}" for subject, row in rows))
        top += TITLE + ROW * len(rows) + GAP
    versions = ", ".join(
        f"{subject} {by_name[subject].version}" for subject in SUBJECTS[1:] if subject in by_name
    )
    note = f"Multiples of shunt's; less is better. {day}. {versions}"
    parts.append(f'<text class="note" x="0" y="{top + 12}">{escape(note)}</text>')
    height = top + 22
    summary = escape(". ".join(told) or "Nothing was measured")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title told">\n'
        f'<title id="title">What shunt costs beside other proxies</title>\n<desc id="told">{summary}.</desc>\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def panel(rows: Sequence[tuple[str, Spread]], top: int) -> Iterator[str]:
    """One bar for each subject, longest as wide as there is room."""
    scale = (WIDTH - LEFT - RIGHT) / max([1e-9, *(row.most for _, row in rows)])
    for place, (subject, row) in enumerate(rows):
        y = top + place * ROW
        middle, baseline = y + BAR / 2, y + 13
        width = max(row.median * scale, 1)
        kind = "own" if subject == OWN else "other"
        yield f'<text x="{LEFT - 10}" y="{baseline}" text-anchor="end">{escape(subject)}</text>'
        yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>'
        if row.least < row.most:
            start, end = LEFT + row.least * scale, LEFT + row.most * scale
            yield f'<line class="reach" x1="{start:.1f}" y1="{middle}" x2="{end:.1f}" y2="{middle}"/>'
        right = LEFT + max(row.most, row.median) * scale + 8
        yield f'<text x="{right:.1f}" y="{baseline}">{short(row.median)}</text>'
