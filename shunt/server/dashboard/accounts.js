// One card per account: how it stands, what is left until when, and what can be done about it.

import { act } from "./api.js";
import { Countdown, html, Section, useStore } from "./pieces.js";
import { count, percent, span, standing, windowName } from "./words.js";

const NARROW = 0.75;
const SPENT = 0.95;
const STALE = 900;

export function Accounts() {
  const { status } = useStore();
  const free = status.accounts.filter((account) => account.available).length;
  return html`
    <${Section} id="accounts" title="Accounts" note=${`${free} of ${status.accounts.length} available`}>
      <div class="grid">
        ${status.accounts.map(
          (account) => html`<${Account} key=${account.name} account=${account} pinned=${status.pinned_account === account.name} last=${status.last_used_account === account.name} />`,
        )}
      </div>
    <//>
  `;
}

function Account({ account, pinned, last }) {
  const facts = [account.provider, account.plan_type, account.email, account.pool === "default" ? "" : `pool ${account.pool}`];
  return html`
    <article class="card ${account.status}" aria-label=${`Account ${account.name}`}>
      <div class="who">
        <h3>${account.name}</h3>
        ${pinned && html`<span class="badge pinned">pinned</span>`}
        ${last && html`<span class="badge last">last used</span>`}
        <span class="badge ${account.status}">${standing(account)}</span>
      </div>
      <p class="facts">${facts.filter(Boolean).join(" · ")}</p>
      <${Windows} account=${account} />
      <${Hindrances} account=${account} />
      <p class="facts">
        ${[
          account.in_flight ? `${account.in_flight} running` : "",
          `${count(account.tokens_used?.total)} tokens`,
          account.cache_read_share != null ? `${percent(account.cache_read_share)} of input from cache` : "",
        ]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <${Buttons} account=${account} pinned=${pinned} />
    </article>
  `;
}

function Windows({ account }) {
  const windows = account.windows ?? [];
  if (!windows.length) {
    return html`<p class="facts">${account.subscription ? "windows not known yet" : "no windows: paid per token"}</p>`;
  }
  const dry = new Map((account.forecasts ?? []).map((forecast) => [forecast.window, forecast]));
  return html`
    <ul class="windows">
      ${windows.map((window) => html`<${Window} key=${window.name} window=${window} forecast=${dry.get(window.name)} />`)}
    </ul>
  `;
}

function Window({ window, forecast }) {
  const used = window.used;
  const tone = window.status === "rejected" || used >= SPENT ? "spent" : used >= NARROW ? "narrow" : "";
  const name = windowName(window);
  return html`
    <li>
      <div class="row">
        <span>${name}</span>
        <span class="num">${used == null ? "use unknown" : `${percent(used)} used`}</span>
      </div>
      <div
        class="bar ${tone}"
        role="meter"
        aria-label=${`${name}: share used`}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${Math.round((used ?? 0) * 100)}
      >
        <div style=${{ width: `${Math.min(100, (used ?? 0) * 100)}%` }}></div>
      </div>
      <div class="row small">
        <span>${window.resets_at ? html`resets in <${Countdown} to=${window.resets_at} />` : "not running"}</span>
        <span>${outlook(window, forecast)}</span>
      </div>
    </li>
  `;
}

function outlook(window, forecast) {
  if (window.age >= STALE) return `seen ${span(window.age)} ago`;
  if (!forecast || window.used >= 1) return "";
  if (forecast.runs_dry_at != null) return html`runs dry in <${Countdown} to=${forecast.runs_dry_at} />`;
  if (forecast.used_at_reset != null) return `about ${percent(Math.min(1, forecast.used_at_reset))} by then`;
  return "";
}

function Hindrances({ account }) {
  const lines = [];
  if (account.cooldown_until_ms) {
    lines.push(html`back in <${Countdown} to=${account.cooldown_until_ms / 1000} />${account.cooldown_reason && `: ${account.cooldown_reason}`}`);
  }
  for (const cooldown of account.cooldowns ?? []) {
    if (cooldown.models) lines.push(html`${cooldown.models} back in <${Countdown} to=${cooldown.until} />: ${cooldown.reason}`);
  }
  if (account.status === "reauth_required") {
    lines.push(
      account.subscription
        ? `log in with the vendor's own program, then: shunt add-account ${account.name} --import`
        : "its key is missing or refused: `shunt accounts` says where it should be",
    );
  }
  return lines.map((line) => html`<p class="hindrance">${line}</p>`);
}

function Buttons({ account, pinned }) {
  const { name } = account;
  const path = `/accounts/${encodeURIComponent(name)}`;
  const cooling = account.status === "cooling" || (account.cooldowns ?? []).length > 0;
  const pin = () =>
    pinned
      ? act("Accounts are chosen automatically again.", "POST", "/use", { account: null })
      : act(`Every request goes to ${name} now.`, "POST", "/use", { account: name });
  const pause = () =>
    account.disabled
      ? act(`${name} is in use again.`, "POST", `${path}/resume`)
      : act(`${name} is paused; what it is serving ends first.`, "POST", `${path}/pause`);
  return html`
    <div class="buttons">
      <button type="button" aria-pressed=${pinned} onClick=${pin} aria-label=${`${pinned ? "Unpin" : "Pin"} ${name}`}>
        ${pinned ? "Unpin" : "Pin"}
      </button>
      <button type="button" onClick=${pause} aria-label=${`${account.disabled ? "Resume" : "Pause"} ${name}`}>
        ${account.disabled ? "Resume" : "Pause"}
      </button>
      ${cooling &&
      html`
        <button type="button" onClick=${() => act(`${name} is tried again at once.`, "POST", `${path}/clear`)} aria-label=${`Clear the cooldown of ${name}`}>
          Clear cooldown
        </button>
      `}
    </div>
  `;
}

