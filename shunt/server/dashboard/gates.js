// What is shown in place of the page: when there is no account yet, and when a browser has to log in.

import { useState } from "./preact-hooks.js";
import { send } from "./api.js";
import { Command, html, useStore } from "./pieces.js";

const SESSION = "shunt-logged-in";

export function FirstRun() {
  const { status } = useStore();
  const found = status.found ?? [];
  const base = location.origin;
  return html`
    <section class="gate" aria-labelledby="first-title">
      <h2 id="first-title">No account yet</h2>
      ${found.length
        ? html`
            <p>On this machine there is already something that shunt can use. One command adds it:</p>
            <ul class="found">
              ${found.map(
                (finding) => html`
                  <li key=${finding.command}>
                    <p><b>${finding.what}</b> <span class="small">${finding.where}</span></p>
                    <${Command} text=${finding.command} />
                  </li>
                `,
              )}
            </ul>
          `
        : html`
            <p>Neither a login nor an API key was found on this machine. Add an account in a terminal:</p>
            <${Command} text="shunt add-account main --provider anthropic --api-key-stdin" />
            <p>Or look around first, with three simulated accounts and no file of yours touched:</p>
            <${Command} text="shunt run --demo" />
          `}
      <p>This page shows the account as soon as it is there. Then point an agent here, for instance Claude Code:</p>
      <${Command} text=${`ANTHROPIC_BASE_URL=${base} ANTHROPIC_AUTH_TOKEN=shunt claude`} />
    </section>
  `;
}

export function Locked({ onOpen }) {
  const [code, setCode] = useState("");
  const [trouble, complain] = useState("");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await logIn(code.trim().replace(/^.*#code=/, ""));
      onOpen();
    } catch (error) {
      complain(error.message);
    }
  };
  return html`
    <section class="gate" aria-labelledby="locked-title">
      <h2 id="locked-title">Log in</h2>
      <p>This shunt asks browsers on other machines to log in. Where its admin key is, run</p>
      <${Command} text=${`shunt dashboard --url ${location.origin}`} />
      <p>and open the address that it shows, or paste the code from it:</p>
      <form onSubmit=${submit}>
        <label for="code">One-time code</label>
        <input id="code" autocomplete="off" spellcheck="false" value=${code} onInput=${(event) => setCode(event.currentTarget.value)} required />
        <button type="submit">Log in</button>
      </form>
      ${trouble && html`<p class="bad" role="alert">${trouble}</p>`}
    </section>
  `;
}

/** Trade a one-time code for a session. */
export async function logIn(code) {
  await send("POST", "/dashboard/session", { code });
  sessionStorage.setItem(SESSION, "yes");
}

/** Whether this page was opened by a code; the session itself is out of its reach. */
export function loggedIn() {
  return sessionStorage.getItem(SESSION) === "yes";
}

/** End the session, here and at the server. */
export async function logOut() {
  sessionStorage.removeItem(SESSION);
  await send("DELETE", "/dashboard/session");
  location.reload();
}
