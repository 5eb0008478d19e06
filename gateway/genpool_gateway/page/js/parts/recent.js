// The latest tasks, small: what goes on, and the way back to what was made.
import { html, useEffect } from "../html.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { hasEnded, listTasks, titleOf } from "../tasks.js";
import { Badge, Trouble } from "./basics.js";
import { Thumbnail } from "./thumbnail.js";

const SHOWN = 24;
const SECONDS = 3;

/** @param {{chosen: string | null, turn: number, toTask: (id: string) => string, onFirst: (id: string) => void}} props */
export function Recent({ chosen, turn, toTask, onFirst }) {
  const { data, problem, reload } = useLoaded(async () => {
    const page = await listTasks({ limit: SHOWN });
    if (page.tasks.length) onFirst(page.tasks[0].id);
    return page;
  }, [], SECONDS);
  useEffect(() => { if (turn) reload(); }, [turn]);
  if (problem && !data) return html`<${Trouble} problem=${problem} />`;
  const tasks = data?.tasks ?? [];
  if (!tasks.length) return null;
  const open = tasks.filter((task) => !hasEnded(task)).length;
  return html`
    <section class="recent" aria-labelledby="recent-title">
      <div class="row spread"><h2 id="recent-title">${t("recent")}</h2>
        ${open > 0 && html`<span class="help">${t("unfinished", { n: open })}</span>`}
        <a href="#/gallery">${t("recent.all")}</a></div>
      <ul class="strip">${tasks.map((task) => html`
        <li key=${task.id}><a href=${toTask(task.id)} aria-current=${task.id === chosen ? "true" : undefined} title=${titleOf(task)}>
          <${Thumbnail} task=${task} /><${Badge} status=${task.status} /></a></li>`)}</ul>
    </section>`;
}
