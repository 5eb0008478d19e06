// All tasks, the newest first. Only what is near the window is loaded and drawn, however many there are.
import { html, useEffect, useState } from "../html.js";
import { get } from "../api.js";
import { useEndless } from "../endless.js";
import { ago } from "../format.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { Badge, Button, Empty, Trouble, Waiting } from "../parts/basics.js";
import { Icon } from "../parts/icon.js";
import { Thumbnail } from "../parts/thumbnail.js";
import { Windowed } from "../parts/windowed.js";
import { href, refine } from "../route.js";
import { downloadAll, downloadPath, listTasks, STATUSES, titleOf } from "../tasks.js";

const PAGE = 100;
const SECONDS = 4;
const TILE = { width: 200, height: 268 };

/** @typedef {import("../tasks.js").Task} Task */

/** @param {{route: import("../route.js").Route}} props */
export function Gallery({ route }) {
  const status = route.query.get("status");
  const workflow = route.query.get("workflow");
  const search = route.query.get("search");
  const filter = { status, workflow, search };
  const { items, problem, loading, whole, more, reload } = useEndless(
    (cursor) => listTasks({ ...filter, cursor, limit: PAGE }), [status, workflow, search], SECONDS);
  const [chosen, setChosen] = useState(/** @type {Record<string, Task>} */ ({}));
  const toggle = (/** @type {Task} */ task) => setChosen((before) => {
    const { [task.id]: there, ...others } = before;
    return there ? others : { ...before, [task.id]: task };
  });
  const picked = Object.values(chosen);
  const files = picked.flatMap((task) => task.outputs.filter((output) => output.url).map((output) => downloadPath(task, output)));
  return html`
    <div class="gallery">
      <h1>${t("menu.gallery")}</h1>
      <${Filters} filter=${filter} onChange=${refine} />
      ${picked.length > 0 && html`<div class="row selection" role="status">
        <span>${t("chosen", { n: picked.length })}</span>
        <${Button} icon="download" kind="main" disabled=${!files.length} onClick=${() => downloadAll(files)}>${t("downloadAll", { n: files.length })}</${Button}>
        <${Button} kind="quiet" onClick=${() => setChosen({})}>${t("chooseNone")}</${Button}></div>`}
      <${Trouble} problem=${problem} onRetry=${reload} />
      ${!items.length && !loading && !problem && html`<${Empty} title=${t(status || workflow || search ? "gallery.noMatch" : "gallery.none")}>
        <p><a href="#/create">${t("gallery.none.do")}</a></p></${Empty}>`}
      <${Windowed} items=${items} tile=${TILE} label=${t("menu.gallery")} onEnd=${more}
        draw=${(/** @type {Task} */ task) => html`<${Tile} task=${task} chosen=${task.id in chosen} onToggle=${() => toggle(task)} />`} />
      ${loading && !items.length && html`<${Waiting} />`}
      <p class="help center" role="status">${items.length > 0 && t(whole ? "gallery.whole" : "gallery.part", { n: items.length })}</p>
    </div>`;
}

/** @param {{task: Task, chosen: boolean, onToggle: () => void}} props */
function Tile({ task, chosen, onToggle }) {
  const title = titleOf(task);
  return html`
    <div class=${`tile ${chosen ? "chosen" : ""}`} data-task=${task.id}>
      <a href=${href(["task", task.id])} class="tile-link"><span class="hidden">${title}: ${t(`status.${task.status}`)}</span>
        <${Thumbnail} task=${task} named /></a>
      <label class="tick"><input type="checkbox" checked=${chosen} onChange=${onToggle} aria-label=${t("choose", { name: title })} /></label>
      <p class="tile-title" title=${title}>${title}</p>
      <p class="tile-foot"><${Badge} status=${task.status} /><time datetime=${task.created_at}>${ago(task.created_at)}</time></p>
    </div>`;
}

/** @param {{filter: Record<string, string | null>, onChange: (to: Record<string, string | null>) => void}} props */
function Filters({ filter, onChange }) {
  const workflows = useLoaded(() => get("/v1/workflows"), []);
  const [text, setText] = useState(filter.search ?? "");
  useEffect(() => {
    if (text === (filter.search ?? "")) return undefined;
    const timer = setTimeout(() => onChange({ search: text || null }), 350);
    return () => clearTimeout(timer);
  }, [text]);
  const names = [...new Set((workflows.data?.workflows ?? []).map((/** @type {any} */ each) => each.name))];
  return html`
    <div class="filters">
      <label class="search"><${Icon} name="search" /><span class="hidden">${t("search")}</span>
        <input type="search" value=${text} placeholder=${t("gallery.search")} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></label>
      <label class="pick"><span class="hidden">${t("workflow")}</span>
        <select value=${filter.workflow ?? ""} onChange=${(/** @type {any} */ event) => onChange({ workflow: event.target.value || null })}>
          <option value="">${t("allWorkflows")}</option>${names.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>
      <div class="chips" role="group" aria-label=${t("state")}>
        <button type="button" class="chip" aria-pressed=${!filter.status} onClick=${() => onChange({ status: null })}>${t("all")}</button>
        ${STATUSES.filter((name) => name !== "canceling").map((name) => html`<button type="button" class="chip" aria-pressed=${filter.status === name}
          onClick=${() => onChange({ status: filter.status === name ? null : name })}>${t(`status.${name}`)}</button>`)}
      </div>
    </div>`;
}
