"""`shunt explain`: why a request went where it went, or where the next one would go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from shunt.cli.files import open_files
from shunt.cli.invocation import Invocation, as_json, elsewhere, places
from shunt.cli.past import Lookback
from shunt.cli.past_views import moment, took
from shunt.cli.terminal import clean, draw, emit
from shunt.views.words import span

Document = Mapping[str, Any]


@click.command()
@click.argument("request", metavar="[REQUEST-ID]", required=False)
@as_json
@elsewhere
@places
def explain(call: Invocation, request: str | None, url: str | None, *, as_json: bool) -> None:
    """Say why a request went where it went: who was considered, with which score, refused by what.

    REQUEST-ID stands in the x-shunt-request-id header of every answer, in `shunt history` and in
    the dashboard; its beginning is enough. Without it: where a new request would go now, and the
    last decision made.
    """
    files = open_files(call)
    if request is not None:
        told = Lookback(files, url).explain(request)
        view = trace_view(told, call.now())
    else:
        told = files.control(url).get("/explain")
        view = present_view(told, call.now())
    if as_json:
        emit(told)
    else:
        draw(view, call.environ)


def present_view(document: Document, now: float) -> RenderableType:
    """Where a new request would go, and the last decision."""
    decision = document["now"]
    goes = f"would go to {clean(decision['account'])}" if decision["account"] else "would have to wait"
    lines: list[RenderableType] = [
        Text(f"A new request {goes} ({clean(decision['why'])}).", "bold"),
        *_candidates(decision, now),
    ]
    last = document.get("last")
    if last is not None:
        lines += [Text(""), Text("The last one:", "dim"), trace_view(last, now)]
    return Group(*lines)


def trace_view(document: Document, now: float) -> RenderableType:
    """One request: what it was, each decision, each try, its phases."""
    request = document["request"]
    lines: list[RenderableType] = [*_heading(request)]
    for number, decision in enumerate(document["decisions"], 1):
        to = clean(decision["account"] or "nobody")
        borrowed = ", lent out: the conversation comes back" if decision.get("borrowed") else ""
        lines.append(Text(f"decision {number}: {to} ({clean(decision['why'])}{borrowed})"))
        lines += _candidates(decision, decision.get("at") or now)
    if not document["decisions"]:
        lines.append(Text("Its decisions are no longer kept.", "dim"))
    if isinstance(request.get("attempts"), list):
        for number, attempt in enumerate(request["attempts"], 1):
            reason = f": {clean(attempt['reason'])}" if attempt["reason"] else ""
            lines.append(
                Text(f"try {number}: {clean(attempt['account'])} {clean(attempt['verdict'])}{reason}")
            )
    if request.get("moved_from"):
        again = request.get("rebilled_tokens") or 0
        cost = f"; {again:,} tokens were paid for again" if again else ""
        lines.append(Text(f"moved here from {clean(request['moved_from'])}{cost}", "yellow"))
    if document["phases"]:
        steps = (f"{clean(one['phase'])} {took(one['at_ms'])}" for one in document["phases"])
        lines.append(Text(" · ".join(steps), "dim"))
    for stall in document["stalls"]:
        lines.append(Text(f"silent for {span(stall['seconds'])} after {took(stall['at_ms'])}", "yellow"))
    error = document.get("error")
    if error:
        lines.append(Text(f"{clean(error['kind'])}: {clean(error['message'])}", "red"))
        lines.append(Text(f"→ {clean(error['cure'])}", "dim"))
    return Group(*lines)


def _heading(request: Document) -> Iterator[Text]:
    facts = [
        clean(str(request["id"])),
        moment(request["ts_ms"] / 1000),
        clean(str(request.get("model") or request.get("operation"))),
        f"to {clean(request['account'])}" if request.get("account") else "to nobody",
        f"{request['status']} {clean(request['outcome'])}"
        if "outcome" in request
        else clean(request["phase"]),
    ]
    yield Text(" · ".join(facts), "bold")


def _candidates(decision: Document, at: float) -> Iterator[Text]:
    for one in decision["candidates"]:
        name = clean(one["account"])
        if one["refusal"] is None:
            score = f"  score {', '.join(f'{figure:g}' for figure in one['score'])}" if one["score"] else ""
            mark, style = ("→", "green") if one["chosen"] else (" ", "")
            yield Text(f"  {mark} {name}{score}", style)
            continue
        yield Text(f"    {name} {clean(one['refusal'])}{_fact(one.get('fact'), at)}", "dim")


def _fact(fact: Document | None, at: float) -> str:
    if fact is None:
        return ""
    told = f": {clean(fact['what'])}"
    if fact.get("source"):
        told += f", told by a {clean(fact['source'])}"
    if fact.get("seen_at") is not None:
        told += f" {span(at - fact['seen_at'])} before"
    if fact.get("until") is not None:
        told += f", until {moment(fact['until'])}"
    return told
