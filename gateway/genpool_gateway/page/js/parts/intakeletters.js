// Messages of an intake that became no task: their queue is read only when somebody asks, as that disturbs its order.
import { html, useState } from "../html.js";
import { get, post } from "../api.js";
import { t } from "../language.js";
import { useAction, useLoaded } from "../load.js";
import { Button, Confirm, Note, Trouble, Waiting } from "./basics.js";
import { AboutMessage } from "./deadmessage.js";

/** @typedef {import("./deadmessage.js").Message & {id: string}} Letter */

/** @param {{pool: string}} props */
export function IntakeLetters({ pool }) {
  const [open, setOpen] = useState(false);
  return html`<details class="card" onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>${t("intake.title")}</summary>${open && html`<${List} pool=${pool} />`}</details>`;
}

/** @param {{pool: string}} props */
function List({ pool }) {
  const { data, problem, reload } = useLoaded(() => get("/v1/dead-letters/intake", { pool }), [pool]);
  const { busy, problem: refused, run } = useAction();
  const [asked, setAsked] = useState(/** @type {object | null} */ (null));
  const [said, setSaid] = useState(/** @type {string | null} */ (null));
  const act = (/** @type {"replay" | "discard"} */ action, /** @type {object} */ which) => run(async () => {
    setAsked(null);
    const done = await post(`/v1/dead-letters/intake/${action}`, { pool, ...which });
    setSaid(t(`dead.${action}ed`, { n: done.letters.length }));
    reload();
  });
  if (!data) return problem ? html`<${Trouble} problem=${problem} />` : html`<${Waiting} />`;
  return html`<div class="stack"><p class="help">${t("intake.lead", { queue: data.intake, pools: data.pools.join(", ") })}</p>
    <${Trouble} problem=${refused} /><${Note} text=${said} />
    ${data.letters.length === 0 && html`<p>${t("intake.none")}</p>`}
    <ul class="letters">${data.letters.map((/** @type {Letter} */ letter) => html`<li key=${letter.id} class="letter">
      <${AboutMessage} message=${letter} />
      <div class="row"><${Button} icon="replay" busy=${busy} onClick=${() => act("replay", { letters: [letter.id] })}>${t("intake.replay")}</${Button}>
        <${Button} icon="trash" kind="quiet" busy=${busy} onClick=${() => setAsked({ letters: [letter.id] })}>${t("dead.discard")}</${Button}></div></li>`)}</ul>
    ${data.letters.length > 1 && html`<div class="row"><${Button} icon="replay" busy=${busy} onClick=${() => act("replay", { all: true })}>${t("dead.replayAll")}</${Button}>
      <${Button} icon="trash" kind="quiet" busy=${busy} onClick=${() => setAsked({ all: true })}>${t("dead.discardAll")}</${Button}></div>`}
    ${asked && html`<${Confirm} title=${t("dead.discard.title")} text=${t("intake.discard")} action=${t("dead.discard")}
      onNo=${() => setAsked(null)} onYes=${() => act("discard", asked)} />`}</div>`;
}
