// One task, large: how far it is, what came out, and what can be done with it.
import { html, useEffect, useState } from "../html.js";
import { duration, moment, plainName, shown } from "../format.js";
import { language, t } from "../language.js";
import { useTask } from "../live.js";
import { useAction } from "../load.js";
import { wordsOf } from "../problems.js";
import { href } from "../route.js";
import { cancel, erase, hasEnded, isUpload, isUrl, poolName, replay, titleOf } from "../tasks.js";
import { stringify } from "../json.js";
import { Badge, Button, Confirm, Copyable, LinkButton, Trouble, Waiting } from "./basics.js";
import { Results } from "./results.js";
import { labelOf } from "./labels.js";

/** @typedef {import("../tasks.js").Task} Task */

/** @param {{id: string, heading?: "h1" | "h2", onStatus?: () => void}} props */
export function TaskPanel({ id, heading = "h2", onStatus }) {
  const { task, preview, log, problem, set } = useTask(id);
  const status = task?.status;
  useEffect(() => { if (status) onStatus?.(); }, [status]);
  if (!task) return problem ? html`<${Trouble} problem=${problem} />` : html`<${Waiting} />`;
  return html`
    <article class="task card" data-task=${task.id} data-status=${task.status}>
      <header class="task-head">
        <${heading} class="task-title">${titleOf(task)}</${heading}>
        <${Badge} status=${task.status} />
      </header>
      <p class="hidden" role="status">${t(`status.${task.status}`)}</p>
      <${Stage} task=${task} preview=${preview} log=${log} />
      <${Actions} task=${task} onChange=${set} />
      <${Details} task=${task} />
    </article>`;
}

/** @param {{task: Task, preview: string | null, log: string[]}} props */
function Stage({ task, preview, log }) {
  if (task.erased_at) return html`<p class="stage-text">${t("erased", { when: moment(task.erased_at) })}</p>`;
  if (task.error) return html`<${Ended} task=${task} />`;
  const shows = task.outputs.length > 0;
  return html`
    ${!hasEnded(task) && html`<${Progress} task=${task} />`}
    ${!hasEnded(task) && preview && !shows && html`<img class="preview" src=${preview} alt=${t("preview")} />`}
    ${log.length > 0 && !hasEnded(task) && html`<p class="stage-text warn">${t("retried")} ${log[log.length - 1]}</p>`}
    ${shows && html`<${Results} task=${task} />`}
    ${task.status === "succeeded" && !shows && html`<p class="stage-text">${t("noOutputs")}</p>`}`;
}

/** @param {{task: Task}} props */
function Progress({ task }) {
  if (task.status === "queued") {
    const place = task.queue_position;
    return html`<div class="queue">
      <p class="place">${place === null ? t("waits") : place === 0 ? t("place.next") : t("place", { n: place })}</p>
      ${task.expected_start_at && html`<p class="help">${t("expected", { when: moment(task.expected_start_at) })}</p>`}
      <div class="bar"><div class="fill moving"></div></div>
      <p class="help">${t("mayClose")}</p>
    </div>`;
  }
  const value = task.progress?.value ?? 0;
  const steps = task.progress?.steps ? t("step", { n: task.progress.step ?? 0, of: task.progress.steps }) : "";
  return html`<div class="queue">
    <p class="place">${Math.round(value * 100)} % ${steps && html`<span class="help">${steps}</span>`}</p>
    <div class="bar" role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(value * 100)}
      aria-label=${t("progress")}><div class="fill" style=${{ width: `${Math.max(2, value * 100)}%` }}></div></div>
    ${task.progress?.message && html`<p class="help">${task.progress.message}</p>`}
  </div>`;
}

