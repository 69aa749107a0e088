// What all parts of the page are made with.

import { Fragment, h } from "./preact.js";
import { useEffect, useState } from "./preact-hooks.js";
import htm from "./htm.js";
import { now, read, subscribe } from "./store.js";
import { span } from "./words.js";

export const html = htm.bind(h);
export { Fragment };

/** The page's state, and a new look at it after every change. */
export function useStore() {
  const [, look] = useState(0);
  useEffect(() => subscribe(() => look((times) => times + 1)), []);
  return read();
}

/** The server's time in epoch milliseconds, once a second. */
export function useNow() {
  const [moment, set] = useState(now());
  useEffect(() => {
    const timer = setInterval(() => set(now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return moment;
}

/** Counts down to a moment in epoch seconds; says `over` when it has passed. */
export function Countdown({ to, over = "now" }) {
  const left = to - useNow() / 1000;
  return html`<span class="num">${left > 0 ? span(left) : over}</span>`;
}

/** A part of the page with a heading. */
export function Section({ id, title, note, tools, children }) {
  return html`
    <section id=${id} aria-labelledby=${`${id}-title`}>
      <div class="head">
        <h2 id=${`${id}-title`}>${title}</h2>
        ${note && html`<p class="note">${note}</p>`}
        ${tools && html`<div class="tools">${tools}</div>`}
      </div>
      ${children}
    </section>
  `;
}

/** A table of a list, which turns into cards on narrow screens. `columns`: [title, cell, class]. */
export function Table({ label, columns, rows, name }) {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${`${label}, table`}>
      <table class="cards">
        <thead>
          <tr>${columns.map(([title, , kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) => html`
              <tr key=${name(row)}>
                ${columns.map(([title, cell, kind]) => html`<td class=${kind} data-title=${title}>${cell(row)}</td>`)}
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** A choice among a few words. `options`: [value, text]. */
export function Choice({ label, value, options, onChoose }) {
  return html`
    <label class="choice">
      <span>${label}</span>
      <select value=${value} onChange=${(event) => onChoose(event.currentTarget.value)}>
        ${options.map(([key, text]) => html`<option value=${key} selected=${key === value}>${text}</option>`)}
      </select>
    </label>
  `;
}

/** A command to copy. */
export function Command({ text }) {
  const [copied, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text);
    set(true);
    setTimeout(() => set(false), 2000);
  };
  return html`
    <div class="command">
      <code>${text}</code>
      ${navigator.clipboard && html`<button type="button" onClick=${copy}>${copied ? "Copied" : "Copy"}</button>`}
    </div>
  `;
}
