// Why a request went where it went: the candidates, what stood against each, and the phases it ran through.

import { useEffect, useState } from "./preact-hooks.js";
import { get } from "./api.js";
import { html } from "./pieces.js";
import { now } from "./store.js";
import { clock, reason, span, took } from "./words.js";

export function Why({ request }) {
  const [trace, set] = useState(null);
  const [trouble, complain] = useState("");
  useEffect(() => {
    get(`/explain/${encodeURIComponent(request.id)}`).then(set, (error) => complain(error.message));
  }, [request.id]);
  const attempts = (request.attempts ?? []).filter((attempt) => attempt.reason);
  return html`
    <p>
      <b>${request.account ?? "No account"}</b>${request.why && ` because ${reason(request.why)}`}.
      ${request.moved_from && ` The conversation moved there from ${request.moved_from}.`}
      ${request.rebilled_tokens > 0 && ` ${request.rebilled_tokens} tokens had to be read again for that.`}
      ${request.first_byte_ms != null && ` First byte after ${took(request.first_byte_ms)}.`}
      ${" "}<span class="small">${request.id}</span>
    </p>
    ${attempts.length > 0 &&
    html`
      <ul>
        ${attempts.map((attempt) => html`<li><b>${attempt.account}</b>: ${attempt.verdict}, ${attempt.reason}</li>`)}
      </ul>
    `}
    ${trouble && html`<p class="note">${trouble}</p>`}
    ${trace && (trace.decisions ?? []).map((decision, index) => html`<${Decision} key=${index} decision=${decision} />`)}
    ${trace?.phases?.length > 0 &&
    html`
      <ol class="phases" aria-label="Phases">
        ${trace.phases.map(
          (phase) => html`<li><b>${phase.phase}</b> <span class="num">${took(phase.at_ms)}</span>${phase.detail && html` <span class="small">${phase.detail}</span>`}</li>`,
        )}
      </ol>
    `}
  `;
}

function Decision({ decision }) {
  return html`
    <table class="candidates">
      <caption>${decision.account ? `Chosen: ${decision.account} (${decision.why})` : `Nobody: ${decision.why}`}</caption>
      <thead><tr><th scope="col">Candidate</th><th scope="col">Verdict</th><th scope="col">Deciding fact</th></tr></thead>
      <tbody>
        ${(decision.candidates ?? []).map(
          (candidate) => html`
            <tr key=${candidate.account}>
              <td><b>${candidate.account}</b></td>
              <td>${verdict(candidate)}</td>
              <td>${fact(candidate)}</td>
            </tr>
          `,
        )}
      </tbody>
    </table>
  `;
}

function verdict(candidate) {
  if (candidate.chosen) return "chosen";
  return candidate.refusal ? `refused: ${String(candidate.refusal).replaceAll("_", " ")}` : "was free, ranked lower";
}

function fact(candidate) {
  const found = candidate.fact;
  const source = found?.source ? `, told by ${found.source} at ${clock(found.seen_at * 1000, now())}` : "";
  const back = candidate.back_at ? `, back in ${span(candidate.back_at - now() / 1000)}` : "";
  return `${candidate.detail || found?.what || "–"}${source}${back}`;
}
