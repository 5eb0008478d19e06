// Where a task was tried, from its stored events: pod, time, and how it went.
import { html } from "../html.js";
import { call } from "../api.js";
import { moment } from "../format.js";
import { parse } from "../json.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { wordsOf } from "../problems.js";
import { Trouble, Waiting } from "./basics.js";

/** @typedef {{run: number, attempt: number, pod: string, began: string, ended: string | null, how: string}} Attempt */

/** @param {{task: import("../tasks.js").Task}} props */
export function Attempts({ task }) {
  const { data, problem } = useLoaded(() => call("GET", `/v1/tasks/${task.id}/events`, { text: true, headers: { Accept: "text/event-stream" } }), [task.id]);
  if (problem) return html`<${Trouble} problem=${problem} />`;
  if (data === null) return html`<${Waiting} />`;
  const attempts = attemptsOf(eventsOf(data));
  if (!attempts.length) return html`<p class="help">${t("attempts.none")}</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("attempts")}><table><thead><tr>
    <th scope="col">${t("attempt")}</th><th scope="col">${t("pod")}</th><th scope="col">${t("started")}</th><th scope="col">${t("completed")}</th><th scope="col">${t("attempt.how")}</th></tr></thead>
    <tbody>${attempts.map((each) => html`<tr><th scope="row">${each.run > 1 ? `${each.run}.` : ""}${each.attempt}</th><td><code>${each.pod}</code></td>
      <td>${moment(each.began)}</td><td>${moment(each.ended)}</td><td>${each.how}</td></tr>`)}</tbody></table></div>`;
}

/** Events of a stream that has ended. @param {string} text @returns {any[]} */
export function eventsOf(text) {
  const lines = text.split(/\n\n/).map((block) => /^data: (.*)$/m.exec(block)?.[1]);
  return lines.filter((line) => line !== undefined).map((line) => parse(/** @type {string} */ (line)));
}

/** @param {any[]} events @returns {Attempt[]} */
export function attemptsOf(events) {
  /** @type {Map<string, Attempt>} */
  const found = new Map();
  for (const event of events) {
    const key = `${event.run} ${event.attempt}`;
    const known = found.get(key);
    if (event.type === "claimed" && !known) {
      found.set(key, { run: event.run, attempt: event.attempt, pod: event.worker ?? "–", began: event.time, ended: null, how: "" });
    } else if (known && (event.type === "retried" || event.type === "ended")) {
      known.ended = event.time;
      known.how = event.message ?? wordsOf(event.reason).happened;
    }
  }
  return [...found.values()];
}
