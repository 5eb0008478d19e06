// A key once; after that a cookie stands for it, which no script can read.
import { html, useState } from "../html.js";
import { logIn } from "../api.js";
import { t } from "../language.js";
import { useAction } from "../load.js";
import { Button, Trouble } from "../parts/basics.js";
import { Mark } from "../parts/icon.js";
import { Switches } from "../parts/switches.js";

/** @param {{onEntered: () => void, onLanguage: (name: string) => void}} props */
export function Login({ onEntered, onLanguage }) {
  const [key, setKey] = useState("");
  const { busy, problem, run } = useAction();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    run(async () => { await logIn(key.trim()); onEntered(); });
  };
  return html`
    <header class="top"><span class="brand"><${Mark} />GenPool</span>
      <div class="tools"><${Switches} onLanguage=${onLanguage} /></div></header>
    <main class="alone">
      <h1>${t("login.title")}</h1>
      <p class="lead">${t("login.lead")}</p>
      ${isSecureContext
        ? html`<form class="card stack" onSubmit=${submit}>
            <label class="field"><span class="name">${t("login.key")}</span>
              <input id="key" type="password" name="key" autocomplete="current-password" required autofocus value=${key}
                spellcheck=${false} placeholder="gpk_…" onInput=${(/** @type {any} */ event) => setKey(event.target.value)} />
              <span class="help">${t("login.help")}</span></label>
            <${Trouble} problem=${problem} />
            <${Button} type="submit" kind="main" busy=${busy}>${t("login.enter")}</${Button}>
          </form>`
        : html`<div class="trouble" role="alert"><p><strong>${t("login.plain")}</strong></p><p>${t("login.plain.do")}</p></div>`}
      <p class="help">${t("login.api")} <a href="/docs">/docs</a></p>
    </main>`;
}