/** @param {{task: Task}} props */
function Ended({ task }) {
  const error = /** @type {NonNullable<Task["error"]>} */ (task.error);
  const { happened, advice } = wordsOf(error.reason);
  const calm = task.status === "canceled";
  return html`<div class=${calm ? "stage-text" : "trouble"}>
    <p><strong>${happened}</strong></p>
    ${!calm && html`<p>${error.message}</p>`}
    ${error.node_id && html`<p class="help">${t("node", { id: error.node_id, name: error.class_type ?? "" })}</p>`}
    ${!calm && advice && html`<p class="advice">${advice}</p>`}
    ${!calm && html`<p class="help">${error.reason} · ${error.code}</p>`}
  </div>`;
}

/** @param {{task: Task, onChange: (task: Task) => void}} props */
function Actions({ task, onChange }) {
  const { busy, problem, run } = useAction();
  const [asked, setAsked] = useState(false);
  const act = (/** @type {(id: string) => Promise<Task>} */ what) => run(async () => onChange(await what(task.id)));
  const over = hasEnded(task);
  return html`
    <div class="row actions">
      ${!over && html`<${Button} icon="close" busy=${busy} disabled=${task.status === "canceling"}
        onClick=${() => act(cancel)}>${t("cancel")}</${Button}>`}
      ${task.workflow && !task.erased_at && html`<${LinkButton} icon="again"
        to=${href(["create", task.workflow], { from: task.id, pool: poolName(task) })}>${t("again")}</${LinkButton}>`}
      ${over && !task.erased_at && html`<${Button} icon="replay" busy=${busy} onClick=${() => act(replay)}>${t("replay")}</${Button}>`}
      ${over && !task.erased_at && html`<${Button} icon="trash" kind="quiet" busy=${busy}
        onClick=${() => setAsked(true)}>${t("delete")}</${Button}>`}
    </div>
    <${Trouble} problem=${problem} />
    ${asked && html`<${Confirm} title=${t("delete.title")} text=${t("delete.text")} action=${t("delete")}
      onNo=${() => setAsked(false)} onYes=${() => { setAsked(false); act(erase); }} />`}`;
}

/** @param {{task: Task}} props */
function Details({ task }) {
  const { metrics } = task;
  const rows = /** @type {[string, any][]} */ ([
    [t("workflow"), task.workflow ?? t("ownGraph")],
    [t("pool"), html`<a href=${href(["pool", task.pool.namespace, task.pool.name])}>${poolName(task)}</a>`],
    [t("created"), moment(task.created_at)],
    task.started_at && [t("started"), moment(task.started_at)],
    task.completed_at && [t("completed"), moment(task.completed_at)],
    metrics.queue_ms !== null && [t("waited"), duration(metrics.queue_ms / 1000)],
    metrics.execution_ms !== null && [t("took"), duration(metrics.execution_ms / 1000)],
    metrics.gpu_seconds !== null && [t("gpuTime"), duration(metrics.gpu_seconds)],
    task.expires_at && !task.erased_at && [t("keptUntil"), moment(task.expires_at)],
    task.run > 1 && [t("run"), String(task.run)],
    [t("taskId"), html`<${Copyable} text=${task.task_id} />`],
    task.task_id !== task.id && [t("id"), html`<${Copyable} text=${task.id} />`],
  ].filter(Boolean));
  return html`
    <details class="details" lang=${language() === "zh" ? "zh-CN" : undefined}>
      <summary>${t("details")}</summary>
      <dl>${Object.entries(task.parameters).map(([name, value]) => html`
        <div key=${name}><dt>${labelOf(name)}</dt><dd>${valueOf(value)}</dd></div>`)}</dl>
      <dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
      ${Object.keys(task.metadata).length > 0 && html`<h3>${plainName("metadata")}</h3><pre>${stringify(task.metadata, 2)}</pre>`}
    </details>`;
}

/** @param {unknown} value */
function valueOf(value) {
  if (isUpload(value)) return String(value).split("/").pop();
  if (isUrl(value)) return html`<a href=${value} target="_blank" rel="noopener noreferrer">${value}</a>`;
  if (value !== null && typeof value === "object") return html`<pre>${stringify(value, 2)}</pre>`;
  return shown(value);
}
