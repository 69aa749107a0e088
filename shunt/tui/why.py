"""Why a request went where it went, as the monitor shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from shunt.views.words import documents, number, reason, span, took

Document = Mapping[str, Any]


class Why(ModalScreen[None]):
    """A page over the monitor; any of q, Esc, Enter and e closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,e,enter", "close", "Close")]
    CSS = """
    Why { align: center middle; }
    Why > VerticalScroll { width: 90%; height: 80%; border: round $primary; padding: 0 1; background: $surface; }
    """

    def __init__(self, told: Text) -> None:
        super().__init__()
        self._told = told

    def compose(self) -> ComposeResult:
        """Show the text; it scrolls."""
        with VerticalScroll() as page:
            page.border_title = "Why"
            page.border_subtitle = "Esc closes"
            yield Static(self._told, markup=False)

    def action_close(self) -> None:
        """Back to the monitor."""
        self.dismiss()


def explained(request: Document, trace: Document, now: float) -> Text:
    """A trace in words.

    Args:
        request: the request as the table has it.
        trace: what `/explain/{id}` says; empty when it says nothing.
        now: epoch seconds.
    """
    account = request.get("account") or "no account"
    told = Text.assemble((str(account), "bold"))
    if why := reason(request.get("why")):
        told.append(f", because {why}")
    told.append(
        f"\n{request.get('model') or ''} · {request.get('status')} · {took(number(request, 'duration_ms'))}"
    )
    told.append(f" · {request.get('id')}\n", "dim")
    for note in documents(request.get("attempts")):
        if note.get("reason"):
            told.append(f"  {note.get('account')}: {note.get('verdict')}, {note.get('reason')}\n")
    for decision in documents(trace.get("decisions")):
        told.append_text(decided(decision, now))
    phases = documents(trace.get("phases"))
    if phases:
        told.append("\nPhases\n", "bold")
    for phase in phases:
        detail = f"  {phase.get('detail')}" if phase.get("detail") else ""
        told.append(f"  {took(number(phase, 'at_ms')):>9}  {phase.get('phase')}{detail}\n")
    return told


def decided(decision: Document, now: float) -> Text:
    """One choice among the accounts."""
    chosen = decision.get("account")
    head = f"\nChosen: {chosen} ({decision.get('why')})\n" if chosen else f"\nNobody: {decision.get('why')}\n"
    told = Text(head, "bold")
    for candidate in documents(decision.get("candidates")):
        told.append(f"  {'▸' if candidate.get('chosen') else ' '} {candidate.get('account')}: ")
        told.append(" ".join(_judged(candidate, now)) + "\n", "green" if candidate.get("chosen") else "")
    return told


def _judged(candidate: Document, now: float) -> Iterator[str]:
    refusal = candidate.get("refusal")
    if candidate.get("chosen"):
        yield "chosen"
    else:
        yield f"refused, {str(refusal).replace('_', ' ')}" if refusal else "free, ranked lower"
    if candidate.get("detail"):
        yield f"({candidate['detail']})"
    fact = candidate.get("fact")
    if isinstance(fact, Mapping) and fact.get("source"):
        seen = number(fact, "seen_at")
        age = f" {span(now - seen)} ago" if seen is not None else ""
        yield f"· told by {fact['source']}{age}"
    back = number(candidate, "back_at")
    if back is not None and back > now:
        yield f"· back in {span(back - now)}"
