// Pools at a glance: is each well, what waits, how many pods there are and should be, and why.
import { html, useMemo, useState } from "../html.js";
import { get } from "../api.js";
import { number } from "../format.js";
import { t } from "../language.js";
import { useLoaded } from "../load.js";
import { Empty, Trouble, Waiting } from "../parts/basics.js";
import { Icon } from "../parts/icon.js";
import { compare, SortHead } from "../parts/sorting.js";
import { PoolState, scalerSentence, trouble } from "../parts/poolstate.js";
import { href, refine } from "../route.js";

/** @typedef {import("../pools.js").Pool} Pool */

const SECONDS = 5;
/** @type {Record<string, (pool: Pool) => string | number | null>} */
const COLUMNS = {
  name: (pool) => pool.name,
  state: (pool) => (pool.ready ? 2 : pool.ready === null ? 1 : 0),
  waiting: (pool) => pool.queue.waiting,
  running: (pool) => pool.queue.running,
  replicas: (pool) => pool.replicas.existing,
  dead: (pool) => pool.queue.dead_lettered,
};

/** @param {{route: import("../route.js").Route}} props */
export function Pools({ route }) {
  const { data, problem, loading, reload } = useLoaded(() => get("/v1/pools"), [], SECONDS);
  const [search, setSearch] = useState(route.query.get("search") ?? "");
  const sort = route.query.get("sort") ?? "name";
  /** @type {Pool[]} */
  const pools = data?.pools ?? [];
  const shown = useMemo(() => sorted(pools, search, sort), [pools, search, sort]);
  const at = (/** @type {Record<string, string | null>} */ changes) => href(["pools"], { sort: route.query.get("sort"), search, ...changes });
  const find = (/** @type {string} */ text) => { setSearch(text); refine({ search: text || null }); };
  if (!data) return problem ? html`<${Trouble} problem=${problem} onRetry=${reload} />` : html`<${Waiting} />`;
  const unwell = pools.filter((pool) => pool.ready === false || !pool.accepts_tasks).length;
  return html`
    <div class="pools">
      <div class="row spread"><h1>${t("menu.pools")}</h1>
        <p class="help" role="status">${t("pools.count", { n: pools.length })}${unwell > 0 && html` · <span class="bad">${t("pools.unwell", { n: unwell })}</span>`}</p></div>
      <${Trouble} problem=${problem} onRetry=${reload} />
      <div class="filters"><label class="search"><${Icon} name="search" /><span class="hidden">${t("search")}</span>
        <input type="search" value=${search} placeholder=${t("pools.search")} onInput=${(/** @type {any} */ event) => find(event.target.value)} /></label></div>
      ${shown.length === 0 ? html`<${Empty} title=${t(pools.length ? "pools.noMatch" : "pools.none")}><p>${pools.length ? "" : t("pools.none.do")}</p></${Empty}>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label=${t("menu.pools")}><table class="wide">
          <thead><tr>
            ${Object.keys(COLUMNS).map((name) => html`<${SortHead} name=${name} sort=${sort} label=${t(`pools.${name}`)}
              numeric=${!["name", "state"].includes(name)} to=${(/** @type {string} */ next) => at({ sort: next })} />`)}
            <th scope="col">${t("pools.scaler")}</th></tr></thead>
          <tbody>${shown.map((pool) => html`<${Row} key=${pool.uid} pool=${pool} />`)}</tbody></table></div>`}
      ${loading && html`<span class="hidden">${t("loading")}</span>`}
    </div>`;
}

/** @param {Pool[]} pools @param {string} search @param {string} sort */
function sorted(pools, search, sort) {
  const wanted = search.trim().toLowerCase();
  const found = pools.filter((pool) => !wanted
    || [pool.name, pool.queue.name ?? "", ...pool.workflows].some((text) => text.toLowerCase().includes(wanted)));
  const down = sort.startsWith("-");
  const value = COLUMNS[down ? sort.slice(1) : sort] ?? COLUMNS.name;
  return [...found].sort((one, other) => (down ? -1 : 1) * compare(value(one), value(other)) || compare(one.name, other.name));
}

/** @param {{pool: Pool}} props */
function Row({ pool }) {
  const [namespace, name] = pool.name.split("/");
  return html`<tr>
    <th scope="row"><a href=${href(["pool", namespace, name])}>${name}</a><span class="help block">${namespace}</span></th>
    <td><${PoolState} pool=${pool} /></td>
    <td class="figure">${number(pool.queue.waiting)}</td>
    <td class="figure">${number(pool.queue.running)}</td>
    <td class="figure">${number(pool.replicas.existing)}<span class="help"> / ${number(pool.scaling.desired)}</span></td>
    <td class="figure">${pool.queue.dead_lettered
      ? html`<a class="bad" href=${href(["dead"], { pool: pool.name })}>${number(pool.queue.dead_lettered)}</a>`
      : number(pool.queue.dead_lettered)}</td>
    <td class="sentence">${trouble(pool) ?? scalerSentence(pool)}</td></tr>`;
}
