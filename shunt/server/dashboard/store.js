// What the page knows: one state, changed by what the server tells, read by the pieces.

const RECENT = 200;
const ERRORS = 50;

const state = {
  /** connecting · live · polling · offline · locked */
  link: "connecting",
  /** Milliseconds that the server's clock is ahead of the browser's. */
  ahead: 0,
  status: null,
  errors: [],
  strategies: [],
  /** What a request without a conversation would get now. */
  next: null,
  toast: null,
};
const readers = new Set();
let due = false;

export function read() {
  return state;
}

/** Call `reader` after changes, at most once per frame; returns the way to end it. */
export function subscribe(reader) {
  readers.add(reader);
  return () => readers.delete(reader);
}

export function change(fields) {
  Object.assign(state, fields);
  if (due) return;
  due = true;
  // A timer and not an animation frame: those stand still while the page is hidden.
  setTimeout(() => {
    due = false;
    for (const reader of readers) reader(state);
  }, 50);
}

/** Epoch milliseconds by the server's clock. */
export function now() {
  return Date.now() + state.ahead;
}

/** Take a whole status document. */
export function takeStatus(status) {
  change({ status: { ...status, active: status.active ?? [] } });
}

/** Take one event of the stream; says whether the whole status has to be fetched anew. */
export function takeEvent(kind, data) {
  const status = state.status;
  if (kind === "hello") {
    change({ ahead: data.now_ms - Date.now() });
    return true;
  }
  if (!status) return false;
  const handler = HANDLERS[kind];
  if (!handler) return false;
  const changes = handler(status, data);
  if (changes === null) return true;
  change({ status: { ...status, ...changes } });
  return false;
}

const HANDLERS = {
  request_started: (status, active) => ({ active: [...without(status.active, active.id), active] }),
  request_finished: (status, request) => ({
    active: without(status.active, request.id),
    recent_requests: [request, ...without(status.recent_requests, request.id)].slice(0, RECENT),
  }),
  active: (_, data) => ({ active: data.active, waiting: data.waiting }),
  account: (status, account) =>
    status.accounts.some((known) => known.name === account.name)
      ? { accounts: status.accounts.map((known) => (known.name === account.name ? account : known)) }
      : null,
  accounts: () => null,
  pool: (_, pool) => pool,
  savings: (_, savings) => ({ savings }),
  watcher: (status, watcher) => ({
    watchers: status.watchers.some((known) => known.name === watcher.name)
      ? status.watchers.map((known) => (known.name === watcher.name ? watcher : known))
      : [...status.watchers, watcher],
  }),
  error: (_, error) => {
    takeErrors([error, ...state.errors]);
    return {};
  },
};

function without(list, id) {
  return (list ?? []).filter((item) => item.id !== id);
}

/** Take the recent errors, newest first. */
export function takeErrors(errors) {
  const seen = new Set();
  const once = errors.filter((error) => !seen.has(error.id) && seen.add(error.id));
  once.sort((a, b) => b.at - a.at);
  change({ errors: once.slice(0, ERRORS) });
}

let toasts = 0;

/** Say something for a few seconds. */
export function say(text, wrong = false) {
  const number = ++toasts;
  change({ toast: { text, wrong, number } });
  setTimeout(() => state.toast?.number === number && change({ toast: null }), wrong ? 12_000 : 5_000);
}
