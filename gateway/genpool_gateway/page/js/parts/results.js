// What a task made: pictures, videos, sound; else a file to be saved. Never a page of ours.
import { html, useState } from "../html.js";
import { size } from "../format.js";
import { t } from "../language.js";
import { downloadAll, downloadPath, inputPicture } from "../tasks.js";
import { Button } from "./basics.js";
import { Compare } from "./compare.js";
import { Icon } from "./icon.js";

/** @typedef {import("../tasks.js").Task} Task */
/** @typedef {import("../tasks.js").Output} Output */

/** @param {{task: Task}} props */
export function Results({ task }) {
  const [lost, setLost] = useState(false);
  const pictures = task.outputs.filter((output) => output.url && output.content_type.startsWith("image/"));
  const before = lost ? null : inputPicture(task);
  const others = task.outputs.filter((output) => !pictures.includes(output));
  return html`
    <div class="results">
      ${pictures.map((output, index) => html`
        <figure key=${output.name}>
          ${before && index === 0
            ? html`<${Compare} before=${before} after=${output.url} onLost=${() => setLost(true)} />`
            : html`<a href=${output.url} target="_blank" rel="noopener noreferrer">
                <img src=${output.url} alt=${t("result", { name: output.name })} width=${output.width} height=${output.height} /></a>`}
          <figcaption><${Save} task=${task} output=${output} /></figcaption>
        </figure>`)}
      ${others.map((output) => html`<figure key=${output.name}>
          <${Played} output=${output} /><figcaption><${Save} task=${task} output=${output} /></figcaption></figure>`)}
      ${task.outputs.length > 1 && html`<${Button} icon="download"
        onClick=${() => downloadAll(task.outputs.map((output) => downloadPath(task, output)))}>
        ${t("downloadAll", { n: task.outputs.length })}</${Button}>`}
    </div>`;
}

/** @param {{output: Output}} props */
function Played({ output }) {
  if (!output.url) return html`<p class="help">${t("noLink")}</p>`;
  if (output.content_type.startsWith("video/")) return html`<video src=${output.url} controls loop></video>`;
  if (output.content_type.startsWith("audio/")) return html`<audio src=${output.url} controls></audio>`;
  return null;
}

/** @param {{task: Task, output: Output}} props */
function Save({ task, output }) {
  const pixels = output.width && output.height ? `${output.width} × ${output.height} · ` : "";
  const text = `${pixels}${size(output.size_bytes)}`;
  if (!output.url) return html`<span>${output.name} · ${text}</span>`;
  return html`<a class="save" href=${downloadPath(task, output)} download=""><${Icon} name="download" />
    <span>${output.name}</span><span class="help">${text}</span></a>`;
}
