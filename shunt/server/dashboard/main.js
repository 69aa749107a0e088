// Puts the page together and keeps it up to date.

import { render } from "./preact.js";
import { useEffect } from "./preact-hooks.js";
import { Accounts } from "./accounts.js";
import { follow, get } from "./api.js";
import { History } from "./charts.js";
import { FirstRun, Locked, logIn } from "./gates.js";
import { Header, Summary } from "./header.js";
import { Errors, Watchers } from "./health.js";
import { Live } from "./live.js";
import { html, useStore } from "./pieces.js";
import { Requests } from "./requests.js";
import { change, say } from "./store.js";

function Page() {
  const { status, link, toast } = useStore();
  return html`
    <${Header} />
    <main id="content" tabindex="-1">${content(status, link)}</main>
    <footer>
      <a href="/status">status as JSON</a> <a href="/metrics">metrics</a> <a href="/dashboard/uplot.LICENSE">uPlot</a>
      <a href="/dashboard/preact.LICENSE">Preact</a> <a href="/dashboard/htm.LICENSE">htm</a>
    </footer>
    <div class="toast ${toast?.wrong ? "wrong" : ""}" role="status" aria-live="polite">${toast?.text}</div>
  `;
}

function content(status, link) {
  if (link === "locked") return html`<${Locked} onOpen=${() => location.reload()} />`;
  if (!status) return html`<p class="plain">${link === "offline" ? "shunt does not answer here. `shunt run` starts it." : "Looking …"}</p>`;
  if (!status.accounts.length) return html`<${FirstRun} />`;
  return html`
    <${Summary} />
    <${Accounts} />
    <${Live} />
    <${Requests} />
    <${History} />
    <div class="pair"><${Errors} /><${Watchers} /></div>
    <${Outlook} />
  `;
}

/** Asks where a new conversation would go, whenever something about the accounts has changed. */
function Outlook() {
  const { status } = useStore();
  const facts = JSON.stringify([
    status.pinned_account,
    status.strategy,
    status.accounts.map((account) => [account.name, account.status, account.utilization_5h]),
  ]);
  useEffect(() => {
    const timer = setTimeout(() => get("/explain").then((told) => change({ next: told.now ?? null }), () => change({ next: null })), 300);
    return () => clearTimeout(timer);
  }, [facts]);
  return null;
}

async function begin() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) {
    history.replaceState(null, "", location.pathname); // it is worth nothing any more, and not to be bookmarked
    try {
      await logIn(code);
    } catch (error) {
      say(error.message, true);
    }
  }
  const place = document.getElementById("page");
  place.replaceChildren();
  render(html`<${Page} />`, place);
  follow();
}

begin();
