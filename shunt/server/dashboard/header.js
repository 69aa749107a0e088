// The top of the page: what is going on, in one look.

import { act } from "./api.js";
import { loggedIn, logOut } from "./gates.js";
import { Choice, Countdown, html, useStore } from "./pieces.js";
import { count, dollars, isHeld, many, percent, reason, span, windowName } from "./words.js";

const LINKS = {
  connecting: ["connecting", "wait"],
  live: ["live", "good"],
  polling: ["every 2 s", "wait"],
  offline: ["shunt does not answer", "bad"],
  locked: ["locked", "bad"],
};

export function Header() {
  const { status, link, strategies } = useStore();
  const [told, tone] = LINKS[link];
  const overridden = status?.strategy_source === "override";
  const choose = (name) =>
    name === "default"
      ? act("The strategy of the configuration is in force again.", "DELETE", "/strategy")
      : act(`Accounts are chosen by ${name} now.`, "PUT", "/strategy", { strategy: name });
  const options = [...new Set([status?.strategy, ...strategies].filter(Boolean))].map((name) => [name, name]);
  return html`
    <header>
      <a class="skip" href="#content">To the content</a>
      <h1><img src="/dashboard/icon.svg" alt="" width="28" height="28" />shunt</h1>
      <p class="link ${tone}" role="status"><span class="dot" aria-hidden="true"></span>${told}</p>
      ${status &&
      html`
        <p class="version">
          ${status.version}${status.started_ms && html`, up ${span((Date.now() - status.started_ms) / 1000)}`}
        </p>
        <div class="steer">
          ${status.pinned_account &&
          html`
            <span class="pin">pinned to <b>${status.pinned_account}</b></span>
            <button type="button" onClick=${() => act("Accounts are chosen automatically again.", "POST", "/use", { account: null })}>
              Unpin
            </button>
          `}
          <${Choice}
            label="Strategy"
            value=${status.strategy}
            options=${overridden ? [...options, ["default", "as configured"]] : options}
            onChoose=${choose}
          />
          ${loggedIn() && html`<button type="button" onClick=${logOut}>Log out</button>`}
        </div>
      `}
    </header>
  `;
}

/** What subscriptions saved and what accounts cost that pay per token: each only where there is any. */
function told(savings) {
  const sums = (word, sum) => ({ word, today: sum("today"), week: sum("week"), inAll: sum("all_time") });
  const paid = sums("Paid", (span) => savings[`${span}_metered_usd`]);
  const saved = sums("Saved", (span) => {
    const cost = savings[`${span}_cost_usd`];
    return cost == null ? cost : Math.max(0, cost - (savings[`${span}_metered_usd`] ?? 0));
  });
  const any = [saved, paid].filter((money) => money.today > 0 || money.week > 0 || money.inAll > 0);
  return any.length ? any : [saved];
}

export function Summary() {
  const { status, next } = useStore();
  const money = told(status.savings ?? {});
  const reset = nextReset(status);
  const rate = status.active.reduce((sum, active) => sum + (active.tokens_per_second ?? 0), 0);
  return html`
    <section class="tiles" aria-label="At a glance">
      <div class="tile">
        <h2>In use</h2>
        <p class="big">${status.last_used_account ?? "nobody yet"}</p>
        <p class="sub">${inUse(status, next)}</p>
      </div>
      <div class="tile">
        <h2>Next reset</h2>
        <p class="big">${reset ? html`<${Countdown} to=${reset.window.resets_at} />` : "none known"}</p>
        <p class="sub">
          ${reset
            ? `${reset.account.name}: ${windowName(reset.window)}, ${percent(reset.window.used)} used`
            : "windows are learnt from the first answers"}
        </p>
      </div>
      <div class="tile">
        <h2>${money[0].word} today</h2>
        <p class="big num">${dollars(money[0].today)}</p>
        <p class="sub">at API prices · ${dollars(money[0].week)} in 7 days · ${dollars(money[0].inAll)} in all</p>
        ${money.slice(1).map(
          (paid) => html`
            <p class="sub">
              ${paid.word}: ${dollars(paid.today)} today · ${dollars(paid.week)} in 7 days · ${dollars(paid.inAll)} in all
            </p>
          `,
        )}
      </div>
      <div class="tile">
        <h2>Running</h2>
        <p class="big num">${status.active.length - held(status)}</p>
        <p class="sub">
          ${rate > 0 ? `${count(rate)} tokens/s` : "no stream"} · ${many(status.waiting ?? 0, "request")} waiting
        </p>
      </div>
    </section>
  `;
}

function held(status) {
  return status.active.filter(isHeld).length;
}

/** The window that resets first among those that hold something. */
export function nextReset(status) {
  let first = null;
  for (const account of status.accounts) {
    if (account.status === "disabled") continue;
    for (const window of account.windows ?? []) {
      if (!window.used || window.resets_at == null) continue;
      if (!first || window.resets_at < first.window.resets_at) first = { account, window };
    }
  }
  return first;
}

function inUse(status, next) {
  const of = (request) => request.account === status.last_used_account;
  const last = status.active.find((active) => of(active) && !isHeld(active)) ?? status.recent_requests.find(of);
  const because = last ? reason(last.why) : "";
  const follows = next?.account ? `a new conversation goes to ${next.account}` : next?.why ? "a new conversation waits" : "";
  return [because && `because ${because}`, follows].filter(Boolean).join(" · ") || `strategy ${status.strategy}`;
}
