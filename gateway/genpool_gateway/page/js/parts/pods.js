// The pods of a pool, and what each is doing. What nobody has heard lately is said to be so.
import { html } from "../html.js";
import { ago, number, percent } from "../format.js";
import { t } from "../language.js";
import { href } from "../route.js";

/** @typedef {import("../pools.js").Pod} Pod */

/** @param {{pods: Pod[], existing: number | null}} props `existing`: how many there are, as the operator counts */
export function Pods({ pods, existing }) {
  const heard = pods.filter((pod) => pod.state !== "silent").length;
  return html`<section class="stack" aria-labelledby="pods-title"><div class="row spread"><h2 id="pods-title">${t("pods")}</h2>
      <p class="help">${t("pods.heard", { n: heard })}${existing !== null && existing !== heard && ` ${t("pods.counted", { n: number(existing) })}`}</p></div>
    ${pods.length === 0 ? html`<p class="help">${t("pods.none")}</p>` : html`
      <div class="scroll" tabindex="0" role="region" aria-label=${t("pods")}><table class="pods"><thead><tr><th scope="col">${t("pod")}</th><th scope="col">${t("state")}</th>
        <th scope="col" class="when">${t("pods.since")}</th><th scope="col">${t("pods.does")}</th></tr></thead>
        <tbody>${pods.map((pod) => html`<tr key=${pod.name}><th scope="row"><code>${pod.name}</code></th>
          <td><span class=${`badge ${looks[pod.state] ?? ""}`}>${t(`pod.${pod.state}`)}</span><span class="help narrow-only">${ago(pod.since)}</span></td><td class="when">${ago(pod.since)}</td><td><${Does} pod=${pod} /></td></tr>`)}</tbody></table></div>`}</section>`;
}

/** @type {Record<string, string>} */
const looks = { busy: "running", idle: "pool-good", unready: "pool-bad", silent: "pool-unknown", starting: "expired" };

/** @param {{pod: Pod}} props */
function Does({ pod }) {
  if (pod.state === "silent") return html`<span class="help">${t("pods.silent")}</span>`;
  if (!pod.works) return html`<span class="help">${pod.message ?? (pod.state === "idle" ? t("pods.idle") : "")}</span>`;
  if (!pod.task) return html`<span class="help">${t("pods.other")}</span>`;
  const value = pod.task.progress?.value;
  return html`<a href=${href(["task", pod.task.id])}>${pod.task.workflow ?? t("ownGraph")}</a>
    ${value !== undefined && html`<span class="help"> ${percent(value)}${pod.task.progress?.message && ` · ${pod.task.progress.message}`}</span>
      <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(value * 100)} aria-label=${t("progress")}>
        <div class="fill" style=${{ width: `${Math.max(2, value * 100)}%` }}></div></div>`}`;
}
