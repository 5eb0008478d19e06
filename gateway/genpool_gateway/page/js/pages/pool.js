// One pool: its figures now and over time, its pods, what its scaler thinks, what is wrong and what to do, what it takes.
import { html } from "../html.js";
import { get } from "../api.js";
import { ago, number, plainName, size } from "../format.js";
import { knows, t } from "../language.js";
import { useLoaded } from "../load.js";
import { Empty, LinkButton, Trouble, Waiting } from "../parts/basics.js";
import { Pods } from "../parts/pods.js";
import { PoolHistory } from "../parts/poolhistory.js";
import { PoolState, scalerSentence } from "../parts/poolstate.js";
import { pathOf } from "../pools.js";
import { href } from "../route.js";

/** @typedef {import("../pools.js").Pool} Pool */
/** @typedef {import("../pools.js").PoolDetail} PoolDetail */

const SECONDS = 5;

/** @param {{route: import("../route.js").Route}} props */
export function Pool({ route }) {
  const name = route.parts.join("/");
  /** @type {{data: PoolDetail | null, problem: import("../api.js").Problem | null, reload: () => void}} */
  const { data: pool, problem, reload } = useLoaded(() => get(pathOf(name)), [name], SECONDS);
  const gone = problem?.status === 404;
  if (!pool && !problem) return html`<${Waiting} />`;
  return html`<div class="single">
    <p><a href="#/pools">← ${t("menu.pools")}</a></p>
    ${gone || !pool ? (gone ? html`<${Empty} title=${t("pool.gone", { name })} />` : html`<${Trouble} problem=${problem} onRetry=${reload} />`) : html`
      <div class="row spread"><h1>${name}</h1><${PoolState} pool=${pool} /></div>
      <${Trouble} problem=${problem} />
      ${pool.trouble && html`<div class="trouble"><p>${pool.trouble}</p></div>`}
      <${Figures} pool=${pool} />
      <${Scaler} pool=${pool} />
      <${PoolHistory} name=${name} route=${route} />
      <${Pods} pods=${pool.pods} existing=${pool.replicas.existing} />
      <${Conditions} pool=${pool} />
      <${Takes} pool=${pool} />`}
  </div>`;
}

/** The sentence; the scaler's last decisions belong below it. @param {{pool: Pool}} props */
function Scaler({ pool }) {
  const { mode, last_scale_time: last } = pool.scaling;
  const facts = [mode && t("scaler.mode", { mode }), last && t("scaler.last", { when: ago(last) })];
  return html`<section class="card"><h2>${t("pools.scaler")}</h2><p>${scalerSentence(pool)}</p><p class="help">${facts.filter(Boolean).join(" · ")}</p></section>`;
}

/** @param {{pool: Pool}} props */
function Figures({ pool }) {
  const { queue, replicas, scaling } = pool;
  const figures = [
    [t("pools.waiting"), number(queue.waiting)],
    [t("pools.running"), number(queue.running)],
    [t("replicas.wanted"), number(scaling.desired)],
    [t("replicas.existing"), number(replicas.existing)],
    [t("replicas.ready"), number(replicas.ready)],
    [t("replicas.busy"), number(replicas.busy)],
    [t("replicas.bounds"), `${number(replicas.least)} – ${number(replicas.most)}`],
    [t("pools.dead"), queue.dead_lettered ? html`<a class="bad" href=${href(["dead"], { pool: pool.name })}>${number(queue.dead_lettered)}</a>` : number(queue.dead_lettered)],
  ];
  return html`<dl class="figures">${figures.map(([name, value]) => html`<div class="card"><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <p class="help">${queue.observed_at ? t("observed", { when: ago(queue.observed_at) }) : t("observed.never")}</p>`;
}

/** @param {{pool: Pool}} props */
function Conditions({ pool }) {
  if (!pool.conditions.length) return html`<section class="card"><h2>${t("conditions")}</h2><p class="help">${t("conditions.none")}</p></section>`;
  const bad = [...pool.conditions].sort((one, other) => Number(one.status === "True") - Number(other.status === "True"));
  return html`<section class="card"><h2>${t("conditions")}</h2><ul class="conditions">${bad.map((each) => html`
    <li key=${each.type}><span class=${`badge pool-${each.status === "True" ? "good" : each.status === "False" ? "bad" : "unknown"}`}>
      ${t(`condition.${each.status}`)}</span>
      <div><strong>${nameOf(each.type)}</strong> <span class="help">${each.reason} · ${ago(each.last_transition_time)}</span>
      <p>${each.message}</p></div></li>`)}</ul></section>`;
}

/** @param {string} type of a condition */
const nameOf = (type) => (knows(`condition.is${type}`) ? t(`condition.is${type}`) : plainName(type));

/** @param {{pool: Pool}} props */
function Takes({ pool }) {
  const { limits } = pool;
  const any = (/** @type {string[]} */ hosts) => (hosts.length ? hosts.join(", ") : t("limits.anyHost"));
  const rows = [
    [t("limits.queue"), pool.queue.name ?? "–"],
    limits && [t("limits.attempts"), number(limits.max_attempts)],
    limits && [t("limits.input"), size(limits.max_input_bytes)],
    limits && [t("limits.images"), any(limits.image_hosts)],
    limits && [t("limits.callbacks"), any(limits.callback_hosts)],
    limits && [t("limits.graphs"), t(limits.allow_graphs ? "yes" : "no")],
    [t("limits.links"), pool.links],
  ].filter(Boolean);
  return html`<section class="card"><h2>${t("limits")}</h2>
    <div class="row">${pool.workflows.map((name) => html`<${LinkButton} icon="create" to=${href(["create", name], { pool: pool.name })}>${name}</${LinkButton}>`)}</div>
    <dl class="facts">${rows.map((row) => html`<div><dt>${/** @type {any} */ (row)[0]}</dt><dd>${/** @type {any} */ (row)[1]}</dd></div>`)}</dl></section>`;
}
