// The shape of a plot: scale, lines with gaps, labels of the time. Nothing here touches the page.

/** @typedef {(number | null)[]} Values in even steps; null: not known */

const COUNTS = [1, 2, 3, 4, 6, 8, 10];
const SECONDS = [1, 2, 4, 10, 20, 30, 60, 120, 240, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400];
const MINUTE = 60_000;
const MARKS = [5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE);
const MOST_MARKS = 7;

/** The upper end of a scale that has all values. @param {Values[]} all @param {boolean} seconds @returns {number} */
export function topOf(all, seconds) {
  const most = Math.max(0, ...all.flat().map((value) => value ?? 0));
  if (seconds) return SECONDS.find((top) => top >= most) ?? Math.ceil(most / 86_400) * 86_400;
  const power = 10 ** Math.max(0, Math.ceil(Math.log10(most || 1)) - 1);
  return (COUNTS.find((top) => top * power >= most && (top * power === 1 || (top * power) % 2 === 0)) ?? 10) * power;
}

/** The values that are written at a scale. @param {number} top */
export const ticksOf = (top) => (top > 1 ? [0, top / 2, top] : [0, top]);

/** Runs of known values: the number of the first one, and the values. @param {Values} values */
export function runsOf(values) {
  /** @type {{first: number, values: number[]}[]} */
  const runs = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last && last.first + last.values.length === index) last.values.push(value);
    else runs.push({ first: index, values: [value] });
  });
  return runs;
}

/** A line in a box as wide as there are steps and 100 high; a value alone is a point. @param {Values} values @param {number} top */
export function lineOf(values, top) {
  return runsOf(values).map((run) => {
    const points = run.values.map((value, index) => `${run.first + index + 0.5} ${heightOf(value, top)}`);
    return points.length === 1 ? `M${points[0]}h0` : `M${points.join("L")}`;
  }).join("");
}

/** What is below the line. @param {Values} values @param {number} top */
export function areaOf(values, top) {
  return runsOf(values).filter((run) => run.values.length > 1).map((run) => {
    const points = run.values.map((value, index) => `L${run.first + index + 0.5} ${heightOf(value, top)}`);
    return `M${run.first + 0.5} 100${points.join("")}L${run.first + run.values.length - 0.5} 100Z`;
  }).join("");
}

/** Down from the top of the box. @param {number} value @param {number} top */
export const heightOf = (value, top) => Math.round((100 - (value / top) * 100) * 100) / 100;

/** Steps that have a label: round times of the clock on the wall. @param {string[]} times @returns {number[]} */
export function marksOf(times) {
  const at = times.map((time) => new Date(time)).map((date) => date.getTime() - date.getTimezoneOffset() * MINUTE);
  for (const spacing of MARKS) {
    const found = at.flatMap((time, index) => (time % spacing === 0 ? [index] : []));
    if (found.length && found.length <= MOST_MARKS) return found;
  }
  return times.length ? [0] : [];
}

/** The last step in which something is known, else the last one. @param {Values[]} all */
export function latestOf(all) {
  const length = Math.max(0, ...all.map((values) => values.length));
  for (let index = length - 1; index >= 0; index--) if (all.some((values) => values[index] !== null)) return index;
  return length - 1;
}
