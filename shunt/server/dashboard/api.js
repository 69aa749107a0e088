// Talking to the server: documents, commands, and the stream of events with polling in its place.

import { change, read, say, takeErrors, takeEvent, takeStatus } from "./store.js";

const KINDS = [
  ...["hello", "request_started", "request_finished", "active", "account", "accounts"],
  ...["pool", "savings", "watcher", "error"],
];
const POLL = 2_000;
const RETRY = 20_000;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Fetch a document. Throws Refused, or TypeError when nobody answers. */
export async function get(path) {
  return answer(await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" }));
}

/** Send a command. The header is one that only this page can send. */
export async function send(method, path, body = {}) {
  const headers = { "content-type": "application/json", "x-shunt-page": "1" };
  return answer(await fetch(path, { method, headers, body: JSON.stringify(body), cache: "no-store" }));
}

async function answer(response) {
  let document = null;
  try {
    document = await response.json();
  } catch {
    document = null;
  }
  if (response.ok && document) return document;
  if (response.status === 401) change({ link: "locked" });
  throw new Refused(response.status, document?.error?.message ?? `The server answered ${response.status}.`);
}

/** Do something on a button's behalf and say how it went. */
export async function act(done, method, path, body) {
  try {
    await send(method, path, body);
    say(done);
  } catch (error) {
    say(error instanceof Refused ? error.message : "shunt does not answer.", true);
  }
  await refresh();
}

/** Fetch the whole status. */
export async function refresh() {
  try {
    takeStatus(await get("/status"));
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) change({ link: "offline" });
    return false;
  }
}

/** Fetch what changes rarely or has no event. */
export async function refreshRest() {
  const [errors, strategy] = await Promise.allSettled([get("/debug/errors"), get("/strategy")]);
  if (errors.status === "fulfilled") takeErrors(errors.value.errors ?? []);
  if (strategy.status === "fulfilled") change({ strategies: strategy.value.known ?? [] });
}

// ── the stream ──────────────────────────────────────────────────────────────────────────────────

let stream = null;
let poller = 0;
let retry = 0;

/** Stay up to date for as long as the page is shown. */
export function follow() {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : begin()));
  begin();
}

function begin() {
  rest();
  if (document.hidden) return; // a browser has few connections per server, and tabs pile up
  stream = new EventSource("/events");
  for (const kind of KINDS) stream.addEventListener(kind, (event) => taken(kind, event.data));
  // A failed connection and our event of that name both arrive as "error"; only ours carries data.
  stream.addEventListener("error", (event) => event.data === undefined && lost());
  refresh().then((fine) => fine && refreshRest());
}

function rest() {
  stream?.close();
  stream = null;
  clearInterval(poller);
  clearTimeout(retry);
}

async function taken(kind, text) {
  if (text === undefined) return;
  change({ link: "live" });
  clearInterval(poller);
  poller = 0;
  if (takeEvent(kind, JSON.parse(text))) {
    await refresh();
    if (kind !== "account") await refreshRest();
  }
}

function lost() {
  if (!poller) poller = setInterval(poll, POLL);
  poll();
  if (stream && stream.readyState === EventSource.CLOSED) {
    clearTimeout(retry);
    retry = setTimeout(begin, RETRY); // it was refused; the browser does not try again by itself
  }
}

async function poll() {
  if (read().link === "locked") return;
  if (await refresh()) {
    change({ link: "polling" });
    await refreshRest();
  }
}
