// API keys, for administrators: a new one is shown once.
import { html, useState } from "../html.js";
import { call, get, post } from "../api.js";
import { moment } from "../format.js";
import { t } from "../language.js";
import { useAction, useLoaded } from "../load.js";
import { Button, Confirm, Copyable, Empty, Trouble, Waiting } from "../parts/basics.js";

const ROLES = ["user", "operator", "admin"];

/** @typedef {{id: string, name: string, role: string, pools: string[] | null, max_queued: number | null, created_at: string, revoked_at: string | null}} Key */

export function Keys() {
  const { data, problem, reload } = useLoaded(() => get("/v1/keys"), []);
  const [made, setMade] = useState(/** @type {{name: string, key: string} | null} */ (null));
  const [leaving, setLeaving] = useState(/** @type {Key | null} */ (null));
  const revoking = useAction();
  const revoke = (/** @type {Key} */ key) => {
    setLeaving(null);
    revoking.run(async () => { await call("DELETE", `/v1/keys/${key.id}`); reload(); });
  };
  if (!data) return problem ? html`<${Trouble} problem=${problem} onRetry=${reload} />` : html`<${Waiting} />`;
  return html`
    <div class="keys"><h1>${t("menu.keys")}</h1>
      <${NewKey} onMade=${(/** @type {any} */ key) => { setMade(key); reload(); }} />
      ${made && html`<div class="card made" role="status"><p><strong>${t("keys.made", { name: made.name })}</strong></p>
        <p>${t("keys.once")}</p><${Copyable} text=${made.key} /></div>`}
      <${Trouble} problem=${revoking.problem} />
      ${data.keys.length === 0 ? html`<${Empty} title=${t("keys.empty")}><p>${t("keys.empty.do")}</p></${Empty}>` : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("menu.keys")}><table><thead><tr>
        ${["name", "role", "pools", "created", "state"].map((name) => html`<th scope="col">${t(`keys.${name}`)}</th>`)}<th scope="col"><span class="hidden">${t("keys.revoke")}</span></th></tr></thead>
        <tbody>${data.keys.map((/** @type {Key} */ key) => html`<tr key=${key.id}>
          <th scope="row">${key.name}<span class="help block">${key.id}</span></th><td>${t(`role.${key.role}`)}</td>
          <td>${key.pools ? key.pools.join(", ") : t("all")}</td><td>${moment(key.created_at)}</td>
          <td>${key.revoked_at ? t("keys.revoked", { when: moment(key.revoked_at) }) : t("keys.valid")}</td>
          <td>${!key.revoked_at && html`<${Button} kind="quiet" icon="trash" onClick=${() => setLeaving(key)}>${t("keys.revoke")}</${Button}>`}</td></tr>`)}</tbody></table></div>`}
      ${leaving && html`<${Confirm} title=${t("keys.revoke.title", { name: leaving.name })} text=${t("keys.revoke.text")}
        action=${t("keys.revoke")} onNo=${() => setLeaving(null)} onYes=${() => revoke(leaving)} />`}
    </div>`;
}

/** @param {{onMade: (key: any) => void}} props */
function NewKey({ onMade }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("user");
  const [pools, setPools] = useState("");
  const { busy, problem, run } = useAction();
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const named = pools.split(/[\s,]+/).filter(Boolean);
    run(async () => {
      onMade(await post("/v1/keys", { name, role, ...(named.length ? { pools: named } : {}) }));
      setName("");
    });
  };
  return html`<form class="card row bottom" onSubmit=${submit} aria-label=${t("keys.make")}>
    <label class="field"><span class="name">${t("keys.name")}</span>
      <input required maxlength="100" value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></label>
    <label class="field"><span class="name">${t("keys.role")}</span>
      <select value=${role} onChange=${(/** @type {any} */ event) => setRole(event.target.value)}>
        ${ROLES.map((each) => html`<option value=${each}>${t(`role.${each}`)}</option>`)}</select></label>
    <label class="field"><span class="name">${t("keys.pools")} <span class="optional">${t("optional")}</span></span>
      <input value=${pools} placeholder="art/text, art/photos" onInput=${(/** @type {any} */ event) => setPools(event.target.value)} /></label>
    <${Button} type="submit" kind="main" icon="keys" busy=${busy}>${t("keys.make")}</${Button}>
    <${Trouble} problem=${problem} /></form>`;
}
