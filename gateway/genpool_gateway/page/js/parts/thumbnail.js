// A task as a small picture: its first result, else how it stands.
import { html } from "../html.js";
import { wordsOf } from "../problems.js";
import { titleOf } from "../tasks.js";
import { Icon } from "./icon.js";

/** @type {Record<string, string>} */
const ICONS = { queued: "clock", running: "clock", canceling: "clock", succeeded: "check", failed: "dead", canceled: "close", expired: "clock" };

/** @param {{task: import("../tasks.js").Task, named?: boolean}} props named: its name stands beside it */
export function Thumbnail({ task, named }) {
  const text = task.error && task.status !== "canceled" ? wordsOf(task.error.reason).happened : named ? "" : titleOf(task);
  const picture = task.outputs.find((output) => output.url && output.content_type.startsWith("image/"));
  const value = task.progress?.value ?? 0;
  return html`<span class="thumb">
    ${picture ? html`<img src=${picture.url} alt=${named ? "" : titleOf(task)} loading="lazy" decoding="async" />`
      : html`<span class="thumb-text"><${Icon} name=${ICONS[task.status]} /><span>${text}</span></span>`}
    ${task.status === "running" && html`<span class="thumb-bar" style=${{ width: `${Math.max(4, value * 100)}%` }}></span>`}
  </span>`;
}
