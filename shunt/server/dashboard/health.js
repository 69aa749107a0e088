// What went wrong lately and what to do about it, and how the watchers are doing.

import { html, Section, useNow, useStore } from "./pieces.js";
import { clock, many, span } from "./words.js";

export function Errors() {
  const { errors, status } = useStore();
  const troubles = Object.entries(status.troubles ?? {});
  if (!errors.length && !troubles.length) {
    return html`<${Section} id="errors" title="Recent errors" note="None." />`;
  }
  return html`
    <${Section} id="errors" title="Recent errors" note=${errors.length ? many(errors.length, "error") : ""}>
      <ul class="errors">
        ${troubles.map(([what, told]) => html`<li key=${what}><b>${what}</b>: ${told}</li>`)}
        ${errors.slice(0, 12).map((error) => html`<${Trouble} key=${error.id} error=${error} />`)}
      </ul>
    <//>
  `;
}

function Trouble({ error }) {
  const who = [error.account, error.model].filter(Boolean).join(" · ");
  return html`
    <li>
      <p>
        <span class="num small">${clock(error.at * 1000, Date.now())}</span>
        <b class="bad"> ${error.status || error.outcome}</b> ${who}
      </p>
      <p>${error.message}</p>
      ${error.cure && html`<p class="cure">${error.cure}</p>`}
    </li>
  `;
}

export function Watchers() {
  const { status } = useStore();
  const at = useNow();
  const unwell = status.watchers.filter((watcher) => watcher.degraded).length;
  return html`
    <${Section} id="watchers" title="Watchers" note=${unwell ? `${unwell} not well` : "all well"}>
      <ul class="watchers">
        ${status.watchers.map(
          (watcher) => html`
            <li key=${watcher.name} class=${watcher.degraded ? "bad" : "good"}>
              <span class="dot" aria-hidden="true"></span>
              <b>${watcher.name}</b>
              <span class="small">${watching(watcher, at)}</span>
            </li>
          `,
        )}
      </ul>
    <//>
  `;
}

function watching(watcher, at) {
  if (watcher.degraded) return watcher.last_error || "silent";
  const facts = [watcher.state];
  if (watcher.last_run_ms) facts.push(`last ${span((at - watcher.last_run_ms) / 1000)} ago`);
  if (watcher.next_run_ms > at) facts.push(`next in ${span((watcher.next_run_ms - at) / 1000)}`);
  if (watcher.failures) facts.push(`${many(watcher.failures, "failure")}`);
  return facts.join(", ");
}
