"""GET /openapi.json: the control API described, for programs.

The proxy routes are the vendors' own APIs and are described there.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import trio
from attrs import field, frozen
from quart import Response

from shunt import __version__
from shunt.limits.forecast import METHOD
from shunt.server.control import document
from shunt.server.events import KINDS
from shunt.server.routes import ROUTES, Route, Surface
from shunt.server.schemas import FLAG, NUMBER, SCHEMAS, TEXT, WHOLE, Schema, many, maybe, record, ref
from shunt.store.history_search import GROUPINGS, MOST
from shunt.telemetry.ring import FAILURES, TRACES

MOST_LINES: Final = 500


@frozen
class Described:
    """What is said of one method of one endpoint."""

    summary: str
    answer: Schema
    query: tuple[tuple[str, str, Schema], ...] = ()
    """(name, about, schema) of parameters."""
    body: Schema | None = None
    kind: str = "application/json"
    statuses: tuple[int, ...] = ()
    """Error statuses of its own."""
    fine: tuple[int, ...] = field(default=(200,))


def _limit(most: int) -> tuple[str, str, Schema]:
    return ("limit", "Most entries.", {**WHOLE, "minimum": 1, "maximum": most})


_SPAN: Final = (
    ("since", "Epoch seconds, a date, or a length of time ago (24h, 7d).", TEXT),
    ("until", "The same; the moment itself is not included.", TEXT),
)
_FILTERS: Final = (
    ("account", "Accounts, with commas between.", TEXT),
    ("model", "Models, as asked for or as served; `*` stands for anything.", TEXT),
    ("client", "Names of client keys.", TEXT),
    ("conversation", "Conversations, or the beginnings of their keys.", TEXT),
    ("status", "429, 4xx, 5xx, or error for everything that was one to its client.", TEXT),
    ("outcome", "served, refused, client_gone, cut, failed.", TEXT),
    *_SPAN,
)
_GROUPING: Final = (
    "by",
    f"Add up instead of listing, by one or two of: {', '.join(GROUPINGS)}.",
    TEXT,
)
_STRATEGY: Final = Described("How accounts are chosen.", ref("Strategy"))
_MODEL: Final = Described(
    "The model that is served whatever clients ask for.",
    record("The model; null where clients choose.", model=maybe(TEXT), source=TEXT),
)
_ACCOUNT: Final = ref("Account")
_EMPTY: Final[Schema] = {"type": "object"}

DESCRIBED: Final[dict[tuple[str, str], Described]] = {
    ("health", "GET"): Described(
        "Whether the program lives. Open to everybody.", record("Alive.", status=TEXT)
    ),
    ("ready", "GET"): Described(
        "Whether every configured family has an account that can serve now.", ref("Ready"), fine=(200, 503)
    ),
    ("status", "GET"): Described("The whole picture.", ref("Status")),
    ("use", "POST"): Described(
        "Pin one account; null or `auto` chooses again.",
        record("The pin.", pinned_account=maybe(TEXT)),
        body=record("The account.", account=maybe(TEXT)),
        statuses=(400, 404, 415),
    ),
    ("strategy", "GET"): _STRATEGY,
    ("strategy", "PUT"): Described(
        "Override the configured strategy.",
        ref("Strategy"),
        body=record("The strategy.", strategy=TEXT),
        statuses=(400, 415),
    ),
    ("strategy", "DELETE"): Described("Go back to the configured strategy.", ref("Strategy")),
    ("model", "GET"): _MODEL,
    ("model", "PUT"): Described(
        "Serve one model whatever clients ask for.",
        _MODEL.answer,
        body=record("The model.", model=TEXT),
        statuses=(400, 415),
    ),
    ("model", "DELETE"): Described("Serve what clients ask for again.", _MODEL.answer),
    ("passes", "POST"): Described(
        "Make a key for one command of this machine's user, for one account if it is named.",
        record("The key, told this once.", key=TEXT, account=maybe(TEXT)),
        body={
            "type": "object",
            "description": "What it is for.",
            "properties": {"purpose": TEXT, "account": maybe(TEXT), "proof": maybe(TEXT)},
        },
        statuses=(400, 403, 404, 415),
    ),
    ("passes", "DELETE"): Described(
        "End such a key.",
        record("Whether there was one.", ended=FLAG),
        body=record("The key.", key=TEXT),
        statuses=(400, 415),
    ),
    ("reload", "POST"): Described(
        "Read configuration and credentials again.",
        record("What there is now.", accounts=many(TEXT)),
        body=_EMPTY,
        statuses=(400, 409, 415),
    ),
    ("clear", "POST"): Described(
        "End an account's cooldowns.", _ACCOUNT, body=_EMPTY, statuses=(400, 404, 415)
    ),
    ("pause", "POST"): Described(
        "Take an account out of use.", _ACCOUNT, body=_EMPTY, statuses=(400, 404, 415)
    ),
    ("resume", "POST"): Described("Take it back into use.", _ACCOUNT, body=_EMPTY, statuses=(400, 404, 415)),
    ("events", "GET"): Described(
        f"What changes, as it changes. Events: {', '.join(KINDS)}. A reader that lags is cut off.",
        TEXT,
        query=(("kinds", "Names of the events wanted, with commas between; all when empty.", TEXT),),
        kind="text/event-stream",
        statuses=(400, 503),
    ),
    ("history", "GET"): Described(
        "Requests of the past, newest first, or what they add up to.",
        ref("History"),
        query=(
            *_FILTERS,
            _limit(MOST),
            ("before", "`next` of the page before.", TEXT),
            _GROUPING,
        ),
        statuses=(400, 404),
    ),
    ("history windows", "GET"): Described(
        "How usage windows stood over time.",
        record("Oldest first.", samples=many(ref("Sample"))),
        query=(("account", "One account.", TEXT), ("window", "One window, such as 5h.", TEXT), *_SPAN),
        statuses=(400, 404),
    ),
    ("forecast", "GET"): Described(
        f"When each window runs dry at the present pace. Method: {METHOD}.",
        record(
            "Forecasts, and how such forecasts did on the past thirty days.",
            method=TEXT,
            forecasts=many(ref("Forecast")),
            error=record(
                "Against windows that are over.",
                windows=WHOLE,
                forecasts=WHOLE,
                mean_error=maybe(NUMBER),
                dry_hit_share=maybe(NUMBER),
                median_dry_error_s=maybe(NUMBER),
            ),
        ),
        statuses=(400,),
    ),
    ("explain", "GET"): Described(
        "Where a request without a conversation would go now, and the last decision made.",
        record("Both.", now=ref("Decision"), last=maybe(ref("Trace"))),
        statuses=(400,),
    ),
    ("explained", "GET"): Described("Why a request went where it went.", ref("Trace"), statuses=(404,)),
    ("metrics", "GET"): Described(
        "Everything that is counted, in Prometheus' text format.", TEXT, kind="text/plain", statuses=(400,)
    ),
    ("openapi", "GET"): Described("This document.", _EMPTY),
    ("debug stats", "GET"): Described(
        "Counts since the start, and what the process uses.", _EMPTY, statuses=(400,)
    ),
    ("debug active", "GET"): Described(
        "Running requests.",
        record("The oldest first.", active=many(ref("Active")), waiting=WHOLE),
        statuses=(400,),
    ),
    ("debug health", "GET"): Described(
        "How the watchers are doing.",
        record("All of them.", watchers=many(ref("Watcher")), degraded=many(TEXT)),
        statuses=(400,),
    ),
    ("debug traces", "GET"): Described(
        "The last requests with their phases.",
        record("Newest first.", traces=many(ref("Request"))),
        query=(_limit(TRACES),),
        statuses=(400,),
    ),
    ("debug trace", "GET"): Described("Everything known of one request.", ref("Trace"), statuses=(400, 404)),
    ("debug errors", "GET"): Described(
        "The last requests that failed.",
        record("Newest first.", errors=many(ref("Failure"))),
        query=(_limit(FAILURES),),
        statuses=(400,),
    ),
    ("debug error", "GET"): Described(
        "Everything known of one failure.",
        {"allOf": [ref("Trace"), record("What the client had sent, without what it said.", sent=_EMPTY)]},
        statuses=(400, 404),
    ),
    ("debug logs", "GET"): Described(
        "The last lines of the log.",
        record("Newest last.", lines=many(_EMPTY)),
        query=(_limit(MOST_LINES), ("level", "debug, info, warning or error, and above.", TEXT)),
        statuses=(400,),
    ),
    ("sessions", "GET"): Described(
        "Conversations that a program on this machine holds.",
        record("All of them, and what its processes do.", sessions=many(_EMPTY), processes=_EMPTY),
    ),
    ("sessions cleanup", "POST"): Described(
        "Forget the expired ones, or all.",
        record("How many, and how many are left.", removed=WHOLE, remaining=WHOLE),
        body={"type": "object", "properties": {"all": FLAG}},
        statuses=(400, 415),
    ),
    ("front", "GET"): Described(
        "The dashboard for a browser (`accept: text/html`), a small card for anything else.",
        record("A card.", name=TEXT, links={"type": "object", "additionalProperties": TEXT}),
    ),
    ("dashboard", "GET"): Described("The dashboard.", TEXT, kind="text/html"),
    ("asset", "GET"): Described("One file of the dashboard.", TEXT, kind="*/*", statuses=(404,)),
    ("codes", "POST"): Described(
        "Make a one-time code with which a browser logs in.",
        record("The code, and the seconds it lives.", code=TEXT, expires_in=NUMBER),
        body=_EMPTY,
        statuses=(400, 415),
    ),
    ("session", "POST"): Described(
        "Trade a one-time code for a session cookie.",
        record("Done.", logged_in=FLAG),
        body=record("The code.", code=TEXT),
        statuses=(400, 415),
    ),
    ("session", "DELETE"): Described("End the session.", record("Done.", logged_in=FLAG)),
}
"""Every endpoint of the control API, by its name and method."""


async def described() -> Response:
    """The document."""
    await trio.lowlevel.checkpoint()
    return document(whole())


@cache
def whole() -> dict[str, Any]:
    """The whole OpenAPI document."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        if route.surface is Surface.PROXY:
            continue
        path = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", route.rule)
        for method in route.methods:
            paths.setdefault(path, {})[method.lower()] = _operation(route, method)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "shunt control API",
            "version": __version__,
            "description": "Names in `_ms` are milliseconds; other moments are epoch seconds; shares go from 0 to 1.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"key": []}, {"bearer": []}],
    }


def _operation(route: Route, method: str) -> dict[str, Any]:
    told = DESCRIBED.get((route.endpoint, method)) or Described(route.endpoint, _EMPTY)
    names = re.findall(r"<(?:path:)?(\w+)>", route.rule)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in names
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "description": about, "schema": schema}
        for name, about, schema in told.query
    ]
    content = {told.kind: {"schema": told.answer}}
    responses: dict[str, Any] = {
        str(status): {"description": "As asked for.", "content": content} for status in told.fine
    }
    # 400: a path or query that nobody means well with is refused before anything is looked up.
    for status in sorted({400, 401, 403, *told.statuses}):
        responses[str(status)] = {
            "description": "Refused; the message says why.",
            "content": {"application/json": {"schema": ref("Error")}},
        }
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{route.endpoint.replace(' ', '_')}",
        "summary": told.summary,
        "responses": responses,
    }
    if parameters:
        operation["parameters"] = parameters
    if told.body is not None:
        operation["requestBody"] = {
            "required": bool(told.body.get("required")),
            "content": {"application/json": {"schema": told.body}},
        }
    return operation
