// Pick a workflow, fill in its form, see it being made.
import { html, useEffect, useMemo, useState } from "../html.js";
import { get } from "../api.js";
import { Empty, Trouble, Waiting } from "../parts/basics.js";
import { CreateForm } from "../parts/createform.js";
import { helpOf } from "../parts/labels.js";
import { Recent } from "../parts/recent.js";
import { TaskPanel } from "../parts/taskpanel.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { go, href } from "../route.js";
import { getTask, inputPicture } from "../tasks.js";

/** @typedef {import("../form.js").Workflow} Workflow */

/** @param {{route: import("../route.js").Route, session: import("../api.js").Session}} props */
export function Create({ route, session }) {
  const { data, problem, reload } = useLoaded(() => get("/v1/workflows"), []);
  const [turn, setTurn] = useState(0);
  const [latest, setLatest] = useState(/** @type {string | null} */ (null));
  /** @type {Workflow[]} */
  const workflows = data?.workflows ?? [];
  const wanted = route.parts[0];
  const pool = route.query.get("pool");
  const workflow = pick(workflows, wanted, pool);
  const chosen = route.query.get("task");
  const shown = chosen ?? latest;
  useEffect(() => { if (chosen) setLatest(chosen); }, [chosen]);
  const at = (/** @type {Record<string, string | null | undefined>} */ changes) =>
    href(workflow ? ["create", workflow.name] : ["create"], { pool, task: chosen, ...changes });
  // What is shown stays, whatever comes after it: another task must not slip under a hand that is about to press Cancel.
  const first = (/** @type {string} */ id) => setLatest((before) => before ?? id);
  const sent = (/** @type {string} */ id) => {
    setTurn((before) => before + 1);
    // Where the two stand side by side, the result is on top; else below the form.
    const below = matchMedia("(max-width: 1000px)").matches;
    (below ? document.querySelector(".see") : document.body)?.scrollIntoView();
    go(at({ task: id, from: null }));
  };
  if (problem && !data) return html`<${Trouble} problem=${problem} onRetry=${reload} />`;
  if (!data) return html`<${Waiting} />`;
  return html`
    <div class="create">
      <section class="make" aria-labelledby="create-title">
        <h1 id="create-title">${t("create.title")}</h1>
        ${workflows.length === 0 && html`<${Empty} title=${t("create.none")}><p>${t("create.none.do")}</p></${Empty}>`}
        ${workflow && html`
          <${Choice} workflows=${workflows} chosen=${workflow} pool=${pool ?? workflow.pools[0]} task=${chosen} />
          <${Prepared} key=${`${workflow.name} ${workflow.pools} ${route.query.get("from") ?? ""}`} workflow=${workflow}
            pool=${pool && workflow.pools.includes(pool) ? pool : workflow.pools[0]} from=${route.query.get("from")}
            session=${session} onSent=${sent} />`}
      </section>
      <section class="see" aria-label=${t("create.results")}>
        ${shown ? html`<${TaskPanel} key=${shown} id=${shown} onStatus=${() => setTurn((before) => before + 1)} />`
          : html`<${Empty} title=${t("create.empty")}><p>${t("create.empty.do")}</p></${Empty}>`}
        <${Recent} chosen=${shown} turn=${turn} toTask=${(/** @type {string} */ id) => at({ task: id })} onFirst=${first} />
      </section>
    </div>`;
}

/** @param {Workflow[]} workflows @param {string | undefined} wanted @param {string | null} pool */
function pick(workflows, wanted, pool) {
  const named = workflows.filter((each) => each.name === wanted || (wanted && each.aliases.includes(wanted)));
  // Who comes for the first time has no photo at hand, perhaps: a workflow that needs words alone is tried first.
  const first = workflows.find((each) => !each.files.length) ?? workflows[0];
  return named.find((each) => pool && each.pools.includes(pool)) ?? named[0] ?? first;
}

/** @param {{workflows: Workflow[], chosen: Workflow, pool: string, task: string | null}} props */
function Choice({ workflows, chosen, pool, task }) {
  const choose = (/** @type {string} */ index) => {
    const workflow = workflows[Number(index)];
    go(href(["create", workflow.name], { pool: workflow.pools[0], task }));
  };
  return html`
    <div class="stack">
      <div class="field"><label class="name" for="workflow">${t("workflow")}</label>
        <select id="workflow" value=${String(workflows.indexOf(chosen))} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
          ${workflows.map((each, index) => html`<option value=${String(index)}>${each.name}${
            workflows.filter((one) => one.name === each.name).length > 1 ? ` · ${each.pools[0]}` : ""}</option>`)}
        </select><p class="help">${helpOf(chosen.description)}</p></div>
      ${chosen.pools.length > 1 && html`<div class="field"><label class="name" for="pool">${t("pool")}</label>
        <select id="pool" value=${pool} onChange=${(/** @type {any} */ event) => go(href(["create", chosen.name], { pool: event.target.value, task }))}>
          ${chosen.pools.map((each) => html`<option value=${each}>${each}</option>`)}</select></div>`}
    </div>`;
}

/** The form, once what it begins with is there. */
/** @param {{workflow: Workflow, pool: string, from: string | null, session: import("../api.js").Session, onSent: (id: string) => void}} props */
function Prepared({ workflow, pool, from, session, onSent }) {
  const { data, problem, loading } = useLoaded(async () => (from ? getTask(from) : null), [from]);
  const given = useMemo(() => data?.parameters, [data]);
  const [ready, setReady] = useState(!from);
  useEffect(() => { if (!loading) setReady(true); }, [loading]);
  if (!ready || (from && loading && !data)) return html`<${Waiting} />`;
  return html`<${Trouble} problem=${problem} />
    <${CreateForm} workflow=${workflow} pool=${pool} given=${given} kept=${data ? inputPicture(data) : null}
      session=${session} onSent=${onSent} />`;
}
