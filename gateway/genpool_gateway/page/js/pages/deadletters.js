// Tasks that failed for good: why, where it was tried, and the way back or out. One, or all of a kind.
import { html, useState } from "../html.js";
import { get, post } from "../api.js";
import { useEndless } from "../endless.js";
import { moment } from "../format.js";
import { t } from "../language.js";
import { useAction, useLoaded } from "../load.js";
import { Attempts } from "../parts/attempts.js";
import { Button, Confirm, Empty, Note, Trouble, Waiting } from "../parts/basics.js";
import { DeadMessages } from "../parts/deadmessages.js";
import { IntakeLetters } from "../parts/intakeletters.js";
import { wordsOf } from "../problems.js";
import { href, refine } from "../route.js";
import { stringify } from "../json.js";
import { poolName, titleOf } from "../tasks.js";

/** @typedef {import("../tasks.js").Task} Task */
/** @typedef {{action: "replay" | "discard", pool: string, tasks?: string[], reason?: string, all?: boolean}} Wanted */

const PAGE = 50;
const SECONDS = 8;

/** @param {{route: import("../route.js").Route}} props */
export function DeadLetters({ route }) {
  const pool = route.query.get("pool");
  const reason = route.query.get("reason");
  const list = useEndless((cursor) => get("/v1/dead-letters", { pool, reason, cursor, limit: PAGE }), [pool, reason], SECONDS);
  const pools = useLoaded(() => get("/v1/pools"), [], SECONDS);
  const { busy, problem, run } = useAction();
  const [asked, setAsked] = useState(/** @type {Wanted | null} */ (null));
  const [said, setSaid] = useState(/** @type {string | null} */ (null));
  const [round, setRound] = useState(0);
  const act = (/** @type {Wanted} */ { action, ...which }) => run(async () => {
    setAsked(null);
    const done = await post(`/v1/dead-letters/${action}`, which);
    setSaid([
      t(`dead.${action}ed`, { n: done.tasks.length + done.others }),
      done.missing.length && t("dead.missing", { n: done.missing.length }),
      done.no_room && t("dead.noRoom", { n: done.no_room }),
      done.more && t("dead.others"),
    ].filter(Boolean).join(" "));
    setRound((before) => before + 1);
    list.reload();
  });
  const wanted = (/** @type {Wanted} */ which) => (which.action === "discard" ? setAsked(which) : act(which));
  const reasons = [...new Set(list.items.map((task) => task.error?.reason ?? ""))].filter(Boolean);
  const counted = !reason && (pools.data?.pools ?? []).some((/** @type {any} */ each) => (!pool || each.name === pool) && each.queue.dead_lettered);
  const kind = pool && list.items.length > 0 ? { pool, ...(reason ? { reason } : { all: true }) } : null;
  return html`
    <div class="dead"><h1>${t("menu.dead")}</h1><p class="lead">${t("dead.lead")}</p>
      <div class="filters">
        <label class="pick"><span class="name">${t("pool")}</span><select value=${pool ?? ""} onChange=${(/** @type {any} */ event) => refine({ pool: event.target.value || null })}>
          <option value="">${t("dead.allPools")}</option>
          ${(pools.data?.pools ?? []).map((/** @type {any} */ each) => html`<option value=${each.name}>${each.name}${each.queue.dead_lettered ? ` (${each.queue.dead_lettered})` : ""}</option>`)}</select></label>
        <label class="pick"><span class="name">${t("dead.reason")}</span><select value=${reason ?? ""} onChange=${(/** @type {any} */ event) => refine({ reason: event.target.value || null })}>
          <option value="">${t("dead.allReasons")}</option>
          ${[...new Set([...reasons, ...(reason ? [reason] : [])])].map((each) => html`<option value=${each}>${wordsOf(each).happened}</option>`)}</select></label>
        ${kind && html`<span class="row">
          <${Button} icon="replay" busy=${busy} onClick=${() => wanted({ action: "replay", ...kind })}>${t(reason ? "dead.replayKind" : "dead.replayAll")}</${Button}>
          <${Button} icon="trash" kind="quiet" busy=${busy} onClick=${() => wanted({ action: "discard", ...kind })}>${t(reason ? "dead.discardKind" : "dead.discardAll")}</${Button}></span>`}
        ${!pool && list.items.length > 0 && html`<span class="help">${t("dead.choosePool")}</span>`}
      </div>
      <${Trouble} problem=${problem ?? list.problem} onRetry=${list.problem ? list.reload : undefined} />
      <${Note} text=${said} />
      ${list.loading && !list.items.length && html`<${Waiting} />`}
      ${list.whole && !list.items.length && html`<${Empty} title=${t(counted ? "dead.none.tasks" : "dead.none")}><p>${t(counted ? "dead.none.messages" : "dead.none.do")}</p></${Empty}>`}
      <ul class="letters">${list.items.map((task) => html`<${Letter} key=${task.id} task=${task} busy=${busy} onWanted=${wanted} />`)}</ul>
      ${!list.whole && list.items.length > 0 && html`<p class="center"><${Button} busy=${list.loading} onClick=${list.more}>${t("more")}</${Button}></p>`}
      ${pool && html`<${DeadMessages} key=${`messages ${pool}`} pool=${pool} busy=${busy} round=${round}
        onDiscard=${(/** @type {string} */ why) => wanted({ action: "discard", pool, reason: why })} />`}
      ${pool && html`<${IntakeLetters} key=${pool} pool=${pool} />`}
      ${asked && html`<${Confirm} title=${t("dead.discard.title")} text=${t("dead.discard.text")} action=${t("dead.discard")}
        onNo=${() => setAsked(null)} onYes=${() => act(asked)} />`}
    </div>`;
}

/** @param {{task: Task, busy: boolean, onWanted: (wanted: Wanted) => void}} props */
function Letter({ task, busy, onWanted }) {
  const [open, setOpen] = useState(false);
  const reason = task.error?.reason ?? "TaskFailed";
  const { happened, advice } = wordsOf(reason);
  const one = { pool: poolName(task), tasks: [task.id] };
  return html`<li class="card letter" data-task=${task.id}>
    <div class="row spread"><h2><a href=${href(["task", task.id])}>${titleOf(task)}</a></h2>
      <time datetime=${task.completed_at} class="help">${moment(task.completed_at)}</time></div>
    <p><strong>${happened}</strong></p>
    <p>${task.error?.message}</p>
    ${advice && html`<p class="advice">${advice}</p>`}
    <p class="help">${poolName(task)} · ${task.workflow ?? t("ownGraph")} · <a href=${href(["dead"], { pool: poolName(task), reason })}><code>${reason}</code></a></p>
    <div class="row">
      <${Button} icon="replay" busy=${busy} onClick=${() => onWanted({ action: "replay", ...one })}>${t("dead.replay")}</${Button}>
      <${Button} icon="trash" kind="quiet" busy=${busy} onClick=${() => onWanted({ action: "discard", ...one })}>${t("dead.discard")}</${Button}></div>
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}><summary>${t("dead.more")}</summary>
      ${open && html`<h3>${t("attempts")}</h3><${Attempts} task=${task} />
        <h3>${t("dead.message")}</h3><pre>${stringify({ task_id: task.task_id, workflow: task.workflow, parameters: task.parameters, metadata: task.metadata }, 2)}</pre>`}
    </details></li>`;
}
