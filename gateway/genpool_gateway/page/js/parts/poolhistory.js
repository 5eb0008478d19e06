// A pool over time: what waits, pods, waits and arrivals as plots that are read together, and the same as a table.
import { html, useState } from "../html.js";
import { get } from "../api.js";
import { duration, minute, number } from "../format.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { pathOf } from "../pools.js";
import { refine } from "../route.js";
import { Trouble, Waiting } from "./basics.js";
import { Plot } from "./plot.js";

/** @typedef {import("../pools.js").History} History */

const SPANS = [3, 24, 168];
const SECONDS = 30;

/** @param {{name: string, route: import("../route.js").Route}} props */
export function PoolHistory({ name, route }) {
  const asked = Number(route.query.get("hours"));
  const hours = SPANS.includes(asked) ? asked : SPANS[0];
  const { data, problem, reload } = useLoaded(() => get(`${pathOf(name)}/history`, { hours }), [name, hours], SECONDS);
  return html`<section class="stack" aria-labelledby="history-title"><div class="row spread"><h2 id="history-title">${t("history")}</h2>
      <div class="chips" role="group" aria-label=${t("usage.span")}>${SPANS.map((span) => html`<button type="button" class="chip" aria-pressed=${span === hours}
        onClick=${() => refine({ hours: String(span) })}>${spanOf(span)}</button>`)}</div></div>
    <${Trouble} problem=${problem} onRetry=${reload} />
    ${data ? html`<${Plots} history=${data} />` : !problem && html`<${Waiting} />`}</section>`;
}

/** @param {number} hours */
const spanOf = (hours) => (hours < 48 ? t("history.hours", { n: hours }) : t("usage.days", { n: hours / 24 }));

/** @param {number} seconds */
const stepOf = (seconds) => (seconds < 3600 ? t("minutes", { n: seconds / 60 }) : t("hours", { n: seconds / 3600 }));

/** @param {{history: History}} props */
function Plots({ history }) {
  const [at, setAt] = useState(/** @type {number | null} */ (null));
  const shared = { times: history.times, at, onAt: setAt };
  const count = (/** @type {number | null} */ value) => number(value, 1);
  const plain = history.arrivals_plain.some((value) => value);
  const known = history.waits_known.reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0);
  return html`<div class="plots">
      <${Plot} ...${shared} title=${t("history.tasks")} format=${count} series=${[
        { name: t("pools.waiting"), look: "first", kind: "area", values: history.waiting },
        { name: t("pools.running"), look: "second", kind: "line", values: history.running }]} />
      <${Plot} ...${shared} title=${t("history.pods")} format=${count} series=${[
        { name: t("history.existing"), look: "first", kind: "area", values: history.pods },
        { name: t("history.ready"), look: "second", kind: "line", values: history.pods_ready },
        { name: t("history.wanted"), look: "third", kind: "line", values: history.pods_wanted }]} />
      <${Plot} ...${shared} title=${t("history.wait")} format=${duration} seconds note=${t("history.waits", { n: known })} series=${[
        { name: t("history.longest"), look: "soft", kind: "bars", values: history.wait_longest },
        { name: t("history.mean"), look: "first", kind: "bars", values: history.wait_mean }]} />
      <${Plot} ...${shared} title=${t("history.arrivals", { span: stepOf(history.step_seconds) })} format=${count} note=${plain && t("history.plain")} series=${[
        { name: t("history.came"), look: "first", kind: "bars", values: history.arrivals }]} /></div>
    <${Table} history=${history} />`;
}

/** The same for who cannot see it, and for who wants the figures. @param {{history: History}} props */
function Table({ history }) {
  const [open, setOpen] = useState(false);
  const columns = [
    ["pools.waiting", history.waiting], ["pools.running", history.running], ["history.existing", history.pods], ["history.ready", history.pods_ready],
    ["history.wanted", history.pods_wanted], ["history.mean", history.wait_mean, duration], ["history.longest", history.wait_longest, duration],
    ["history.known", history.waits_known], ["history.came", history.arrivals]];
  const rows = history.times.map((time, index) => ({ time, index })).reverse();
  return html`<details onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}><summary>${t("history.table")}</summary>
    ${open && html`<div class="scroll short" tabindex="0" role="region" aria-label=${t("history.table")}><table><thead><tr><th scope="col">${t("history.time")}</th>
      ${columns.map(([name]) => html`<th scope="col" class="figure">${t(/** @type {string} */ (name))}</th>`)}</tr></thead>
      <tbody>${rows.map(({ time, index }) => html`<tr key=${time}><th scope="row">${minute(time)}</th>
        ${columns.map(([, values, format]) => html`<td class="figure">${/** @type {any} */ (format ?? number)(/** @type {any} */ (values)[index])}</td>`)}</tr>`)}</tbody></table></div>`}</details>`;
}
