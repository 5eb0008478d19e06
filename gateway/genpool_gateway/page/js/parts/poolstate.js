// How a pool stands, in a word and in a sentence.
import { html } from "../html.js";
import { t } from "../language.js";

/** @typedef {import("../pools.js").Pool} Pool */

/** @param {Pool} pool */
const stateOf = (pool) => (!pool.accepts_tasks || pool.ready === false ? "bad" : pool.ready === null ? "unknown" : "good");

/** @param {{pool: Pool}} props */
export const PoolState = ({ pool }) => html`<span class=${`badge pool-${stateOf(pool)}`}>${t(`pool.${stateOf(pool)}`)}</span>`;

/** Why a pool does not do what it should; null where it does. @param {Pool} pool */
export function trouble(pool) {
  if (pool.trouble) return pool.trouble;
  if (pool.ready !== false) return null;
  return pool.conditions.find((each) => each.type === "Ready")?.message ?? null;
}

/** @param {Pool} pool */
export const scalerSentence = (pool) => pool.scaling.message ?? t("scaler.unknown");
