// Requests that run now, and those that wait for an account.

import { html, Section, Table, useStore } from "./pieces.js";
import { count, isHeld, reason, took } from "./words.js";

const PHASES = {
  arrived: "arrived",
  chosen: "account chosen",
  sent: "sent, no answer yet",
  connected: "connected",
  streaming: "streaming",
  done: "ending",
};

export function Live() {
  const { status } = useStore();
  const waiting = status.active.filter(isHeld);
  const running = status.active.filter((active) => !isHeld(active));
  const held = Math.max(status.waiting ?? 0, waiting.length);
  return html`
    <${Section} id="live" title="Live requests" note=${running.length ? "" : "Nothing runs at the moment."}>
      ${running.length > 0 && html`<${Table} label="Live requests" columns=${RUNNING} rows=${running} name=${(row) => row.id} />`}
    <//>
    ${held > 0 &&
    html`
      <${Section} id="waiting" title="Waiting room" note="Every account is spent; these go on by themselves at the first reset.">
        ${waiting.length
          ? html`<${Table} label="Waiting requests" columns=${WAITING} rows=${waiting} name=${(row) => row.id} />`
          : html`<p>${held} waiting</p>`}
      <//>
    `}
  `;
}

const RUNNING = [
  ["Account", (row) => html`<b>${row.account ?? "–"}</b>`],
  ["Model", (row) => row.model || "–"],
  ["Client", (row) => row.client || "this machine"],
  ["Why", (row) => reason(row.why) || "–"],
  ["Now", (row) => html`<span class=${row.stalled ? "bad" : ""}>${row.stalled ? "stalled" : (PHASES[row.phase] ?? row.phase)}</span>`],
  ["Age", (row) => took(row.age_ms), "num"],
  ["Tokens/s", (row) => (row.tokens_per_second == null ? "–" : row.tokens_per_second.toFixed(0)), "num"],
  ["Last byte", (row) => (row.since_last_byte_ms == null ? "–" : `${took(row.since_last_byte_ms)} ago`), "num"],
  ["Out", (row) => count(row.output_tokens), "num"],
];

const WAITING = [
  ["Model", (row) => row.model || "–"],
  ["Client", (row) => row.client || "this machine"],
  ["Why", (row) => reason(row.why) || "no account can serve it now"],
  ["Since", (row) => took(row.age_ms), "num"],
];
