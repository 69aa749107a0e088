// Recent requests: who served them, why, and what they cost. The newest come by themselves.

import { useMemo, useState } from "./preact-hooks.js";
import { get } from "./api.js";
import { Choice, Fragment, html, Section, useStore } from "./pieces.js";
import { now, say } from "./store.js";
import { clock, count, dollars, failed, reason, result, took } from "./words.js";
import { Why } from "./why.js";

const SHOWN = 25;
const PAGE = 100;

export function Requests() {
  const { status } = useStore();
  const [account, setAccount] = useState("");
  const [only, setOnly] = useState("");
  const [older, setOlder] = useState({ list: [], next: undefined });
  const [shown, setShown] = useState(SHOWN);
  const [open, setOpen] = useState(null);

  const wanted = (request) => (!account || request.account === account) && (only !== "errors" || failed(request));
  const known = status.recent_requests;
  const ids = new Set(known.map((request) => request.id));
  const all = [...known.filter(wanted), ...older.list.filter((request) => !ids.has(request.id))];
  const list = all.slice(0, shown);

  const begin = (set) => (value) => {
    set(value);
    setOlder({ list: [], next: undefined });
    setShown(SHOWN);
  };
  const more = async () => {
    setShown(shown + PAGE);
    if (shown + PAGE <= all.length || older.next === null) return;
    const filters = new URLSearchParams({ limit: PAGE });
    if (account) filters.set("account", account);
    if (only === "errors") filters.set("status", "error");
    if (older.next) filters.set("before", older.next);
    else if (all.length) filters.set("until", all[all.length - 1].ts_ms / 1000);
    try {
      const page = await get(`/history?${filters}`);
      setOlder({ list: [...older.list, ...page.requests.filter(wanted)], next: page.next });
    } catch (error) {
      say(error.message, true);
    }
  };

  const tools = html`
    <${Choice}
      label="Account"
      value=${account}
      options=${[["", "all"], ...status.accounts.map(({ name }) => [name, name])]}
      onChoose=${begin(setAccount)}
    />
    <${Choice} label="Show" value=${only} options=${[["", "all"], ["errors", "errors only"]]} onChoose=${begin(setOnly)} />
  `;
  return html`
    <${Section} id="requests" title="Recent requests" tools=${tools}>
      ${list.length === 0
        ? html`<p class="note">${known.length ? "None of this kind." : "None yet. Point an agent here, or try the command that `shunt run` printed."}</p>`
        : html`
            <div class="scroll" tabindex="0" role="region" aria-label="Recent requests, table">
              <table class="cards requests">
                <thead>
                  <tr>
                    ${TITLES.map(([title, kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}
                  </tr>
                </thead>
                <tbody>
                  ${list.map(
                    (request) => html`<${Row} key=${request.id} request=${request} open=${open === request.id} toggle=${() => setOpen(open === request.id ? null : request.id)} />`,
                  )}
                </tbody>
              </table>
            </div>
          `}
      ${(all.length > shown || older.next !== null) && list.length > 0 && html`<button type="button" onClick=${more}>Older requests</button>`}
    <//>
  `;
}

const TITLES = [
  ["Time", ""],
  ["Account", ""],
  ["Why", ""],
  ["Model", ""],
  ["Result", ""],
  ["In", "num"],
  ["Cached", "num"],
  ["Out", "num"],
  ["API price", "num"],
  ["Took", "num"],
  ["More", ""],
];

function Row({ request, open, toggle }) {
  // Rows do not change once they are there, and there may be many.
  return useMemo(() => {
    const moved = (request.attempts ?? []).filter((attempt) => attempt.account !== request.account);
    return html`
      <${Fragment}>
        <tr class=${failed(request) ? "failed" : ""}>
          <td data-title="Time" class="num left">${clock(request.ts_ms, now())}</td>
          <td data-title="Account"><b>${request.account ?? "–"}</b></td>
          <td data-title="Why">
            ${reason(request.why) || "–"}
            ${moved.length > 0 && html`<span class="small"> after ${moved.map((attempt) => attempt.account).join(", ")}</span>`}
          </td>
          <td data-title="Model">${request.model || "–"}</td>
          <td data-title="Result" class=${failed(request) ? "bad" : ""}>${result(request)}</td>
          <td data-title="In" class="num">${count(request.input_tokens)}</td>
          <td data-title="Cached" class="num">${count(request.cache_read_tokens)}</td>
          <td data-title="Out" class="num">${count(request.output_tokens)}</td>
          <td data-title="API price" class="num">${dollars(request.cost_usd)}</td>
          <td data-title="Took" class="num">${took(request.duration_ms)}</td>
          <td>
            <button type="button" class="quiet" aria-expanded=${open} aria-label=${`Explain request ${request.id}`} onClick=${toggle}>
              ${open ? "Close" : "Explain"}
            </button>
          </td>
        </tr>
        ${open && html`<tr class="why"><td colspan=${TITLES.length}><${Why} request=${request} /></td></tr>`}
      <//>
    `;
  }, [request, open]);
}
