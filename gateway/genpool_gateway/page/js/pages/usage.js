// Who used how much: tasks and GPU time by day, workflow and key, and how many began in time.
import { html, useMemo } from "../html.js";
import { get } from "../api.js";
import { day, duration, number, percent } from "../format.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { Empty, Trouble, Waiting } from "../parts/basics.js";
import { Bars } from "../parts/bars.js";
import { refine } from "../route.js";

/**
 * @typedef {object} Row
 * @property {string} day
 * @property {string | null} owner
 * @property {string} pool
 * @property {string | null} workflow
 * @property {number} tasks
 * @property {number} succeeded
 * @property {number} gpu_seconds
 * @property {number} wait_known
 * @property {number | null} within_sla
 *
 * @typedef {{name: string, tasks: number, succeeded: number, gpu: number, known: number, within: number, hasSla: boolean}} Sum
 */

const SPANS = [7, 30, 90];

/** @param {{route: import("../route.js").Route, session: import("../api.js").Session}} props */
export function Usage({ route, session }) {
  const days = Number(route.query.get("days")) || 30;
  const since = useMemo(() => new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10), [days]);
  const { data, problem, reload } = useLoaded(() => get("/v1/usage", { since }), [since]);
  const names = useLoaded(async () => (session.role === "admin" ? (await get("/v1/keys")).keys : []), []);
  if (!data) return problem ? html`<${Trouble} problem=${problem} onRetry=${reload} />` : html`<${Waiting} />`;
  /** @type {Row[]} */
  const rows = data.rows;
  const known = new Map([...(names.data ?? []).map((/** @type {any} */ key) => [key.id, key.name]), [session.id, session.name]]);
  const total = summed(rows, () => "")[0];
  return html`
    <div class="usage"><div class="row spread"><h1>${t("menu.usage")}</h1>
      <div class="chips" role="group" aria-label=${t("usage.span")}>${SPANS.map((span) => html`<button type="button" class="chip" aria-pressed=${span === days}
        onClick=${() => refine({ days: String(span) })}>${t("usage.days", { n: span })}</button>`)}</div></div>
      ${!total ? html`<${Empty} title=${t("usage.none")} />` : html`
        <dl class="figures">
          <div class="card"><dt>${t("usage.tasks")}</dt><dd>${number(total.tasks)}</dd></div>
          <div class="card"><dt>${t("usage.succeeded")}</dt><dd>${percent(total.succeeded / total.tasks)}</dd></div>
          <div class="card"><dt>${t("gpuTime")}</dt><dd>${duration(total.gpu)}</dd></div>
          <div class="card"><dt>${t("usage.sla")}</dt><dd>${share(total)}</dd></div></dl>
        <${Bars} title=${t("usage.byDay")} good=${t("usage.succeeded")} bad=${t("usage.others")} bars=${byDay(rows, since, data.until)} />
        <${Table} title=${t("usage.byWorkflow")} rows=${summed(rows, (row) => row.workflow ?? t("ownGraph"))} />
        <${Table} title=${t("usage.byKey")} rows=${summed(rows, (row) => (row.owner ? (known.get(row.owner) ?? row.owner) : t("usage.plain")))} />
        <${Table} title=${t("usage.byPool")} rows=${summed(rows, (row) => row.pool)} />`}
    </div>`;
}

/** @param {Sum} sum */
const share = (sum) => (sum.hasSla && sum.known ? percent(sum.within / sum.known) : "–");

/** @param {Row[]} rows @param {(row: Row) => string} nameOf @returns {Sum[]} */
export function summed(rows, nameOf) {
  /** @type {Map<string, Sum>} */
  const sums = new Map();
  for (const row of rows) {
    const name = nameOf(row);
    const sum = sums.get(name) ?? { name, tasks: 0, succeeded: 0, gpu: 0, known: 0, within: 0, hasSla: false };
    sum.tasks += row.tasks;
    sum.succeeded += row.succeeded;
    sum.gpu += row.gpu_seconds;
    if (row.within_sla !== null) {
      sum.hasSla = true;
      sum.known += row.wait_known;
      sum.within += row.within_sla;
    }
    sums.set(name, sum);
  }
  return [...sums.values()].sort((one, other) => other.tasks - one.tasks);
}

/** A bar for each day, also where nothing was done. @param {Row[]} rows @param {string} since @param {string} until */
function byDay(rows, since, until) {
  const sums = new Map(summed(rows, (row) => row.day).map((sum) => [sum.name, sum]));
  const bars = [];
  for (let at = new Date(since); at <= new Date(until); at.setUTCDate(at.getUTCDate() + 1)) {
    const name = at.toISOString().slice(0, 10);
    const sum = sums.get(name);
    bars.push({
      label: day(name), value: sum?.tasks ?? 0, bad: sum ? sum.tasks - sum.succeeded : 0,
      text: t("usage.bar", { day: day(name), tasks: number(sum?.tasks ?? 0), gpu: duration(sum?.gpu ?? 0) }),
    });
  }
  return bars;
}

/** @param {{title: string, rows: Sum[]}} props */
function Table({ title, rows }) {
  return html`<section><h2>${title}</h2><div class="scroll" tabindex="0" role="region" aria-label=${title}><table><thead><tr><th scope="col">${t("usage.name")}</th>
    ${["usage.tasks", "usage.succeeded", "gpuTime", "usage.sla"].map((name) => html`<th scope="col" class="figure">${t(name)}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.name}><th scope="row">${row.name}</th><td class="figure">${number(row.tasks)}</td>
      <td class="figure">${number(row.succeeded)}</td><td class="figure">${duration(row.gpu)}</td><td class="figure">${share(row)}</td></tr>`)}</tbody></table></div></section>`;
}
