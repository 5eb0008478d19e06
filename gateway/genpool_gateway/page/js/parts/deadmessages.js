// Messages of a pool's dead-letter queue that are no tasks, and so in no list of tasks: the queue is read when somebody asks.
import { html, useState } from "../html.js";
import { get } from "../api.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { wordsOf } from "../problems.js";
import { Button, Trouble, Waiting } from "./basics.js";
import { AboutMessage } from "./deadmessage.js";

/** @typedef {import("./deadmessage.js").Message} Message */
/** @typedef {(reason: string) => void} OnReason */

/** `round`: another number has the list read anew.
 * @param {{pool: string, busy: boolean, round: number, onDiscard: OnReason}} props */
export function DeadMessages({ pool, busy, round, onDiscard }) {
  const [open, setOpen] = useState(false);
  return html`<details class="card messages" onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>${t("messages.title")}</summary>
    ${open && html`<${List} pool=${pool} busy=${busy} round=${round} onDiscard=${onDiscard} />`}</details>`;
}

/** @param {{pool: string, busy: boolean, round: number, onDiscard: OnReason}} props */
function List({ pool, busy, round, onDiscard }) {
  const { data, problem } = useLoaded(() => get("/v1/dead-letters/messages", { pool }), [pool, round]);
  if (!data) return problem ? html`<${Trouble} problem=${problem} />` : html`<${Waiting} />`;
  /** @type {Message[]} */
  const messages = data.messages;
  const reasons = /** @type {string[]} */ ([...new Set(messages.map((each) => each.reason).filter(Boolean))]);
  return html`<div class="stack"><p class="help">${t("messages.lead", { queue: data.queue })}</p>
    ${messages.length === 0 && html`<p>${t("intake.none")}</p>`}
    <ul class="letters">${messages.map((each, at) => html`<li key=${at} class="letter"><${AboutMessage} message=${each} /></li>`)}</ul>
    ${data.total > messages.length && html`<p class="help">${t("messages.more", { n: data.total - messages.length })}</p>`}
    ${reasons.map((reason) => html`<div class="row" key=${reason}><${Button} icon="trash" kind="quiet" busy=${busy}
      onClick=${() => onDiscard(reason)}>${t("messages.discard", { reason: wordsOf(reason).happened })}</${Button}></div>`)}</div>`;
}
