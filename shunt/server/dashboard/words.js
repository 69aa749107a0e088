// Numbers and moments in words. The terminal views say the same things in the same way.

/** A length of time in its two largest units: `2 h 28 m`, `3 d 4 h`, `45 s`. */
export function span(seconds) {
  const left = Math.max(0, Math.round(seconds));
  for (const [size, unit, nextSize, nextUnit] of [
    [86400, "d", 3600, "h"],
    [3600, "h", 60, "m"],
    [60, "m", 1, "s"],
  ]) {
    if (left >= size) {
      const more = Math.floor((left % size) / nextSize);
      const most = Math.floor(left / size);
      return more ? `${most} ${unit} ${more} ${nextUnit}` : `${most} ${unit}`;
    }
  }
  return `${left} s`;
}

/** Milliseconds that a request took: `840 ms`, `3.2 s`, `2 m 5 s`. */
export function took(ms) {
  if (ms == null) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : span(ms / 1000);
}

/** A count, short where it is long: `950`, `12.4k`, `3.1M`. */
export function count(number) {
  if (number == null) return "–";
  if (number < 10_000) return String(Math.round(number));
  if (number < 999_500) return `${(number / 1000).toFixed(number < 99_950 ? 1 : 0)}k`;
  return `${(number / 1e6).toFixed(number < 99_950_000 ? 1 : 0)}M`;
}

/** US dollars; small sums keep enough digits to be told from nothing. */
export function dollars(sum) {
  if (sum == null) return "–";
  if (sum > 0 && sum < 0.01) return `$${sum.toFixed(4)}`;
  return `$${sum.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** A share from 0 to 1: `67 %`. */
export function percent(share) {
  return share == null ? "–" : `${Math.round(share * 100)} %`;
}

/** The time of day, with the date when it was another day. `ms` in epoch milliseconds. */
export function clock(ms, nowMs) {
  if (ms == null) return "–";
  const moment = new Date(ms);
  const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  if (new Date(nowMs).toDateString() === moment.toDateString()) return time;
  return `${moment.toLocaleDateString([], { month: "short", day: "numeric" })} ${time.slice(0, 5)}`;
}

const WINDOWS = { "5h": "5 hours", "7d": "7 days", overage: "extra usage" };

/** What a window is called. */
export function windowName(window) {
  const name = WINDOWS[window.name] ?? window.name;
  return window.models && !window.name.includes(window.models) ? `${name}, ${window.models}` : name;
}

const STANDINGS = {
  available: "available",
  cooling: "cooling",
  disabled: "paused",
  reauth_required: "needs a login or key",
};

/** How an account stands. */
export function standing(account) {
  return STANDINGS[account.status] ?? account.status ?? "unknown";
}

const REASONS = {
  sticky: "its conversation stays with it",
  pinned: "it is pinned",
  "asked for": "the client asked for it",
};

/** Why an account was chosen, for people. */
export function reason(why) {
  if (!why) return "";
  return REASONS[why] ?? why;
}

/** Whether a request waits for an account. */
export function isHeld(active) {
  return active.phase === "queued" || active.phase === "waiting";
}

/** What a client saw of a request: `200`, `429 refused`. */
export function result(request) {
  return request.outcome && request.outcome !== "served"
    ? `${request.status} ${request.outcome.replace("_", " ")}`
    : String(request.status);
}

/** Whether a request went wrong. A client that leaves is no error. */
export function failed(request) {
  return request.status >= 400 && request.outcome !== "client_gone";
}

/** `1 request`, `2 requests`. */
export function many(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
